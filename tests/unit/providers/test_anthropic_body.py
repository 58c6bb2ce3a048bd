"""What a request to Claude says beside its messages: limits, sampling, thinking, JSON."""

from typing import Any

import pytest

from lsd.conversation import (
    NO_EDITS,
    ChatCompletionParams,
    FunctionTool,
    ModelRequest,
    Thought,
    ToolCall,
    ToolResult,
    ToolSet,
    encode_json,
)
from lsd.providers.prefill import JSON_PREFILL, JSON_PREFILL_TEXT
from tests.unit.providers.recorded import (
    CREDENTIALS,
    body,
    make_dialect,
    refused,
    request,
    warned,
)

HAIKU = "claude-haiku-4-5"
SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}}
FORMAT = {"type": "json_schema", "schema": SCHEMA}
BEGUN = {"role": "assistant", "content": [{"type": "text", "text": JSON_PREFILL_TEXT}]}


def claude(model: str = HAIKU, **keys: Any) -> Any:
    """The dialect of this model."""
    return make_dialect("anthropic", model_name=model, **keys)


def asked(model: str = HAIKU, system: str | None = None, **params: Any) -> dict[str, Any]:
    """The body of a request, without its messages and what is always there."""
    wanted = request(system=system, params=ChatCompletionParams(**params))
    sent = body(claude(model), wanted)
    return {key: sent[key] for key in sent if key not in ("model", "messages", "stream")}


def told(model: str = HAIKU, *, keys: Any = None, **params: Any) -> list[str]:
    """The parameters that are warned of."""
    return warned(claude(model, **(keys or {})), request(params=ChatCompletionParams(**params)))


def test_a_whole_request() -> None:
    """Byte for byte, so that equal requests stay equal in every cache on the way."""
    tool = FunctionTool(name="temp", description="…", parameters={"type": "object"})
    thought = Thought(text="need tool", signature="c2ln", provider_type="anthropic")
    conversation = request(
        "Oslo?",
        [thought, ToolCall(id="t1", name="temp", arguments='{"city":"Oslo"}')],
        [ToolResult(id="t1", name="temp", result="7")],
        system="Be brief.",
        tools=ToolSet(tools=(tool,)),
        params=ChatCompletionParams(max_tokens=64),
        stream=True,
    )

    wire = claude().encode(conversation, CREDENTIALS, NO_EDITS)

    assert wire.body == encode_json(
        {
            "model": "claude-haiku-4-5",
            "messages": [
                {"role": "user", "content": [{"type": "text", "text": "Oslo?"}]},
                {
                    "role": "assistant",
                    "content": [
                        {"type": "thinking", "thinking": "need tool", "signature": "c2ln"},
                        {"type": "tool_use", "id": "t1", "name": "temp", "input": {"city": "Oslo"}},
                    ],
                },
                {
                    "role": "user",
                    "content": [
                        {
                            "type": "tool_result",
                            "tool_use_id": "t1",
                            "content": [{"type": "text", "text": "7"}],
                        }
                    ],
                },
            ],
            "max_tokens": 64,
            "stream": True,
            "system": [{"type": "text", "text": "Be brief."}],
            "tool_choice": {"type": "auto"},
            "tools": [{"name": "temp", "description": "…", "input_schema": {"type": "object"}}],
        }
    )


@pytest.mark.parametrize("system", [None, "", " \n"])
def test_a_blank_system_text_is_left_out(system: str | None) -> None:
    """Claude refuses it."""
    assert "system" not in asked(system=system)


@pytest.mark.parametrize(
    ("model", "max_tokens"),
    [
        ("claude-sonnet-4-5-20250929", 64_000),
        ("claude-opus-4-6", 128_000),
        ("claude-3-opus-latest", 4096),
        ("claude-of-tomorrow", 8192),
    ],
)
def test_every_request_has_a_limit(model: str, max_tokens: int) -> None:
    """Cases 2 and 3: the model's own unless the caller sets one; a guess is warned of."""
    assert asked(model)["max_tokens"] == max_tokens
    assert asked(model, max_tokens=5)["max_tokens"] == 5
    assert told(model) == (["max_tokens"] if max_tokens == 8192 else [])
    assert told(model, max_tokens=5) == []


def test_parameters_that_claude_has() -> None:
    """They go as they are."""
    sent = asked(temperature=0.1, max_tokens=5, stop_sequences=("a", "b"))

    assert sent == {"max_tokens": 5, "temperature": 0.1, "stop_sequences": ["a", "b"]}
    assert asked(top_p=0.5)["top_p"] == 0.5


def test_parameters_that_claude_has_not() -> None:
    """No caller wonders why a parameter had no effect."""
    names = ["seed", "presence_penalty", "frequency_penalty", "verbosity"]
    values: dict[str, Any] = {
        "seed": 1,
        "presence_penalty": 0.5,
        "frequency_penalty": 0.5,
        "verbosity": "low",
    }

    assert asked(**values) == asked()
    assert told(**values) == names


@pytest.mark.parametrize(
    ("model", "sent", "warnings"),
    [
        ("claude-opus-4-1", {"temperature", "top_p"}, []),
        ("claude-of-tomorrow", {"temperature", "top_p"}, ["max_tokens"]),
        ("claude-haiku-4-5", {"temperature"}, ["top_p"]),
        ("claude-sonnet-4-6", {"temperature"}, ["top_p"]),
        ("claude-opus-4-7", set(), ["temperature", "top_p"]),
    ],
)
def test_newer_models_take_less_of_sampling(
    model: str, sent: set[str], warnings: list[str]
) -> None:
    """Case 59: from 4.5 on one of the two, from 4.7 on neither; the rest is warned of."""
    values: dict[str, Any] = {"temperature": 0.2, "top_p": 0.9}

    assert asked(model, **values).keys() & {"temperature", "top_p"} == sent
    assert told(model, **values) == warnings


def test_thinking_by_a_budget() -> None:
    """So many tokens, and the provider checks them against the limit."""
    assert asked(thinking_budget_tokens=2048)["thinking"] == {
        "type": "enabled",
        "budget_tokens": 2048,
    }


@pytest.mark.parametrize("effort", ["low", "max", "anything"])
def test_thinking_by_a_word(effort: str) -> None:
    """The provider knows the words."""
    sent = asked(reasoning_effort=effort)

    assert sent["thinking"] == {"type": "adaptive"}
    assert sent["output_config"] == {"effort": effort}


def test_thinking_is_asked_for_in_one_way() -> None:
    """Case 4: two instructions that contradict each other are refused before they are sent."""
    params = ChatCompletionParams(thinking_budget_tokens=2048, reasoning_effort="low")

    told = refused(claude(), request(params=params))

    assert told == (
        "anthropic: found thinking_budget_tokens and reasoning_effort; wanted one of them"
    )


@pytest.mark.parametrize(
    ("tier", "sent"),
    [("auto", "auto"), ("priority", "auto"), ("default", "standard_only"), ("flex", None)],
)
def test_service_tiers(tier: Any, sent: str | None) -> None:
    """In Anthropic's words; what it has not is warned of."""
    assert asked(service_tier=tier).get("service_tier") == sent
    assert told(service_tier=tier) == ([] if sent else ["service_tier"])


def json_help(
    model: str, mode: Any, *, keys: Any = None, **fields: Any
) -> tuple[Any, bool, list[str]]:
    """How the model is helped to JSON: its format, whether its answer is begun, the warnings."""
    dialect = claude(model, **(keys or {}))
    given = {"output_schema": SCHEMA, "is_all_json": True, **fields}
    wanted = request(json_mode=mode, **given)
    wire = dialect.encode(wanted, CREDENTIALS, NO_EDITS)
    sent = body(dialect, wanted)
    begun = sent["messages"][-1] == BEGUN
    assert wire.prefill == (JSON_PREFILL if begun else "")
    return sent.get("output_config", {}).get("format"), begun, warned(dialect, wanted)


THINKING = ChatCompletionParams(max_tokens=9, thinking_budget_tokens=2048)
EFFORT = ChatCompletionParams(max_tokens=9, reasoning_effort="low")
NO_SCHEMAS = {"beta_structured_outputs": False}


@pytest.mark.parametrize(
    ("model", "mode", "more", "expected"),
    [
        # The schema, where models hold to it.
        ("claude-haiku-4-5", "strict", {}, (FORMAT, False)),
        ("claude-opus-4-7", "strict", {}, (FORMAT, False)),
        ("claude-opus-4-1", "strict", {}, (FORMAT, False)),
        ("claude-haiku-4-5", "strict", {"is_all_json": False}, (FORMAT, False)),
        ("claude-haiku-4-5", "strict", {"params": THINKING}, (FORMAT, False)),
        # Old models, and those for which schemas are forbidden: their answer is begun.
        ("claude-3-opus", "strict", {}, (None, True)),
        ("claude-sonnet-4", "on", {}, (None, True)),
        ("claude-haiku-4-5", "on", {}, (None, True)),
        ("claude-haiku-4-5", "strict", {"keys": NO_SCHEMAS}, (None, True)),
        # Models that refuse a beginning get the schema in its place, as do those that think.
        ("claude-opus-4-6", "on", {}, (FORMAT, False)),
        ("claude-haiku-4-5", "on", {"params": THINKING}, (FORMAT, False)),
        ("claude-opus-4-5", "on", {"params": EFFORT}, (FORMAT, False)),
        # A chat is never begun: it may want to say something else.
        ("claude-haiku-4-5", "on", {"is_all_json": False}, (FORMAT, False)),
        # Off is off, whatever schema there is.
        ("claude-haiku-4-5", "off", {}, (None, False)),
    ],
)
def test_ways_to_json(model: str, mode: Any, more: dict[str, Any], expected: Any) -> None:
    """Cases 5 and 6: each model is helped in the way that it takes, and in one way only."""
    *found, warnings = json_help(model, mode, **more)

    assert tuple(found) == expected
    assert warnings == []


@pytest.mark.parametrize(
    ("model", "mode", "more"),
    [
        ("claude-opus-4-6", "strict", {"keys": NO_SCHEMAS}),
        ("claude-3-7-sonnet", "strict", {"params": THINKING}),
        ("claude-3-haiku", "on", {"is_all_json": False}),
        ("claude-opus-4-6", "on", {"output_schema": None, "is_all_json": False}),
    ],
)
def test_no_way_to_json(model: str, mode: Any, more: dict[str, Any]) -> None:
    """Then only the prompt can help, and the operator is told."""
    assert json_help(model, mode, **more) == (None, False, ["json_mode"])


def test_schema_and_effort_share_their_place() -> None:
    """Case 7: both go into one object."""
    params = ChatCompletionParams(reasoning_effort="low")

    sent = body(
        claude("claude-opus-4-6"),
        request(params=params, json_mode="strict", output_schema=SCHEMA),
    )

    assert sent["output_config"] == {"effort": "low", "format": FORMAT}


def test_the_beginning_of_an_answer_has_no_space_at_its_end() -> None:
    """Claude refuses a last turn that ends in white space."""
    assert JSON_PREFILL_TEXT.endswith(JSON_PREFILL)
    assert "JSON" in JSON_PREFILL_TEXT


def test_an_answer_is_begun_after_everything_else() -> None:
    """Also when the assistant spoke last: the provider joins turns of one role."""
    sent = body(
        claude("claude-3-opus"),
        request("Hi", "Hello", json_mode="on", output_schema=SCHEMA, is_all_json=True),
    )

    assert [message["role"] for message in sent["messages"]] == ["user", "assistant", "assistant"]


def test_whether_it_streams_is_always_said() -> None:
    """So that `/stream` is a place that operators can edit."""
    assert body(claude(), request())["stream"] is False
    assert body(claude(), ModelRequest(messages=request().messages, stream=True))["stream"] is True
