"""A client's stream under Hypercorn: what is refused in place of the application, and when."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import attrs
import pytest
import trio
from trio.testing import MockClock, memory_stream_pair, wait_all_tasks_blocked

from lsd.network import HEAD_S_MAX, IDLE_S_MAX, RequestFilter
from lsd.server.guarded_stream import GuardedStream, GuardedTlsStream
from tests.unit.captured_log import Log
from tests.unit.store.makers import HandClock

GET = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\n\r\n"


@attrs.define(eq=False)
class Line:
    """A guarded stream, and the client at its other end."""

    guarded: GuardedStream
    client: trio.StapledStream[Any, Any]

    async def answer(self) -> bytes:
        """All that the client is sent until the end."""
        received = b""
        while piece := await self.client.receive_some():
            received += piece
        return received


@pytest.fixture
def line() -> Line:
    """A connection of HTTP/1.1."""
    client, server = memory_stream_pair()
    guarded = GuardedStream(stream=server, filter=RequestFilter(), clock=HandClock())
    return Line(guarded, client)


async def refused(line: Line, nursery: trio.Nursery, *sent: bytes) -> bytes:
    """What the client gets while Hypercorn hears that it has left."""
    heard: list[bytes] = []

    async def hear() -> None:
        while data := await line.guarded.receive_some():
            heard.append(data)
        heard.append(b"")
        await line.guarded.aclose()

    nursery.start_soon(hear)
    for piece in sent:
        await line.client.send_all(piece)
        await wait_all_tasks_blocked()
    answer = await line.answer()
    await line.client.aclose()
    await wait_all_tasks_blocked()
    assert heard[-1:] == [b""]
    return answer


async def test_good_requests_pass(line: Line) -> None:
    """And what answers them, too."""
    await line.client.send_all(GET)

    assert await line.guarded.receive_some() == GET
    await line.guarded.send_all(b"HTTP/1.1 200 OK\r\n\r\n")
    assert await line.client.receive_some() == b"HTTP/1.1 200 OK\r\n\r\n"


async def test_a_client_that_leaves_is_seen(line: Line) -> None:
    """As without a guard."""
    await line.client.send_eof()

    assert await line.guarded.receive_some() == b""


async def test_a_bad_request_is_answered_in_lsds_words(
    line: Line, nursery: trio.Nursery, log: Log, autojump_clock: MockClock
) -> None:
    """Hypercorn has nothing more to say."""
    answer = await refused(line, nursery, b"hello\r\n\r\n")
    await line.guarded.send_all(b"HTTP/1.1 400 \r\n\r\n")

    assert answer.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert answer.endswith(
        b'{"error":"request line: found another form; wanted method, target and HTTP version"}'
    )
    assert [(each["log_level"], each["status"]) for each in log] == [("warning", 400)]


async def test_a_head_must_come_in_time(
    line: Line, nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    """From its first byte on, however it is dripped."""
    began = trio.current_time()

    async def drip() -> None:
        for byte in b"GET / HTTP/1.1\r\n":
            await line.client.send_all(bytes((byte,)))
            await trio.sleep(2)

    nursery.start_soon(_ignoring_a_closed_line, drip)
    answer = await refused(line, nursery)

    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"head: found no end in time" in answer
    assert HEAD_S_MAX <= trio.current_time() - began < HEAD_S_MAX + 4


async def test_each_head_has_its_own_time(
    line: Line, nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    """Also one that has begun together with the end of another."""
    cut = len(GET) // 2

    async def drip() -> None:
        await line.client.send_all(GET[:cut])
        for _ in range(3):
            await trio.sleep(HEAD_S_MAX - 1)
            await line.client.send_all(GET[cut:] + GET[:cut])

    nursery.start_soon(drip)
    passed = [await line.guarded.receive_some() for _ in range(3)]

    assert passed == [GET] * 3


async def test_a_body_may_pause_but_not_stop(
    line: Line, nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    """Each pause counts by itself."""
    began = trio.current_time()

    async def drip() -> None:
        await line.client.send_all(POST)
        for byte in b"hel":
            await trio.sleep(IDLE_S_MAX - 1)
            await line.client.send_all(bytes((byte,)))

    nursery.start_soon(_ignoring_a_closed_line, drip)
    answer = await refused(line, nursery)

    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"body: found no end in time" in answer
    assert trio.current_time() - began > 4 * (IDLE_S_MAX - 1)


async def _ignoring_a_closed_line(send: Callable[[], Any]) -> None:
    with suppress(trio.BrokenResourceError, trio.ClosedResourceError):
        await send()


async def test_between_requests_there_is_no_hurry(
    line: Line, nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    """Here: how long a connection may be idle is known elsewhere."""
    await line.client.send_all(POST + b"hello")
    passed = await line.guarded.receive_some()

    with trio.move_on_after(3 * IDLE_S_MAX) as scope:
        await line.guarded.receive_some()

    assert passed == POST + b"hello"
    assert scope.cancelled_caught


async def test_a_refusal_waits_for_the_answer_before_it(
    line: Line, nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    """A good request is answered, whatever follows."""
    with line.guarded.one_request():
        await line.client.send_all(GET)
        assert await line.guarded.receive_some() == GET
        nursery.start_soon(line.guarded.receive_some)
        await line.client.send_all(b"hello\r\n\r\n")
        await wait_all_tasks_blocked()
        await line.guarded.send_all(b"an answer")
    await wait_all_tasks_blocked()
    received = bytes(await line.client.receive_some())

    assert received.startswith(b"an answer")
    assert b"HTTP/1.1 400 " in received


async def test_a_bad_body_ends_its_own_request(
    line: Line, nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    """The application that reads it sees a client that has left, and its answer is dropped."""
    chunked = b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n"
    with line.guarded.one_request():
        answer = await refused(line, nursery, chunked, b"zz\r\n")

    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"body: found broken chunks" in answer


async def test_an_answer_that_has_begun_is_not_spoilt(
    line: Line, nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    """A second answer in the middle of one would be read as a part of it."""
    chunked = b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n"
    with line.guarded.one_request():
        await line.client.send_all(chunked)
        await line.guarded.receive_some()
        await line.guarded.send_all(b"half an answer")
        answer = await refused(line, nursery, b"zz\r\n")

    assert answer == b"half an answer"


async def test_what_is_not_http1_is_not_looked_at() -> None:
    """After TLS has agreed on HTTP/2."""
    client, server = memory_stream_pair()

    @attrs.define(eq=False)
    class Tls:
        """As much of a TLS stream as is asked for."""

        inner: Any
        socket: Any = None
        transport_stream: Any = "below"

        async def do_handshake(self) -> None:
            await trio.lowlevel.checkpoint()

        def selected_alpn_protocol(self) -> str:
            return "h2"

        async def receive_some(self, max_bytes: int | None = None) -> bytes:
            return bytes(await self.inner.receive_some(max_bytes))

    guarded = GuardedTlsStream(stream=Tls(server), filter=RequestFilter(), clock=HandClock())
    await guarded.do_handshake()
    await client.send_all(b"\x00\x01frames\n")

    assert await guarded.receive_some() == b"\x00\x01frames\n"
    assert (guarded.selected_alpn_protocol(), guarded.transport_stream) == ("h2", "below")


async def test_what_has_passed_is_answered_before_the_refusal_of_what_follows(
    line: Line, nursery: trio.Nursery, log: Log, autojump_clock: MockClock
) -> None:
    """Also when the application has not begun with it yet."""
    answers: list[bytes] = []

    async def listen() -> None:
        answers.append(await line.answer())
        await line.client.aclose()

    nursery.start_soon(listen)
    await line.client.send_all(GET + b"hello\r\n\r\n")
    assert await line.guarded.receive_some() == GET
    async with trio.open_nursery() as hypercorn:
        hypercorn.start_soon(line.guarded.receive_some)
        await trio.sleep(1)  # some turns of the loop
        with line.guarded.one_request():
            await line.guarded.send_all(b"HTTP/1.1 200 OK\r\n\r\n")
    await line.guarded.aclose()
    await wait_all_tasks_blocked()

    assert answers[0].startswith(b"HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 400 Bad Request\r\n")
    assert len(log) == 1
