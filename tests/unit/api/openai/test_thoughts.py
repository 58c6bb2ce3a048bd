"""Thoughts on their way to a client and back."""

from typing import Any

import pytest

from lsd.api.openai.thoughts import (
    call_extras,
    call_signature,
    read_thoughts,
    reasoning_fields,
    visible_text,
)
from lsd.conversation import Text, Thought, ToolCall

SIGNED = Thought(text="hm", signature="s", provider_type="anthropic")
HIDDEN = Thought(signature="d", provider_type="anthropic")
SUMMED = Thought(
    signature="e",
    summary=(
        {"type": "summary_text", "text": "one"},
        {"type": "summary_text", "text": "two"},
    ),
    provider_type="openai",
)
PLAIN = Thought(text="hm", provider_type="deepseek")
CALL = ToolCall(id="c", name="f", arguments="{}")


def test_what_thoughts_say_is_joined() -> None:
    """A blank line stands between two."""
    fields = reasoning_fields([PLAIN, HIDDEN, SUMMED])

    assert fields["reasoning_content"] == "hm\n\none\n\ntwo"
    assert visible_text(HIDDEN) == ""
    assert reasoning_fields([]) == {}


def test_details_say_where_a_thought_comes_from() -> None:
    """And what its provider wants back."""
    assert reasoning_fields([SIGNED, HIDDEN])["reasoning_details"] == [
        {
            "type": "reasoning.text",
            "text": "hm",
            "signature": "s",
            "index": 0,
            "format": "anthropic",
        },
        {"type": "reasoning.encrypted", "data": "d", "index": 1, "format": "anthropic"},
    ]


@pytest.mark.parametrize("thought", [SIGNED, HIDDEN, SUMMED, PLAIN], ids=str)
def test_a_thought_comes_back_as_it_was(thought: Thought) -> None:
    """Nobody has to remember it."""
    fields = reasoning_fields([thought, thought])

    assert read_thoughts(fields) == [thought, thought]


def test_details_count_before_the_plain_text() -> None:
    """They are ordered by their index."""
    details = [
        {"type": "reasoning.text", "index": 1, "text": "b"},
        {"type": "reasoning.text", "index": 0, "text": "a", "format": "xai"},
        "odd",
    ]

    thoughts = read_thoughts({"reasoning_content": "c", "reasoning_details": details})

    assert thoughts == [Thought(text="a", provider_type="xai"), Thought(text="b")]


@pytest.mark.parametrize(
    ("message", "texts"),
    [
        ({"reasoning_content": "a"}, ["a"]),
        ({"reasoning": "a"}, ["a"]),
        ({"reasoning": {"effort": "low"}}, []),
        ({"reasoning_content": ""}, []),
        ({"reasoning_details": [], "reasoning_content": "a"}, ["a"]),
        ({}, []),
    ],
)
def test_without_details_the_origin_is_not_known(message: Any, texts: list[str]) -> None:
    """Most clients know the plain field only."""
    assert read_thoughts(message) == [Thought(text=text) for text in texts]


def test_gemini_wants_its_signature_with_the_call() -> None:
    """Trap 29: at the place where Google's own servers put it."""
    thought = Thought(signature="g", provider_type="google_ai_studio_gemini")
    beside = {"extra_content": {"google": {"thought_signature": "g"}}}

    assert call_extras([thought, CALL], 1) == beside
    assert call_signature(beside) == "g"
    for output in ([SIGNED, CALL], [Text(text="a"), CALL], [thought, Text(text="a")]):
        assert call_extras(output, 1) == {}
    assert call_extras([CALL], 0) == {}
    assert call_signature({"extra_content": {"google": {}}}) is None
