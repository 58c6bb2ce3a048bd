"""Outputs that callers give as examples, in the form in which they are stored."""

from typing import Any

import pytest

from lsd.conversation import Malformed, Schema, Text, Thought, Unknown
from lsd.inference.reference_outputs import (
    RawCall,
    chat_reference,
    json_reference,
    read_reference_blocks,
    read_reference_value,
)
from lsd.inference.refusals import BadRequest

NUMBERS = Schema.compile({"type": "object", "properties": {"a": {"type": "number"}}})


def test_outputs_have_four_kinds_of_blocks() -> None:
    """In the form in which they are stored; keys that LSD works out itself are passed over."""
    blocks: list[dict[str, Any]] = [
        {"type": "text", "text": "a"},
        {
            "type": "tool_call",
            "id": "c",
            "raw_name": "n",
            "raw_arguments": "{}",
            "name": None,
            "arguments": None,
        },
        {"type": "thought", "text": "hm"},
        {"type": "unknown", "data": 1},
    ]

    assert read_reference_blocks(blocks, "output") == (
        Text(text="a"),
        RawCall(id="c", raw_name="n", raw_arguments="{}"),
        Thought(text="hm"),
        Unknown(data=1),
    )
    with pytest.raises(Malformed) as malformed:
        read_reference_blocks([{"type": "file"}], "examples[0].output")
    assert malformed.value.problems[0].path == "examples[0].output[0].type"


def test_the_output_of_json_is_an_object() -> None:
    """With whatever keys."""
    assert read_reference_value({"raw": "{}"}, "output") == {"raw": "{}"}
    with pytest.raises(Malformed):
        read_reference_value("{}", "output")


def test_a_chats_output_is_stored_as_inferences_store_theirs() -> None:
    """A call of a tool that is not there has no checked form; a thought always has a text."""
    blocks = read_reference_blocks(
        [
            {"type": "tool_call", "id": "c", "raw_name": "n", "raw_arguments": "{}", "name": "n"},
            {"type": "thought", "signature": "s"},
        ],
        "output",
    )

    assert chat_reference(blocks, None) == [
        {
            "type": "tool_call",
            "id": "c",
            "raw_name": "n",
            "raw_arguments": "{}",
            "name": None,
            "arguments": None,
        },
        {"type": "thought", "text": None, "signature": "s"},
    ]


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        ({"raw": '{"a": 1}', "parsed": 5}, {"raw": '{"a": 1}', "parsed": {"a": 1}}),
        ({"raw": '{"a": "x"}'}, {"raw": '{"a": "x"}', "parsed": None}),
        ({"raw": "no JSON"}, {"raw": "no JSON", "parsed": None}),
        ({"raw": None}, {"raw": None, "parsed": None}),
        ({}, {"raw": None, "parsed": None}),
        ({"parsed": {"a": 1}}, {"raw": '{"a":1}', "parsed": {"a": 1}}),
        ({"parsed": {"a": "x"}}, {"raw": '{"a":"x"}', "parsed": None}),
    ],
)
def test_the_raw_text_of_json_counts(given: dict[str, Any], stored: dict[str, Any]) -> None:
    """What it means is worked out by the schema, and need not be anything."""
    assert json_reference(given, "output", NUMBERS) == stored


def test_json_without_its_raw_text_is_refused() -> None:
    """An object of other keys is meant to be the value itself, and so is no text."""
    with pytest.raises(BadRequest, match="raw"):
        json_reference({"a": 1}, "output", NUMBERS)
    with pytest.raises(Malformed, match=r"output\.raw"):
        json_reference({"raw": 1}, "output", NUMBERS)
