"""What a request to Gemini says beside its turns: parameters, thinking, JSON, tools."""

from typing import Any

import pytest

from lsd.conversation import (
    NO_EDITS,
    ChatCompletionParams,
    CustomTool,
    FunctionTool,
    ProviderTool,
    SpecificTool,
    ToolCall,
    ToolChoice,
    ToolResult,
    ToolSet,
    encode_json,
)
from tests.unit.providers.recorded import (
    CREDENTIALS,
    GEMINI_TYPES,
    body,
    make_dialect,
    refused,
    request,
    warned,
)

GEMINI = make_dialect("google_ai_studio_gemini")
SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}}
TOOLS = tuple(
    FunctionTool(name=name, description="…", parameters={"type": "object"}) for name in ("a", "b")
)


@pytest.mark.parametrize("kind", GEMINI_TYPES)
def test_a_whole_request(kind: str) -> None:
    """Byte for byte, so that equal requests stay equal in every cache on the way."""
    tool = FunctionTool(name="temp", description="…", parameters={"type": "object"})
    conversation = request(
        "Oslo?",
        [ToolCall(id="t1", name="temp", arguments='{"city":"Oslo"}')],
        [ToolResult(id="t1", name="temp", result="7")],
        system="Be brief.",
        tools=ToolSet(tools=(tool,)),
        params=ChatCompletionParams(max_tokens=64),
        stream=True,
    )

    wire = make_dialect(kind).encode(conversation, CREDENTIALS, NO_EDITS)

    result = {"name": "temp", "response": {"name": "temp", "content": "7"}}
    assert wire.body == encode_json(
        {
            "contents": [
                {"role": "user", "parts": [{"text": "Oslo?"}]},
                {
                    "role": "model",
                    "parts": [
                        {
                            "functionCall": {"name": "temp", "args": {"city": "Oslo"}},
                            "thoughtSignature": "skip_thought_signature_validator",
                        }
                    ],
                },
                {"role": "user", "parts": [{"functionResponse": result}]},
            ],
            "tools": [
                {
                    "functionDeclarations": [
                        {"name": "temp", "description": "…", "parameters": {"type": "object"}}
                    ]
                }
            ],
            "toolConfig": {"functionCallingConfig": {"mode": "AUTO"}},
            "generationConfig": {"maxOutputTokens": 64},
            "systemInstruction": {"parts": [{"text": "Be brief."}]},
        }
    )


def test_a_request_without_anything() -> None:
    """What was not asked for is not there, not even as null."""
    assert body(GEMINI, request()) == {"contents": [{"role": "user", "parts": [{"text": "Hi"}]}]}


def config(**params: Any) -> Any:
    """What a request says of how to generate."""
    return body(GEMINI, request(params=ChatCompletionParams(**params)))["generationConfig"]


def test_parameters() -> None:
    """Each has its name at Google."""
    sent = config(
        temperature=0.0,
        top_p=0.5,
        max_tokens=5,
        presence_penalty=-1.0,
        frequency_penalty=1.0,
        seed=0,
        stop_sequences=("a", "b"),
    )

    assert sent == {
        "temperature": 0.0,
        "topP": 0.5,
        "maxOutputTokens": 5,
        "presencePenalty": -1.0,
        "frequencyPenalty": 1.0,
        "seed": 0,
        "stopSequences": ["a", "b"],
    }


def test_parameters_that_gemini_has_not() -> None:
    """No caller wonders why a parameter had no effect."""
    params = ChatCompletionParams(service_tier="flex", verbosity="low")
    tools = ToolSet(tools=TOOLS, parallel=False)
    wanted = request(params=params, tools=tools, top_k=40)

    assert warned(GEMINI, wanted) == ["parallel_tool_calls", "service_tier", "verbosity", "top_k"]
    assert body(GEMINI, wanted) == body(GEMINI, request(tools=ToolSet(tools=TOOLS)))


@pytest.mark.parametrize("tools", [ToolSet(tools=TOOLS), ToolSet(tools=TOOLS, parallel=True)])
def test_parallel_calls_are_what_gemini_does_anyway(tools: ToolSet) -> None:
    """So there is nothing to warn of."""
    assert warned(GEMINI, request(tools=tools)) == []


def test_one_forced_call_is_never_two() -> None:
    """How LSD itself asks for JSON by a tool is no reason to warn."""
    tools = ToolSet(tools=TOOLS, choice=SpecificTool(name="a"), parallel=False)

    assert warned(GEMINI, request(tools=tools)) == []


def test_thinking() -> None:
    """By a word or by a budget; Gemini knows which words."""
    assert config(reasoning_effort="low") == {"thinkingConfig": {"thinkingLevel": "low"}}
    assert config(thinking_budget_tokens=-1) == {"thinkingConfig": {"thinkingBudget": -1}}


@pytest.mark.parametrize("kind", GEMINI_TYPES)
def test_thinking_is_asked_for_in_one_way(kind: str) -> None:
    """Case 4: two instructions that contradict each other are refused before they are sent."""
    params = ChatCompletionParams(thinking_budget_tokens=2048, reasoning_effort="low")

    told = refused(make_dialect(kind), request(params=params))

    assert "found thinking_budget_tokens and reasoning_effort" in told


@pytest.mark.parametrize("mode", ["on", "strict"])
def test_json_by_a_schema(mode: Any) -> None:
    """Both modes hold the model to it; without one, to any JSON."""
    with_schema = body(GEMINI, request(json_mode=mode, output_schema=SCHEMA))
    without = body(GEMINI, request(json_mode=mode))

    assert with_schema["generationConfig"] == {
        "responseMimeType": "application/json",
        "responseSchema": SCHEMA,
    }
    assert without["generationConfig"] == {"responseMimeType": "application/json"}


def test_no_json_no_schema() -> None:
    """A schema may be there for LSD's own check alone."""
    assert "generationConfig" not in body(GEMINI, request(json_mode="off", output_schema=SCHEMA))


SPECIFIC = SpecificTool(name="b")


@pytest.mark.parametrize(
    ("choice", "allowed", "sent"),
    [
        ("auto", None, {"mode": "AUTO"}),
        ("none", None, {"mode": "NONE"}),
        ("required", None, {"mode": "ANY"}),
        (SPECIFIC, None, {"mode": "ANY", "allowedFunctionNames": ["b"]}),
        ("auto", ("a",), {"mode": "ANY", "allowedFunctionNames": ["a"]}),
        ("none", ("a",), {"mode": "NONE"}),
        ("required", ("a", "b"), {"mode": "ANY", "allowedFunctionNames": ["a", "b"]}),
        (SPECIFIC, ("b",), {"mode": "ANY", "allowedFunctionNames": ["b"]}),
        ("auto", (), {"mode": "NONE"}),
    ],
)
def test_what_may_be_called(
    choice: ToolChoice, allowed: tuple[str, ...] | None, sent: dict[str, Any]
) -> None:
    """Case 28: the list of tools stays whole, and names in it force a call."""
    tools = ToolSet(tools=TOOLS, choice=choice, allowed=allowed)

    encoded = body(GEMINI, request(tools=tools))

    assert encoded["toolConfig"] == {"functionCallingConfig": sent}
    (tool,) = encoded["tools"]
    assert [each["name"] for each in tool["functionDeclarations"]] == ["a", "b"]


def test_no_tools_no_choice() -> None:
    """Case 11: a choice among nothing is not sent."""
    sent = body(GEMINI, request(tools=ToolSet(choice="required")))

    assert not sent.keys() & {"tools", "toolConfig"}


def test_tools_that_run_at_the_provider_are_refused() -> None:
    """Case 58: the error counts those that were meant for it."""
    tools = ToolSet(
        provider_tools=(
            ProviderTool(tool={"a": 1}),
            ProviderTool(tool={"b": 1}, model_name="local", provider_name="box"),
            ProviderTool(tool={"c": 1}, model_name="other"),
        )
    )

    assert 'provider "box" got 2 of provider_tools' in refused(GEMINI, request(tools=tools))


def test_tools_of_another_kind_are_refused() -> None:
    """Free text as an argument is OpenAI's."""
    tools = ToolSet(tools=(CustomTool(name="sql"),))

    told = refused(GEMINI, request(tools=tools))

    assert told == (
        "google_ai_studio_gemini: custom tools not supported by google_ai_studio_gemini"
        " (tool 'sql')"
    )
