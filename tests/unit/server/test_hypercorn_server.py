"""HTTP by Hypercorn, on a socket of the caller's."""

import socket
import ssl
from collections.abc import Iterator

import attrs
import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from lsd.api import Answer, Request
from lsd.api.exchange import Start
from lsd.config import Address
from lsd.network import HEAD_BYTES_MAX
from lsd.server.hypercorn_server import serve
from lsd.server.listening import listen
from lsd.telemetry import SystemClock
from tests.unit.api.endpoints import Gate, endpoint, front_of
from tests.unit.server.wire import connect, read_all, read_until, talk


@attrs.define(eq=False)
class Serving:
    """A server at work, with a slow endpoint and a quick one, and how to end it."""

    listener: socket.socket
    stop: trio.Event
    tls: ssl.SSLContext | None = None
    http2: bool = False
    slow: Gate = attrs.field(factory=Gate, init=False)
    seen: list[Request] = attrs.field(factory=list, init=False)
    has_ended: trio.Event = attrs.field(factory=trio.Event, init=False)

    async def run(self, *, task_status: trio.TaskStatus[None]) -> None:
        app = front_of(endpoint(self.quick, "GET", "/quick"), endpoint(self.slow, "GET", "/slow"))
        await serve(
            app,
            self.listener,
            self.stop.wait,
            clock=SystemClock(),
            tls=lambda: self.tls,
            http2=self.http2,
            task_status=task_status,
        )
        self.has_ended.set()

    async def quick(self, request: Request, _start: Start) -> Answer:
        self.seen.append(request)
        return Answer(body=b"hi")


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """A listening socket, closed at the end of the test."""
    with listen(Address("127.0.0.1", 0)) as listening:
        yield listening


@pytest.fixture
async def serving(listener: socket.socket, nursery: trio.Nursery) -> Serving:
    """A server at work until the test ends."""
    started = Serving(listener, trio.Event())
    await nursery.start(started.run)
    return started


def request(path: str, *more: str) -> bytes:
    """A GET with further header lines."""
    return "\r\n".join((f"GET {path} HTTP/1.1", "Host: localhost", *more, "", "")).encode()


async def test_requests_are_answered(serving: Serving) -> None:
    """One after the other on a connection, as long as the client keeps it."""
    async with await connect(serving.listener) as stream:
        for _ in range(3):
            await stream.send_all(request("/quick"))
            answer = await read_until(stream, b"hi")
            assert answer.startswith(b"HTTP/1.1 200 ")
        await stream.send_all(request("/quick", "Connection: close"))
        assert (await read_all(stream)).endswith(b"hi")


async def test_nothing_tells_what_serves(serving: Serving) -> None:
    """A name and version of software would only help who looks for its holes."""
    answer = await talk(serving.listener, request("/quick", "Connection: close"))

    assert b"\r\nserver:" not in answer.lower()


@pytest.mark.parametrize(
    "sent",
    [
        b"hello\r\n\r\n",
        request("/quick", "X: " + "x" * (4 * HEAD_BYTES_MAX)),
        b"GET / HTTP/1.1\r\n\r\n",
    ],
    ids=["no HTTP", "a long head", "no host"],
)
async def test_what_is_no_request_never_reaches_the_application(
    serving: Serving, sent: bytes
) -> None:
    """It is refused in LSD's own words, and the connection closed."""
    answer = await talk(serving.listener, sent)

    assert answer.startswith(b"HTTP/1.1 4")
    assert b'\r\n\r\n{"error":"' in answer
    assert serving.seen == []


async def test_a_head_may_be_long(serving: Serving) -> None:
    """There is room for large cookies and tokens."""
    sent = request("/quick", "Connection: close", "X: " + "x" * (HEAD_BYTES_MAX - 1000))

    assert (await talk(serving.listener, sent)).endswith(b"hi")


async def test_a_stop_ends_idle_connections(serving: Serving) -> None:
    """Nobody is left waiting on a connection that will never be served."""
    async with await connect(serving.listener) as stream:
        await stream.send_all(request("/quick"))
        await read_until(stream, b"hi")
        serving.stop.set()
        assert await read_all(stream) == b""
    await serving.has_ended.wait()


async def test_a_stop_waits_for_running_requests(serving: Serving) -> None:
    """They are answered, and their connections closed after."""
    async with await connect(serving.listener) as stream:
        await stream.send_all(request("/slow"))
        await serving.slow.begun.wait()
        serving.stop.set()
        await wait_all_tasks_blocked()
        had_ended = serving.has_ended.is_set()
        serving.slow.may_go_on.set()
        answer = await read_all(stream)
    await serving.has_ended.wait()

    assert not had_ended
    assert answer.endswith(b'{"done":true}')
    assert b"\r\nconnection: close\r\n" in answer.lower()


async def test_the_listener_stays_the_callers(serving: Serving) -> None:
    """It is there before the server, and after it."""
    serving.stop.set()
    await serving.has_ended.wait()

    assert serving.listener.fileno() >= 0
    assert serving.listener.getsockname()[1] > 0
