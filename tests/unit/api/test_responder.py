"""One response on its way: its messages, in order, and none too many."""

from typing import Any

import attrs
import orjson
import pytest
import trio
from trio.testing import MockClock

from lsd import __version__
from lsd.api import Answer
from lsd.api.errors import ErrorAnswers
from lsd.api.responder import Responder

VERSION = (b"x-lsd-gateway-version", __version__.encode())
ANSWER = Answer(status=404, body=b'{"error":"no"}', headers=((b"allow", b"GET"),))


@attrs.define(eq=False)
class Sent:
    """What a server was given to send; `is_stuck`: its client does not read."""

    messages: list[Any] = attrs.field(factory=list)
    is_stuck: bool = False

    async def __call__(self, message: Any) -> None:
        if self.is_stuck:
            await trio.sleep_forever()
        self.messages.append(message)

    @property
    def body(self) -> bytes:
        """All bodies together."""
        return b"".join(message.get("body", b"") for message in self.messages)


@pytest.fixture
def sent() -> Sent:
    """A server that notes what it is given."""
    return Sent()


@pytest.fixture
def out(sent: Sent) -> Responder:
    """A responder to a request that is not HEAD."""
    return Responder(sent, False, ErrorAnswers(shows_tree=False))


async def test_an_answer_is_sent_whole(out: Responder, sent: Sent) -> None:
    """Its type and length, its own headers, the version, the body."""
    await out.answer(ANSWER)

    assert sent.messages == [
        {
            "type": "http.response.start",
            "status": 404,
            "headers": [
                (b"content-type", b"application/json"),
                (b"content-length", b"14"),
                (b"allow", b"GET"),
                VERSION,
            ],
        },
        {"type": "http.response.body", "body": b'{"error":"no"}', "more_body": False},
    ]
    assert out.is_done


async def test_head_gets_the_head_alone(sent: Sent) -> None:
    """Everything but the body, whose length is told."""
    await Responder(sent, True, ErrorAnswers(shows_tree=False)).answer(ANSWER)

    head, body = sent.messages
    assert (b"content-length", b"14") in head["headers"]
    assert body["body"] == b""


async def test_a_stream_is_sent_in_pieces(out: Responder, sent: Sent) -> None:
    """Each piece leaves when it is there; the end is a message of its own."""
    send = await out.start(((b"content-type", b"text/event-stream"),))
    await send(b"data: one\n\n")
    begun = list(sent.messages)
    was_done = out.is_done
    await out.end()

    assert begun == [
        {
            "type": "http.response.start",
            "status": 200,
            "headers": [(b"content-type", b"text/event-stream"), VERSION],
        },
        {"type": "http.response.body", "body": b"data: one\n\n", "more_body": True},
    ]
    assert (was_done, out.is_done) == (False, True)
    assert sent.messages[2:] == [{"type": "http.response.body", "body": b"", "more_body": False}]


async def test_nothing_is_sent_to_a_client_that_is_gone(out: Responder, sent: Sent) -> None:
    """Work that goes on without its client may answer as if it were there."""
    out.client_left()

    send = await out.start(())
    await send(b"data: one\n\n")
    await out.end()
    await out.answer(ANSWER)
    await out.answer_or_break_off(ANSWER)
    await out.say_stopping()

    assert sent.messages == []


async def test_a_client_may_leave_in_the_middle_of_a_stream(out: Responder, sent: Sent) -> None:
    """What comes after is dropped."""
    send = await out.start(())
    out.client_left()
    await send(b"data: one\n\n")
    await out.end()

    assert len(sent.messages) == 1


async def test_an_error_before_the_answer_is_the_answer(out: Responder, sent: Sent) -> None:
    """As long as nothing was sent, the status can still tell."""
    await out.answer_or_break_off(ANSWER)

    assert sent.messages[0]["status"] == 404


async def test_an_error_within_a_stream_is_its_last_event(out: Responder, sent: Sent) -> None:
    """The status is sent already; the stream ends in order."""
    send = await out.start(())
    await send(b"data: one\n\n")
    await out.answer_or_break_off(ANSWER)

    assert sent.body == b'data: one\n\ndata: {"error":"no"}\n\n'
    assert sent.messages[-1]["more_body"] is False
    assert out.is_done


async def test_an_error_within_an_answer_breaks_it_off(out: Responder, sent: Sent) -> None:
    """Nothing can be said within a body whose length was told; the server closes."""
    sent.is_stuck = True
    with trio.move_on_after(0):
        await out.answer(ANSWER)
    sent.is_stuck = False

    await out.answer_or_break_off(ANSWER)

    assert sent.messages == []


async def test_a_stop_is_told(out: Responder, sent: Sent) -> None:
    """Who was waiting for an answer learns why it does not come."""
    await out.say_stopping()

    assert sent.messages[0]["status"] == 503
    assert orjson.loads(sent.body) == {
        "error": "the daemon is stopping; the answer is not complete"
    }


async def test_a_stop_says_nothing_after_the_end(out: Responder, sent: Sent) -> None:
    """A client that has its answer does not care."""
    await out.answer(ANSWER)
    await out.say_stopping()

    assert len(sent.messages) == 2


async def test_a_stop_does_not_wait_for_who_does_not_read(
    out: Responder, sent: Sent, autojump_clock: MockClock
) -> None:
    """A stream whose client has fallen asleep is broken off after a moment."""
    await out.start(())
    sent.is_stuck = True

    await out.say_stopping()

    assert len(sent.messages) == 1
