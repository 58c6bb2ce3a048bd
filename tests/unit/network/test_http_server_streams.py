"""Clients' connections by themselves: what the server builds on."""

import socket
from collections.abc import AsyncIterator, Callable
from weakref import ref

import attrs
import pytest
import trio
from structlog.testing import capture_logs
from trio.testing import lockstep_stream_pair, memory_stream_pair, wait_all_tasks_blocked

from lsd.network import http_server
from lsd.network._polled_stream import PolledStream
from lsd.network._server_attendance import Attendance
from lsd.network._server_connection import Connection
from lsd.network._server_streams import RECEIVE_BYTES_MAX, ReadAheadStream
from lsd.network._socket_poller import SocketPoller, WatchedSocket, nobody_asks
from tests.unit.collector import without_collector
from tests.unit.network.serving import Notes, StandingClock, answers, connected

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


@pytest.fixture
async def poller() -> AsyncIterator[SocketPoller]:
    """A poller; it runs if the test lets it."""
    made = SocketPoller()
    yield made
    made.close()


@pytest.fixture
async def pair(poller: SocketPoller) -> AsyncIterator[tuple[PolledStream, socket.socket]]:
    """A polled stream, and the client's end of it."""
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    with ours, theirs:
        watched = WatchedSocket(ours)
        poller.watch(watched)
        stream = PolledStream(watched)
        yield stream, theirs


async def test_an_end_that_is_read_is_the_clients_leaving(
    pair: tuple[PolledStream, socket.socket],
) -> None:
    """Even if the kernel's word about it comes later."""
    stream, client = pair
    left: list[str] = []
    stream.when_gone = lambda: left.append("left")
    client.close()
    stream.end_input()

    data = await stream.receive_some()

    assert (data, stream.watched.is_gone, left) == (b"", True, ["left"])


async def test_only_one_task_may_receive(pair: tuple[PolledStream, socket.socket]) -> None:
    """A second one is told of its mistake."""
    stream, _ = pair
    async with trio.open_nursery() as nursery:
        nursery.start_soon(stream.receive_some)
        await wait_all_tasks_blocked()

        with pytest.raises(trio.BusyResourceError):
            await stream.receive_some()
        nursery.cancel_scope.cancel()


async def test_receiving_can_be_cancelled_and_begun_again(
    pair: tuple[PolledStream, socket.socket], poller: SocketPoller
) -> None:
    """Nothing is lost by it."""
    stream, client = pair
    async with trio.open_nursery() as nursery:
        nursery.start_soon(poller.run)
        with trio.CancelScope() as scope:
            scope.cancel()
            await stream.receive_some()
        client.send(b"late")

        assert await stream.receive_some() == b"late"
        nursery.cancel_scope.cancel()


async def test_bytes_that_nobody_reads_do_not_wake_anybody(
    pair: tuple[PolledStream, socket.socket], poller: SocketPoller
) -> None:
    """Back-pressure costs nothing; and after a full piece, the rest is still known to be there."""
    stream, client = pair
    client.send(bytes(RECEIVE_BYTES_MAX + 1))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(poller.run)
        await wait_all_tasks_blocked()  # it would never return if the poller did not rest

        pieces = [await stream.receive_some(), await stream.receive_some()]
        nursery.cancel_scope.cancel()

    assert [len(piece) for piece in pieces] == [RECEIVE_BYTES_MAX, 1]


async def test_reading_ahead_has_a_bound() -> None:
    """A client's next requests wait in its own buffers, not in ours."""
    client, ours = lockstep_stream_pair()
    ahead = ReadAheadStream(ours)
    sent = 0

    async def flood() -> None:
        nonlocal sent
        while True:
            await client.send_all(bytes(10_000))
            sent += 10_000

    async with trio.open_nursery() as nursery:
        nursery.start_soon(ahead.run)
        nursery.start_soon(flood)
        await wait_all_tasks_blocked()
        held = sent
        first = await ahead.receive_some()
        await wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()

    assert RECEIVE_BYTES_MAX <= len(first) <= 2 * RECEIVE_BYTES_MAX
    assert held <= len(first)
    assert sent > held


async def test_a_stream_that_was_cut_in_a_piece_is_broken() -> None:
    """Nobody knows how much has been sent, so nothing may follow."""
    _client, ours = lockstep_stream_pair()
    ahead = ReadAheadStream(ours)
    with trio.CancelScope() as scope:
        scope.cancel()
        await ahead.send_all(b"half")

    with pytest.raises(trio.BrokenResourceError):
        await ahead.send_all(b"more")


async def test_a_bug_met_by_one_client_does_not_reach_the_others(
    monkeypatch: pytest.MonkeyPatch, autojump_clock: trio.testing.MockClock
) -> None:
    """Its connection ends, and the log tells why."""

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError

    async with connected(Notes(), "socket") as client:
        ours, theirs = socket.socketpair()
        monkeypatch.setattr(http_server.Connection, "run", fail)
        with ours, theirs, capture_logs() as logged:
            await client.server.serve_socket(theirs)
        monkeypatch.undo()
        data = await client.ask(GET)

    assert len(answers(data, "GET")) == 1
    assert [entry["event"] for entry in logged] == ["a connection failed"]


@attrs.define(eq=False)
class Flood:
    """A client that always has more to say, and at some time is late with it."""

    when_late: Callable[[], None] = attrs.field(default=nobody_asks)
    when_gone: Callable[[], None] = attrs.field(default=nobody_asks)
    received: int = 0
    is_closed: bool = False

    async def receive_some(self) -> bytes:
        """Some more; in the end, more than anybody would read."""
        await trio.lowlevel.checkpoint()
        self.received += 1
        assert self.received <= 20
        if self.received == 10:
            self.when_late()
        return b"no HTTP\r\n\r\n"

    async def send_all(self, data: bytes) -> None:
        """Takes all."""

    async def send_eof(self) -> None:
        """Is of no interest."""

    def end_input(self) -> None:
        """Is no matter: there is always something there already."""

    def has_unread(self) -> bool:
        """Always."""
        return True

    async def aclose(self) -> None:
        """The end."""
        self.is_closed = True

    async def abort(self) -> None:
        """The end."""
        self.is_closed = True


async def test_who_never_stops_sending_is_not_listened_to_for_ever() -> None:
    """After a refusal, what comes is read for a while only."""
    flood = Flood()
    connection = Connection(
        app=Notes(),
        stream=flood,
        attendance=Attendance(StandingClock()),
        client=None,
        server=None,
    )
    flood.when_late = connection.expire

    with capture_logs():
        await connection.run()

    assert flood.is_closed
    assert flood.received == 10


async def test_a_socket_that_nobody_needs_is_freed_at_once() -> None:
    """It does not know itself, even though it knows how to stop waiting."""
    ours, theirs = socket.socketpair()
    with ours, theirs, without_collector():
        watched = WatchedSocket(ours)
        freed = ref(watched)
        del watched

        assert freed() is None


async def test_leaving_is_told_over_any_stream() -> None:
    """An end, a break and a closed stream all look the same."""
    for leave in ("send_eof", "aclose"):
        client, ours = memory_stream_pair()
        ahead = ReadAheadStream(ours)
        await getattr(client, leave)()

        await ahead.run()

        assert ahead.is_gone
        assert await ahead.receive_some() == b""
