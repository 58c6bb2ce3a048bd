"""Thoughts go back to where they stood, for providers that use fields and tags."""

from typing import Any

import pytest

from lsd.conversation import Base64File, Text, Thought, ToolCall
from tests.unit.providers.recorded import body, make_dialect, refused, request, warned


def thought(words: str | None, place: Any = None) -> Thought:
    """A thought that stood at this place."""
    return Thought(text=words, extra_data=None if place is None else {"reasoning_format": place})


def said(*blocks: Any) -> dict[str, Any]:
    """The assistant's message that these blocks become, without its role."""
    message = body(make_dialect(), request("Hi", blocks))["messages"][1]
    assert message.pop("role") == "assistant"
    return dict(message)


def test_a_thought_from_tags_goes_back_in_front_of_the_text() -> None:
    """What was cut out of a text is put back in, character by character."""
    assert said(thought("\nHm.\n", "think_tags"), Text(text="\n\nHi")) == {
        "content": "<think>\nHm.\n</think>\n\nHi"
    }


def test_a_thought_from_tags_stands_before_other_parts() -> None:
    """With parts or tool calls there is no one text; the thought becomes one of its own."""
    file = Base64File(data="aGk=", mime_type="image/png")
    call = ToolCall(id="c", name="wx", arguments="{}")

    assert said(thought("a", "think_tags"), file)["content"][0] == {
        "type": "text",
        "text": "<think>a</think>",
    }
    assert said(thought("a", "think_tags"), call)["content"] == "<think>a</think>"


def test_thoughts_from_the_field_and_of_no_known_place_go_into_the_field() -> None:
    """The field is where thoughts belong unless they say otherwise."""
    blocks = [
        thought("a", "reasoning_field"),
        thought("b", "think_tags"),
        thought("c"),
        Thought(text="d", extra_data=7),
        Text(text="Hi"),
    ]

    assert said(*blocks) == {
        "content": "<think>b</think>Hi",
        "reasoning_content": "a\n\nc\n\nd",
    }


@pytest.mark.parametrize("place", ["elsewhere", 7, []])
def test_a_thought_of_an_unknown_place_is_refused(place: Any) -> None:
    """Guessing would show the model a history that never was."""
    told = refused(make_dialect(), request("Hi", [thought("a", place), Text(text="b")]))

    assert told == (
        f"openai: found a thought of reasoning_format {place!r}; "
        "wanted think_tags or reasoning_field"
    )


def test_a_thought_without_text_is_left_out_with_a_warning() -> None:
    """A signature alone means nothing to this dialect."""
    asked = request("Hi", [Thought(signature="s"), Text(text="b")])

    assert "reasoning_content" not in body(make_dialect(), asked)["messages"][1]
    assert warned(make_dialect(), asked) == ["thought without text"]
