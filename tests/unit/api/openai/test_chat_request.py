"""A chat completion request in neutral words, and what of it has none."""

from typing import Any

import pytest

from lsd.api.compat.troubles import Unsupported
from lsd.api.openai.chat_request import ChatRequest, read_chat_request
from lsd.conversation import ChatCompletionParams, Malformed, ModelMessage, Text

HI = [{"role": "user", "content": "hi"}]


def read(**fields: Any) -> ChatRequest:
    """The request that a body with these fields is."""
    return read_chat_request({"model": "m", "messages": HI, **fields})


def params(**fields: Any) -> ChatCompletionParams:
    """Its neutral parameters."""
    return read(**fields).neutral.params


def refusal(**fields: Any) -> str | None:
    """Why it has no neutral form."""
    client = read(**fields).neutral.client
    assert client is not None
    return client.refusal


def test_a_plain_request_says_no_more_than_it_must() -> None:
    """The client's own body goes along."""
    asked = read()

    assert asked.model == "m"
    assert asked.neutral.messages == (ModelMessage(role="user", content=(Text(text="hi"),)),)
    assert asked.neutral.params == ChatCompletionParams()
    assert not asked.neutral.stream
    assert not asked.include_usage
    assert asked.tags == {}
    assert asked.neutral.client is not None
    assert asked.neutral.client.lane == "openai"
    assert asked.neutral.client.body == {"model": "m", "messages": HI}
    assert refusal() is None


def test_parameters_have_neutral_names() -> None:
    """Their values stay as they are."""
    made = params(
        temperature=1,
        top_p=0.5,
        presence_penalty=-1,
        frequency_penalty=0,
        seed=7.0,
        verbosity="low",
        service_tier="flex",
        reasoning_effort="xhigh",
    )

    assert made == ChatCompletionParams(
        temperature=1,
        top_p=0.5,
        presence_penalty=-1,
        frequency_penalty=0,
        seed=7,
        verbosity="low",
        service_tier="flex",
        reasoning_effort="xhigh",
    )


@pytest.mark.parametrize(
    ("fields", "limit"),
    [
        ({"max_tokens": 100, "max_completion_tokens": 50}, 50),
        ({"max_tokens": 10.0}, 10),
        ({}, None),
    ],
)
def test_of_two_limits_the_smaller_counts(fields: dict[str, Any], limit: int | None) -> None:
    """Case 16."""
    assert params(**fields).max_tokens == limit


@pytest.mark.parametrize(
    ("stop", "sequences"), [("X", ("X",)), (["X"], ("X",)), ([], None), ("", None)]
)
def test_one_stop_sequence_needs_no_array(stop: Any, sequences: Any) -> None:
    """Case 14."""
    assert params(stop=stop).stop_sequences == sequences


@pytest.mark.parametrize(
    ("fields", "budget", "effort"),
    [
        ({"reasoning_effort": "low"}, None, "low"),
        ({"reasoning": {"effort": "high"}}, None, "high"),
        ({"reasoning": {"max_tokens": 2000}, "reasoning_effort": "low"}, 2000, None),
        ({"thinking": {"type": "enabled", "budget_tokens": 1024}}, 1024, None),
        ({"thinking": {"type": "disabled"}, "reasoning_effort": "low"}, None, "none"),
        ({"reasoning": {"exclude": True}}, None, None),
    ],
)
def test_thinking_may_be_asked_for_in_many_ways(
    fields: dict[str, Any], budget: int | None, effort: str | None
) -> None:
    """A budget says more than a word."""
    made = params(**fields)

    assert (made.thinking_budget_tokens, made.reasoning_effort) == (budget, effort)


def test_the_form_of_the_answer_is_neutral() -> None:
    """Case 55: any JSON, or some that fits a schema."""
    schema = {"type": "object"}
    wanted: Any = {"type": "json_schema", "json_schema": {"name": "n", "schema": schema}}

    assert read(response_format={"type": "text"}).neutral.json_mode == "off"
    assert read(response_format={"type": "json_object"}).neutral.json_mode == "on"
    assert read(response_format={"type": "text", "json_schema": None}).neutral.json_mode == "off"
    strict = read(response_format=wanted).neutral
    assert (strict.json_mode, strict.output_schema) == ("strict", schema)
    assert not strict.is_schema_strict
    wanted["json_schema"]["strict"] = True
    assert read(response_format=wanted).neutral.is_schema_strict
    assert refusal(response_format=wanted) is None


def test_who_asks_is_tagged() -> None:
    """Metadata, too; the user is told to providers that want to know."""
    asked = read(user="u", safety_identifier="s", metadata={"a": "b", "user": "x"})

    assert asked.tags == {"user": "x", "safety_identifier": "s", "a": "b"}
    assert asked.neutral.user == "u"
    assert read(safety_identifier="s").neutral.user == "s"


def test_options_of_streams_are_read() -> None:
    """Without a stream they say nothing."""
    asked = read(stream=True, stream_options={"include_usage": True})

    assert asked.neutral.stream
    assert asked.include_usage


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"functions": [{}]}, "functions"),
        ({"function_call": "auto"}, "function_call"),
        ({"modalities": ["text", "audio"]}, "modalities"),
        (
            {"response_format": {"type": "json_schema", "json_schema": {"name": "n"}}},
            "response_format.json_schema.schema",
        ),
        (
            {"messages": [{"role": "user", "content": [{"type": "x"}]}]},
            "messages[0].content[0].type",
        ),
    ],
)
def test_what_has_no_neutral_form_is_told(fields: dict[str, Any], field: str) -> None:
    """Only a provider that needs the neutral form refuses it."""
    client = read(**fields).neutral.client

    assert client is not None
    assert client.refused_field == field
    assert client.refusal is not None
    assert field in client.refusal


def test_tools_are_read_in_any_shape() -> None:
    """And written anew for providers of the client's own kind."""
    asked = read(tools=[{"name": "f", "input_schema": {}}], tool_choice={"type": "any"})

    assert asked.neutral.tools is not None
    assert asked.neutral.tools.choice == "required"
    assert asked.neutral.client is not None
    assert asked.neutral.client.body["tool_choice"] == "required"


def test_bad_requests_are_refused() -> None:
    """By what is wrong with them."""
    with pytest.raises(Malformed):
        read(temperature="hot")
    with pytest.raises(Unsupported):
        read(n=3)


def test_fields_that_were_not_sent_are_known() -> None:
    """Case 18: in the order of the body, under the client's own names."""
    asked = read(
        foo=1,
        stop="X",
        seed=1,
        service_tier="scale",
        logit_bias={},
        reasoning_effort="low",
        user="u",
    )

    crossed = asked.ignored(["seed", "stop_sequences", "thinking", "user"], is_relayed=False)
    relayed = asked.ignored(["seed"], is_relayed=True)

    assert crossed == (
        "foo",
        "stop",
        "seed",
        "service_tier",
        "logit_bias",
        "thinking",
        "user",
    )
    assert relayed == ("seed",)
    assert read().ignored(["seed"], is_relayed=False) == ()
