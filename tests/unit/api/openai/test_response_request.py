"""Responses requests as neutral requests."""

from typing import Any

import pytest

from lsd.api.compat.troubles import Unsupported
from lsd.api.openai.response_request import ResponseRequest, read_response_request
from lsd.conversation import ChatCompletionParams, Malformed, Text


def read(**fields: Any) -> ResponseRequest:
    """A request with these fields."""
    return read_response_request({"model": "m", "input": "Hi", **fields})


def test_instructions_stand_in_front() -> None:
    """Before those among the items."""
    neutral = read(
        instructions="a",
        input=[{"role": "developer", "content": "b"}, {"content": "Hi", "role": "user"}],
    ).neutral

    assert neutral.system == "a\n\nb"
    assert neutral.system_blocks == (Text(text="a"), Text(text="b"))
    assert len(neutral.messages) == 1


def test_parameters() -> None:
    """Each has its neutral name."""
    neutral = read(
        max_output_tokens=100.0,
        temperature=0.5,
        top_p=0.9,
        reasoning={"effort": "low", "summary": "auto"},
        text={"verbosity": "high"},
        service_tier="flex",
        user="u",
        stream=True,
    ).neutral

    assert neutral.params == ChatCompletionParams(
        max_tokens=100,
        temperature=0.5,
        top_p=0.9,
        reasoning_effort="low",
        verbosity="high",
        service_tier="flex",
    )
    assert neutral.user == "u"
    assert neutral.stream


def test_formats() -> None:
    """Text, any JSON, or JSON of a schema."""
    schema = {"type": "object"}
    strict = read(text={"format": {"type": "json_schema", "name": "a", "schema": schema}}).neutral

    assert (strict.json_mode, strict.output_schema) == ("strict", schema)
    assert not strict.is_schema_strict
    held = {"type": "json_schema", "name": "a", "schema": schema, "strict": True}
    assert read(text={"format": held}).neutral.is_schema_strict
    assert read(text={"format": {"type": "json_object"}}).neutral.json_mode == "on"
    assert read(text={"format": {"type": "text"}}).neutral.json_mode == "off"


def test_no_provider_speaks_this_api() -> None:
    """So that all are sent the neutral form."""
    client = read().neutral.client

    assert client is not None
    assert client.lane is None
    assert client.refusal is None


def test_tags() -> None:
    """The same fields as in chat completions."""
    asked = read(user="u", metadata={"a": "b"})

    assert asked.tags == {"user": "u", "a": "b"}


def test_what_is_not_sent_is_told() -> None:
    """In the order of the request; what a provider leaves out has its name here."""
    asked = read(
        input=[{"type": "web_search_call"}, {"role": "user", "content": "Hi"}],
        tools=[{"type": "web_search"}, {"type": "function", "name": "f"}],
        include=["reasoning.encrypted_content", "web_search_call.action.sources"],
        service_tier="scale",
        truncation="auto",
        max_tool_calls=3,
        store=True,
        prompt_cache_key="k",
    )

    assert asked.ignored(("reasoning_effort", "verbosity", "tools")) == (
        "tools",
        "include",
        "service_tier",
        "truncation",
        "max_tool_calls",
        "input[0]",
        "reasoning",
        "text",
    )


def test_what_changes_nothing_is_not_told() -> None:
    """Clients send it with every request."""
    asked = read(
        include=["reasoning.encrypted_content"], truncation="disabled", store=False, metadata={}
    )

    assert asked.ignored(()) == ()


def test_all_that_cannot_be_sent_is_told() -> None:
    """The first one is the field."""
    items = [{"type": "item_reference", "id": "a"}, {"type": "item_reference", "id": "b"}]

    with pytest.raises(Unsupported, match=r"input\[1\]") as caught:
        read(input=items)

    assert caught.value.where == "input[0]"


def test_mistakes_come_first() -> None:
    """They can be mended."""
    with pytest.raises(Malformed):
        read(input=[{"type": "item_reference"}, {"role": "robot", "content": "a"}])
