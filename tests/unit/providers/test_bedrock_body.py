"""The body of a request to Bedrock, checked against the exact JSON that is sent."""

from typing import Any

import attrs
import pytest

from lsd.conversation import (
    NO_EDITS,
    ChatCompletionParams,
    ClientRequest,
    FunctionTool,
    ModelRequest,
    Text,
    ToolCall,
    ToolResult,
    ToolSet,
    WireRequest,
    decode_json,
)
from tests.unit.providers.recorded import (
    CREDENTIALS,
    body,
    make_dialect,
    refused,
    request,
    warned,
)

HAIKU = "us.anthropic.claude-haiku-4-5-20251001-v1:0"
OPUS_47 = "global.anthropic.claude-opus-4-7"
OLD = "anthropic.claude-3-haiku-20240307-v1:0"
NOVA = "amazon.nova-lite-v1:0"

SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}}
TEMP = FunctionTool(name="temp", description="…", parameters={"type": "object"})


def sent(model_id: str = NOVA, **fields: Any) -> dict[str, Any]:
    """The body of a request of one turn, without its messages."""
    made = body(make_dialect("aws_bedrock", model_id=model_id), request(**fields))
    assert made.pop("messages")[0] == {"role": "user", "content": [{"text": "Hi"}]}
    return made


def with_params(model_id: str = NOVA, **values: Any) -> dict[str, Any]:
    """What these parameters add."""
    return sent(model_id, params=ChatCompletionParams(**values))


def wire(model_id: str, asked: ModelRequest) -> WireRequest:
    """The request as it goes out."""
    return make_dialect("aws_bedrock", model_id=model_id).encode(asked, CREDENTIALS, NO_EDITS)


def left_out(model_id: str = NOVA, **fields: Any) -> list[str]:
    """What is warned of."""
    params = fields.pop("params", {})
    asked = request(params=ChatCompletionParams(**params), **fields)
    return warned(make_dialect("aws_bedrock", model_id=model_id), asked)


def test_a_conversation_with_a_tool() -> None:
    """All parts of a body, in Bedrock's words."""
    dialect = make_dialect("aws_bedrock", model_id=HAIKU)
    asked = request(
        "Oslo?",
        [ToolCall(id="t1", name="temp", arguments='{"city":"Oslo"}')],
        [ToolResult(id="t1", name="temp", result="7")],
        system="Be brief.",
        tools=ToolSet(tools=(TEMP,)),
        params=ChatCompletionParams(max_tokens=64),
    )

    assert body(dialect, asked) == {
        "messages": [
            {"role": "user", "content": [{"text": "Oslo?"}]},
            {
                "role": "assistant",
                "content": [
                    {"toolUse": {"toolUseId": "t1", "name": "temp", "input": {"city": "Oslo"}}}
                ],
            },
            {
                "role": "user",
                "content": [{"toolResult": {"toolUseId": "t1", "content": [{"text": "7"}]}}],
            },
        ],
        "system": [{"text": "Be brief."}],
        "inferenceConfig": {"maxTokens": 64},
        "toolConfig": {
            "tools": [
                {
                    "toolSpec": {
                        "name": "temp",
                        "description": "…",
                        "inputSchema": {"json": {"type": "object"}},
                    }
                }
            ],
            "toolChoice": {"auto": {}},
        },
    }


def test_nothing_is_sent_that_was_not_asked_for() -> None:
    """No limit of tokens either: the service knows that of the model."""
    assert sent() == {}
    assert sent(system="  \n") == {}
    assert sent(stream=True) == {}


def test_sampling() -> None:
    """In Bedrock's spelling, as it was asked for."""
    sampling = {"temperature": 0.5, "top_p": 0.9, "stop_sequences": ("x", "y")}

    assert with_params(**sampling) == {
        "inferenceConfig": {"temperature": 0.5, "topP": 0.9, "stopSequences": ["x", "y"]}
    }


@pytest.mark.parametrize(
    ("model_id", "kept", "gone"),
    [
        (OPUS_47, {}, ["temperature", "top_p"]),
        (HAIKU, {"temperature": 0.5}, ["top_p"]),
        (OLD, {"temperature": 0.5, "topP": 0.9}, []),
        ("anthropic.claude-of-tomorrow-v1:0", {"temperature": 0.5, "topP": 0.9}, []),
    ],
)
def test_sampling_of_claude(model_id: str, kept: dict[str, float], gone: list[str]) -> None:
    """Case 59: what a family refuses is left out, with a warning."""
    params = {"temperature": 0.5, "top_p": 0.9}

    assert with_params(model_id, **params).get("inferenceConfig", {}) == kept
    assert left_out(model_id, params=params) == gone


@pytest.mark.parametrize(
    "name", ["seed", "presence_penalty", "frequency_penalty", "verbosity", "service_tier"]
)
def test_parameters_that_bedrock_does_not_have(name: str) -> None:
    """They are left out with one warning, and never fail."""
    value: Any = {"verbosity": "low", "service_tier": "flex"}.get(name, 1)

    assert with_params(**{name: value}) == {}
    assert left_out(params={name: value}) == [name]


@pytest.mark.parametrize("model_id", [HAIKU, NOVA])
def test_a_budget_for_thinking(model_id: str) -> None:
    """It goes to the model in its own words."""
    assert with_params(model_id, thinking_budget_tokens=2048) == {
        "additionalModelRequestFields": {"thinking": {"type": "enabled", "budget_tokens": 2048}}
    }


def test_effort() -> None:
    """Only families that think as much as a word says take one."""
    effort = {"reasoning_effort": "low"}

    assert with_params(OPUS_47, **effort) == {
        "additionalModelRequestFields": {
            "thinking": {"type": "adaptive"},
            "output_config": {"effort": "low"},
        }
    }
    for model_id in (HAIKU, NOVA):
        assert with_params(model_id, **effort) == {}
        assert left_out(model_id, params=effort) == ["reasoning_effort"]


def test_effort_and_a_budget() -> None:
    """Some models take both; the service decides."""
    both = {"reasoning_effort": "low", "thinking_budget_tokens": 2048}

    assert with_params("us.anthropic.claude-opus-4-5-20251101-v1:0", **both) == {
        "additionalModelRequestFields": {
            "thinking": {"type": "enabled", "budget_tokens": 2048},
            "output_config": {"effort": "low"},
        }
    }


def test_effort_that_a_client_has_asked_for_in_other_words() -> None:
    """If the service refuses it by Claude's names for it, it is known whom to blame."""
    client = ClientRequest(lane="openai", body={})
    params = ChatCompletionParams(reasoning_effort="low")

    theirs = wire(OPUS_47, request(client=client, params=params))
    native = wire(OPUS_47, request(params=params))

    assert theirs.derived == {"thinking": "reasoning_effort", "effort": "reasoning_effort"}
    assert native.derived == {}
    assert theirs.body == native.body


def test_what_is_left_out_is_told() -> None:
    """Whoever has asked for it in a compatible language hears of it."""
    asked = request(params=ChatCompletionParams(seed=1, verbosity="low"))

    assert wire(NOVA, asked).left_out == ("seed", "verbosity")


def json_request(mode: Any, **fields: Any) -> dict[str, Any]:
    """The fields of a request of a json function."""
    return {"json_mode": mode, "output_schema": SCHEMA, "is_all_json": True, **fields}


@pytest.mark.parametrize("mode", ["on", "strict"])
@pytest.mark.parametrize("model_id", [HAIKU, OPUS_47, "us.anthropic.claude-opus-4-6-v1"])
def test_json_by_schema(mode: str, model_id: str) -> None:
    """Cases 5 and 7: families that hold to schemas are given one, as a text."""
    assert sent(model_id, **json_request(mode)) == {
        "outputConfig": {
            "textFormat": {
                "type": "json_schema",
                "structure": {
                    "jsonSchema": {
                        "name": "output",
                        "schema": '{"type":"object","properties":{"a":{"type":"string"}}}',
                    }
                },
            }
        }
    }


def encoded(model_id: str, asked: ModelRequest) -> tuple[dict[str, Any], str]:
    """The body, and the beginning that the answer lacks."""
    sent = wire(model_id, asked)
    made: Any = decode_json(sent.body)
    return made, sent.prefill


@pytest.mark.parametrize("mode", ["on", "strict"])
def test_json_by_a_begun_answer(mode: Any) -> None:
    """Older families go on from a brace; with nothing of their own before it they still do."""
    made, prefill = encoded(OLD, request(**json_request(mode)))

    assert prefill == "{"
    assert made["messages"][-1]["role"] == "assistant"
    assert made["messages"][-1]["content"][-1]["text"].endswith("{")
    assert "outputConfig" not in made


def test_a_begun_answer_goes_on_from_a_turn_of_the_model() -> None:
    """Two turns of the assistant in a row would be refused."""
    made, _ = encoded(OLD, request("Hi", "So:", **json_request("on")))

    assert [turn["role"] for turn in made["messages"]] == ["user", "assistant"]
    assert len(made["messages"][1]["content"]) == 2


@pytest.mark.parametrize(
    ("model_id", "changes"),
    [
        (NOVA, {}),
        (OLD, {"params": ChatCompletionParams(thinking_budget_tokens=1024)}),
        (OLD, {"is_all_json": False}),
    ],
    ids=["no Claude", "thinking", "chat function"],
)
@pytest.mark.parametrize("mode", ["on", "strict"])
def test_json_by_the_prompt_alone(mode: Any, model_id: str, changes: dict[str, Any]) -> None:
    """Case 6: where nothing else works, nothing is sent, and a warning says so."""
    asked = request(**{**json_request(mode), **changes})
    made, prefill = encoded(model_id, asked)

    assert prefill == ""
    assert "outputConfig" not in made
    assert len(made["messages"]) == 1
    assert warned(make_dialect("aws_bedrock", model_id=model_id), asked) == ["json_mode"]


def test_a_json_mode_that_is_off() -> None:
    """A schema alone changes nothing."""
    assert sent(HAIKU, **json_request("off")) == {}


def test_instructions_in_the_middle_of_a_conversation() -> None:
    """Bedrock knows but one place for them."""
    asked = request("Hi", "Ho", "Go on", system="Be brief.")
    first, *others = asked.messages
    middle = attrs.evolve(first, role="system", content=(Text(text="Rhyme."),))
    asked = attrs.evolve(asked, messages=(first, middle, *others))

    made = body(make_dialect("aws_bedrock"), asked)

    assert made["system"] == [{"text": "Be brief."}, {"text": "Rhyme."}]
    assert [turn["role"] for turn in made["messages"]] == ["user", "assistant", "user"]


def test_a_request_without_messages() -> None:
    """Case 1: nothing is sent, and the provider is named."""
    asked = attrs.evolve(request(), messages=())

    assert 'provider "box" requires at least one message' in refused(
        make_dialect("aws_bedrock"), asked
    )
