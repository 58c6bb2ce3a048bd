"""Items of a streamed response while they grow."""

from typing import Any

from lsd.api.openai.open_items import OpenCall, OpenMessage, OpenThought
from lsd.api.openai.response_events import ResponseEvents
from lsd.conversation import TextChunk, Thought, ThoughtChunk, read_foreign_signature
from tests.unit.api.openai.response_reading import events_in, kinds_in


def shared() -> dict[str, Any]:
    """What all items have."""
    return {"events": ResponseEvents(), "answer": "abc", "place": 1}


def thought(*chunks: ThoughtChunk) -> tuple[Any, bytes]:
    """The item that these pieces make, and what was told of it."""
    item = OpenThought(**shared(), chunk_id="t")
    for chunk in chunks:
        item.say(chunk)
    return item.end("completed"), item.events.take()


def test_a_message_tells_of_its_parts() -> None:
    """Each text block is one."""
    message = OpenMessage(**shared())

    message.begin()
    for identifier, text in (("0", "a"), ("0", "b"), ("1", "c")):
        message.say(TextChunk(id=identifier, text=text))
    item = message.end("completed")

    told = events_in(message.events.take())
    part = ["content_part.added", "output_text.delta"]
    done = ["output_text.done", "content_part.done"]
    assert [event["type"] for event in told] == [
        "output_item.added",
        *part,
        "output_text.delta",
        *done,
        *part,
        *done,
        "output_item.done",
    ]
    assert told[0]["item"]["content"] == []
    assert [event["content_index"] for event in told[1:-1]] == [0] * 5 + [1] * 4
    assert {event["item_id"] for event in told[1:-1]} == {"msg_abc_1"}
    assert [part["text"] for part in item["content"]] == ["ab", "c"]
    assert told[-1]["item"] == item


def test_a_thought_shows_its_text() -> None:
    """Its signature is sealed when it is whole."""
    item, told = thought(
        ThoughtChunk(id="t", text="h", provider_type="anthropic"),
        ThoughtChunk(id="t", text="m"),
        ThoughtChunk(id="t", signature="s"),
        ThoughtChunk(id="t", signature="ig"),
    )

    assert kinds_in(told) == [
        "reasoning_summary_part.added",
        "reasoning_summary_text.delta",
        "reasoning_summary_text.delta",
        "reasoning_summary_text.done",
        "reasoning_summary_part.done",
        "output_item.done",
    ]
    assert [part["text"] for part in item["summary"]] == ["hm"]
    sealed = read_foreign_signature(item["encrypted_content"])
    assert sealed == Thought(signature="sig", provider_type="anthropic")


def test_each_summary_is_a_part() -> None:
    """They come back sealed, whole."""
    item, told = thought(
        ThoughtChunk(id="t", summary_id="0", summary_text="a", provider_type="openai"),
        ThoughtChunk(id="t", summary_id="0", summary_text="b"),
        ThoughtChunk(id="t", summary_id="1", summary_text="c", signature="s"),
    )

    assert [part["text"] for part in item["summary"]] == ["ab", "c"]
    assert [event["summary_index"] for event in events_in(told)[:-1]] == [0] * 5 + [1] * 4
    sealed = read_foreign_signature(item["encrypted_content"])
    assert sealed is not None
    assert [each["text"] for each in sealed.summary or ()] == ["ab", "c"]


def test_a_redacted_thought_shows_nothing() -> None:
    """It is there all the same, as its provider wants it back."""
    item, told = thought(ThoughtChunk(id="t", signature="s", provider_type="anthropic"))

    assert item["summary"] == []
    assert kinds_in(told) == ["output_item.done"]


def test_a_call_tells_of_its_arguments() -> None:
    """In pieces, then whole."""
    call = OpenCall(**shared(), call_id="c", name="f", is_custom=False)

    call.begin()
    call.say('{"a":')
    call.say("1}")
    item = call.end("completed")

    added, first, _, whole, done = events_in(call.events.take())
    assert added["item"]["arguments"] == ""
    assert (first["type"], first["delta"]) == ("function_call_arguments.delta", '{"a":')
    assert (whole["type"], whole["arguments"]) == ("function_call_arguments.done", '{"a":1}')
    assert done["item"] == item
    assert (item["call_id"], item["name"], item["arguments"]) == ("c", "f", '{"a":1}')


def test_a_free_form_call_has_input() -> None:
    """And events of its own."""
    call = OpenCall(**shared(), call_id="c", name="sh", is_custom=True)

    call.begin()
    call.say("ls")
    item = call.end("completed")

    assert kinds_in(call.events.take()) == [
        "output_item.added",
        "custom_tool_call_input.delta",
        "custom_tool_call_input.done",
        "output_item.done",
    ]
    assert item["input"] == "ls"
