"""Pieces of tool calls as deltas: the first names the call, later ones hold arguments."""

from typing import Any

from lsd.api.openai.tool_call_deltas import ToolCallDeltas
from lsd.conversation import ToolCallChunk


def deltas(*chunks: ToolCallChunk, custom: str = "") -> list[dict[str, Any]]:
    """All calls of all deltas, the end included."""
    words = ToolCallDeltas(frozenset({custom}))
    made = [each for chunk in chunks for each in words.add(chunk, {})]
    return [*made, *words.end()]


def piece(identifier: str = "c", name: str = "", arguments: str = "") -> ToolCallChunk:
    """A piece of a call."""
    return ToolCallChunk(id=identifier, raw_name=name, raw_arguments=arguments)


def start(index: int, identifier: str, name: str) -> dict[str, Any]:
    """The first piece of a call."""
    function = {"name": name, "arguments": ""}
    return {"index": index, "id": identifier, "type": "function", "function": function}


def more(index: int, arguments: str) -> dict[str, Any]:
    """A later piece."""
    return {"index": index, "function": {"arguments": arguments}}


def test_the_first_piece_has_the_name_and_no_arguments() -> None:
    """Trap 16: even if both came together."""
    assert deltas(piece(name="f", arguments='{"a":'), piece(arguments="1}")) == [
        start(0, "c", "f"),
        more(0, '{"a":'),
        more(0, "1}"),
    ]


def test_a_name_in_pieces_is_waited_for() -> None:
    """Clients take the first one for the whole."""
    assert deltas(piece(name="get_"), piece(name="weather"), piece(arguments="{}")) == [
        start(0, "c", "get_weather"),
        more(0, "{}"),
    ]


def test_calls_are_counted_as_they_appear() -> None:
    """Case 11: without gaps, also if their pieces mix."""
    made = deltas(
        piece("a", name="f"),
        piece("b", name="g", arguments="{"),
        piece("a", arguments="{}"),
        piece("b", arguments="}"),
    )

    assert made == [
        start(0, "a", "f"),
        start(1, "b", "g"),
        more(1, "{"),
        more(0, "{}"),
        more(1, "}"),
    ]


def test_a_call_without_arguments_gets_an_empty_object() -> None:
    """Case 12, trap 22."""
    assert deltas(piece("a", name="f"), piece("b", name="g")) == [
        start(0, "a", "f"),
        start(1, "b", "g"),
        more(0, "{}"),
        more(1, "{}"),
    ]


def test_free_form_calls_have_input() -> None:
    """Which may be empty."""
    made = deltas(piece("a", name="sh", arguments="ls"), piece("b", name="sh"), custom="sh")

    assert made[0]["type"] == "custom"
    assert made[0]["custom"] == {"name": "sh", "input": ""}
    assert made[1] == {"index": 0, "custom": {"input": "ls"}}
    assert len(made) == 3


def test_further_fields_stand_in_the_first_piece() -> None:
    """Clients would join them with themselves otherwise."""
    words = ToolCallDeltas(frozenset())

    words.add(piece(name="f"), {"extra_content": {"google": {}}})
    first, second = words.add(piece(arguments="{}"), {})

    assert first["extra_content"] == {"google": {}}
    assert "extra_content" not in second


def test_what_follows_a_name_ends_it() -> None:
    """Nothing is held back longer than it must be."""
    words = ToolCallDeltas(frozenset())

    assert words.add(piece(name="f"), {}) == []
    assert words.flush() == [start(0, "c", "f")]
    assert words.flush() == []
