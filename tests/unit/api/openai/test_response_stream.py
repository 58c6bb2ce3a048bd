"""Streamed responses: which items there are, and how they end."""

from typing import Any

import pytest

from lsd.api.openai.response_object import ResponseObject
from lsd.api.openai.response_stream import ResponseStream
from lsd.conversation import (
    AttemptFailed,
    ContentChunk,
    ModelChunk,
    StreamFault,
    TextChunk,
    ThoughtChunk,
    ToolCallChunk,
    UnknownChunk,
)
from tests.unit.api.openai.replies import model_call, reply
from tests.unit.api.openai.response_reading import events_in, kinds_in

ANSWER: Any = None


def stream(**fields: Any) -> ResponseStream:
    """The stream of a call that ends like this."""
    return ResponseStream(ResponseObject(reply=reply(model_call(**fields)), model="m", body={}))


def text(said: str, identifier: str = "0") -> TextChunk:
    """A piece of a text."""
    return TextChunk(id=identifier, text=said)


def call(identifier: str, name: str = "", arguments: str = "") -> ToolCallChunk:
    """A piece of a call."""
    return ToolCallChunk(id=identifier, raw_name=name, raw_arguments=arguments)


def say(written: ResponseStream, *chunks: ContentChunk) -> bytes:
    """What is told of these pieces, each from an event of its own."""
    return b"".join(written.events([ModelChunk(content=[chunk])]) for chunk in chunks)


def output(*chunks: ContentChunk, **fields: Any) -> list[dict[str, Any]]:
    """The items of the answer that these pieces make, which were told of before."""
    written = stream(**fields)
    told = say(written, *chunks) + written.closing(ANSWER)
    (last,) = events_in(written.end_mark)
    made: list[dict[str, Any]] = last["response"]["output"]
    done = [event for event in events_in(told) if event["type"] == "output_item.done"]
    by_place = sorted(done, key=lambda event: event["output_index"])
    assert [event["item"] for event in by_place] == made
    assert [event["output_index"] for event in by_place] == list(range(len(made)))
    return made


def test_it_begins_with_the_empty_answer() -> None:
    """Twice, as OpenAI's does."""
    assert kinds_in(stream().opening()) == ["created", "in_progress"]


def test_the_end_comes_when_the_record_is_safe() -> None:
    """It holds all of the answer."""
    written = stream()
    told = say(written, text("a"))
    assert written.end_mark == b""

    told += written.closing(ANSWER)

    assert "completed" not in kinds_in(told)
    (last,) = events_in(written.end_mark)
    assert last["type"] == "completed"
    assert last["response"]["usage"]["total_tokens"] == 12


def test_thought_text_and_call_are_items_in_their_order() -> None:
    """Each begins when the one before is over."""
    made = output(
        ThoughtChunk(id="t", text="hm", provider_type="anthropic"),
        text("a"),
        text("b"),
        call("c", "f", "{}"),
    )

    assert [item["type"] for item in made] == ["reasoning", "message", "function_call"]
    assert made[1]["content"][0]["text"] == "ab"


def test_pieces_of_calls_may_mix() -> None:
    """Case 11: each call gets its own."""
    first, second = output(
        call("1", "f", "{"), call("2", "g", "["), call("1", arguments="}"), call("2", arguments="]")
    )

    assert (first["name"], first["arguments"]) == ("f", "{}")
    assert (second["name"], second["arguments"]) == ("g", "[]")


def test_a_call_without_arguments_gets_an_empty_object() -> None:
    """Case 12; text behind it is a message."""
    first, second = output(call("1", "f"), text("a"))

    assert first["arguments"] == "{}"
    assert second["type"] == "message"


def test_text_around_a_call_is_two_messages() -> None:
    """Even if the provider calls them the same."""
    made = output(text("a"), call("1", "f", "{}"), text("b"))

    assert [item["type"] for item in made] == ["message", "function_call", "message"]


def test_an_empty_answer_has_no_items() -> None:
    """Nothing was said, which is no failure."""
    assert output(text(""), UnknownChunk(id="u", data={})) == []


def test_a_cut_answer_ends_as_incomplete() -> None:
    """And so does its last item, but no other one."""
    made = output(call("1", "f", "{}"), call("2", "f", "{"), finish_reason="length")

    assert [item["status"] for item in made] == ["completed", "incomplete"]
    written = stream(finish_reason="length")
    written.closing(ANSWER)
    assert kinds_in(written.end_mark) == ["incomplete"]


@pytest.mark.parametrize(
    ("failure", "code"),
    [
        (AttemptFailed(kind="server", text="cut", status=500), "upstream_error"),
        (AttemptFailed(kind="rate_limited", text="slow", status=429), "rate_limit_exceeded"),
    ],
)
def test_a_fault_is_the_end(failure: AttemptFailed, code: str) -> None:
    """Nothing follows; what was whole is in it."""
    written = stream()
    say(written, text("a"), call("c", "f"))

    told = written.events(
        [StreamFault(failure=failure, fatal=True), ModelChunk(content=[text("b")])]
    )

    assert written.is_broken_off
    (last,) = events_in(told)
    assert last["type"] == "failed"
    assert last["response"]["error"]["code"] == code
    assert "[provider box]" in last["response"]["error"]["message"]
    assert last["response"]["usage"] is None


def test_a_sign_of_life_is_an_event() -> None:
    """Clients count time by events."""
    assert kinds_in(stream().keep_alive) == ["keepalive"]
