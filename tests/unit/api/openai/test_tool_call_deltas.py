"""Pieces of tool calls as deltas of chat completions."""

from typing import Any

from lsd.api.openai.call_pieces import CallPiece, StreamedCall
from lsd.api.openai.tool_call_deltas import delta_of


def call(**fields: Any) -> StreamedCall:
    """The third call of an answer."""
    return StreamedCall("c", index=2, name="f", **fields)


def test_the_first_names_the_call() -> None:
    """Clients put the arguments together from an empty text on."""
    assert delta_of(CallPiece(call())) == {
        "index": 2,
        "id": "c",
        "type": "function",
        "function": {"name": "f", "arguments": ""},
    }


def test_later_ones_hold_arguments_only() -> None:
    """Clients would join names and ids with themselves."""
    made = delta_of(CallPiece(call(extras={"extra_content": {}}), "{}"))

    assert made == {"index": 2, "function": {"arguments": "{}"}}


def test_free_form_calls_have_input() -> None:
    """In both kinds of pieces."""
    custom = call(is_custom=True)

    assert delta_of(CallPiece(custom))["custom"] == {"name": "f", "input": ""}
    assert delta_of(CallPiece(custom, "ls")) == {"index": 2, "custom": {"input": "ls"}}


def test_further_fields_stand_in_the_first_piece() -> None:
    """Beside those that everybody sends."""
    made = delta_of(CallPiece(call(extras={"extra_content": {"google": {}}})))

    assert made["extra_content"] == {"google": {}}
    assert made["function"] == {"name": "f", "arguments": ""}
