"""A server with one client at the other end of a stream, and applications for it to serve."""

import socket
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from contextlib import asynccontextmanager
from typing import Any, Literal

import attrs
import h11
import trio
from trio.testing import MemorySendStream, lockstep_stream_pair, memory_stream_pair

from lsd.network._server_attendance import Attendance
from lsd.network._socket_poller import SocketPoller
from lsd.network.http_server import HttpServer

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]

Way = Literal["stream", "lockstep", "socket"]
"""Over a stream in memory, with or without a buffer, or over a socket that the kernel watches."""

WAYS: tuple[Way, ...] = ("stream", "socket")
TIGHT_WAYS: tuple[Way, ...] = ("lockstep", "socket")
"""Those which take only so much until somebody receives it."""

DATE = "Tue, 14 Nov 2023 22:13:20 GMT"


@attrs.define(eq=False)
class StandingClock:
    """It is always the same time, until somebody changes it."""

    ms: int = 1_700_000_000_000

    def now_ms(self) -> int:
        return self.ms

    def now_ns(self) -> int:
        return self.ms * 1_000_000

    def monotonic(self) -> float:
        return 0.0


@attrs.define(eq=False)
class Notes:
    """An application that writes down each request, reads its body, and answers "ok"."""

    status: int = 200
    headers: list[tuple[bytes, bytes]] = attrs.field(factory=lambda: [(b"content-length", b"2")])
    pieces: list[bytes] = attrs.field(factory=lambda: [b"ok"])
    reads: bool = True
    scopes: list[Message] = attrs.field(factory=list)
    bodies: list[bytes] = attrs.field(factory=list)
    farewells: list[str] = attrs.field(factory=list)

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        self.scopes.append(scope)
        if self.reads:
            body = await read(receive)
            if body is None:
                self.farewells.append(scope["path"])
                return
            self.bodies.append(body)
        await answer(send, *self.pieces, status=self.status, headers=self.headers)


async def read(receive: Receive) -> bytes | None:
    """The whole body; None if the client left before."""
    pieces = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        pieces.append(message["body"])
        if not message["more_body"]:
            return b"".join(pieces)


async def answer(
    send: Send,
    *pieces: bytes,
    status: int = 200,
    headers: list[tuple[bytes, bytes]] | None = None,
) -> None:
    """Sends an answer in these pieces."""
    await send({"type": "http.response.start", "status": status, "headers": headers or []})
    for place, piece in enumerate(pieces, start=1):
        more = place < len(pieces)
        await send({"type": "http.response.body", "body": piece, "more_body": more})


@attrs.define(eq=False)
class Client:
    """The other end of a connection."""

    stream: trio.abc.HalfCloseableStream
    server: HttpServer
    clock: StandingClock
    is_closed: trio.Event
    """Set when the server has done with the connection."""

    writes: list[None]
    """Has an item for each write of the server; over "stream" only."""

    async def ask(self, *pieces: bytes) -> bytes:
        """Sends the pieces, each once the server has taken the one before; all that is answered.

        The connection may stay idle until the server has enough of it, so this takes a clock that
        jumps.
        """
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self.send, *pieces)
            return await self.rest()

    async def send(self, *pieces: bytes) -> None:
        """Sends, while the server is there."""
        try:
            for piece in pieces:
                await trio.testing.wait_all_tasks_blocked()
                await self.stream.send_all(piece)
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            pass

    async def rest(self) -> bytes:
        """All that comes until the server closes."""
        received = b""
        try:
            while piece := await self.stream.receive_some():
                received += piece
        except trio.BrokenResourceError:
            pass
        return received

    async def until(self, end: bytes) -> bytes:
        """What comes, up to and with `end`."""
        received = b""
        while not received.endswith(end):
            piece = await self.stream.receive_some(1)
            assert piece, received
            received += piece
        return received


@asynccontextmanager
async def connected(app: App, way: Way) -> AsyncIterator[Client]:
    """A client of a server that serves `app`; when it is over, the connection is closed."""
    async with trio.open_nursery() as nursery:
        clock = StandingClock()
        attendance = Attendance(clock)
        nursery.start_soon(attendance.run)
        poller = SocketPoller()
        server = HttpServer(app, attendance, poller)
        is_closed = trio.Event()

        async def serve(run: Callable[[Any], Awaitable[None]], end: object) -> None:
            await run(end)
            is_closed.set()

        ours: trio.abc.HalfCloseableStream
        writes: list[None] = []
        if way == "stream":
            ours, theirs = memory_stream_pair()
            count_writes(theirs.send_stream, writes)
            nursery.start_soon(serve, server.serve_stream, theirs)
        elif way == "lockstep":
            ours, end = lockstep_stream_pair()
            nursery.start_soon(serve, server.serve_stream, end)
        else:
            nursery.start_soon(poller.run)
            first, second = socket.socketpair()
            ours = trio.SocketStream(trio.socket.from_stdlib_socket(first))
            nursery.start_soon(serve, server.serve_socket, second)
        yield Client(ours, server, clock, is_closed, writes)
        await ours.aclose()
        with trio.fail_after(200):
            await is_closed.wait()
        nursery.cancel_scope.cancel()
    poller.close()


def count_writes(stream: MemorySendStream, writes: list[None]) -> None:
    """Adds an item for each write."""
    pump = stream.send_all_hook
    assert pump is not None

    async def count() -> None:
        writes.append(None)
        await pump()

    stream.send_all_hook = count


@attrs.frozen(kw_only=True)
class Answered:
    """An answer as h11 understands it."""

    status: int
    headers: dict[str, str]
    body: bytes
    is_continued: bool = False


def answers(data: bytes, *methods: str) -> list[Answered]:
    """What a client that is not ours makes of these bytes: one answer per method, and no more."""
    peer = h11.Connection(h11.CLIENT)
    peer.receive_data(data)
    found = []
    for place, method in enumerate(methods):
        if place:
            peer.start_next_cycle()
        peer.send(h11.Request(method=method, target="/", headers=[("host", "a")]))
        peer.send(h11.EndOfMessage())
        found.append(_answered(peer))
    rest, _is_closed = peer.trailing_data
    assert not rest, rest
    return found


def _answered(peer: h11.Connection) -> Answered:
    is_continued, head, body = False, None, b""
    while True:
        event = peer.next_event()
        match event:
            case h11.InformationalResponse():
                is_continued = True
            case h11.Response():
                head = event
            case h11.Data():
                body += event.data
            case h11.EndOfMessage():
                assert head is not None
                headers = {name.decode(): value.decode() for name, value in head.headers}
                return Answered(
                    status=head.status_code, headers=headers, body=body, is_continued=is_continued
                )
            case _ if event is h11.NEED_DATA:
                peer.receive_data(b"")  # the server has closed
            case _:
                raise AssertionError(event)
