"""LSD's own HTTP/1.1 server: ASGI applications, served fast, and strictly by the book.

What an application may use beyond ASGI is told by `_server_exchange`.
"""

import errno
import socket
from collections.abc import Awaitable, Callable
from contextlib import suppress

import attrs
import trio

from lsd.network._polled_stream import PolledStream
from lsd.network._server_attendance import Attendance
from lsd.network._server_connection import Address, AsgiApp, Connection
from lsd.network._server_streams import ClientStream, ReadAheadStream
from lsd.network._socket_poller import HAS_EPOLL, SocketPoller, WatchedSocket
from lsd.telemetry import Clock, logger

log = logger(__name__)

ACCEPT_PAUSE_S = 0.1
"""When the process or the machine has no room for another connection: until one may be closed."""

_ACCEPTED_PER_TURN = 64
"""A burst of new clients does not keep those waiting that are being served."""

_ACCEPTED_AT_LAST = 4096
"""As many as Linux lets wait for a listener; none of them is turned away by a stop."""


async def serve_http1(
    app: AsgiApp,
    listener: socket.socket,
    stop: Callable[[], Awaitable[None]],
    *,
    clock: Clock,
    shares_listener: bool = False,
    poller: SocketPoller | None = None,
    task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Serves until `stop` returns and all requests are finished.

    With `shares_listener`, other processes accept from the same listener, and are left their part.
    `poller` watches the clients, beside what else it watches, and runs until this has ended; if it
    is None, there is one for the clients alone.

    When `stop` returns, `listener` and idle connections are closed, and answers that begin say
    that theirs will be. Cancelling ends everything at once.
    """
    listener.setblocking(False)
    own = SocketPoller() if HAS_EPOLL and poller is None else None
    per_turn = 1 if shares_listener else _ACCEPTED_PER_TURN
    server = HttpServer(app, Attendance(clock), poller or own, per_turn)
    try:
        async with trio.open_nursery() as upkeep:
            upkeep.start_soon(server.attendance.run)
            if own is not None:
                upkeep.start_soon(own.run)
            async with trio.open_nursery() as connections:
                async with trio.open_nursery() as accepting:
                    accepting.start_soon(server.accept, listener, connections)
                    task_status.started()
                    await stop()
                    accepting.cancel_scope.cancel()
                with suppress(OSError):
                    server.accept_waiting(listener, connections, _ACCEPTED_AT_LAST)
                listener.close()
                server.attendance.drain()
            upkeep.cancel_scope.cancel()
    finally:
        if own is not None:
            own.close()


@attrs.define(eq=False)
class HttpServer:
    """Makes connections of sockets and streams, and serves them."""

    app: AsgiApp
    attendance: Attendance
    _poller: SocketPoller | None = None
    _accepted_per_turn: int = _ACCEPTED_PER_TURN
    _has_room: bool = attrs.field(default=True, init=False)

    async def accept(self, listener: socket.socket, connections: trio.Nursery) -> None:
        """Accepts until cancelled; each connection is served by a task in `connections`."""
        while True:
            await trio.lowlevel.wait_readable(listener)
            try:
                self.accept_waiting(listener, connections, self._accepted_per_turn)
                self._has_room = True
            except OSError as error:
                if self._has_room:
                    log.warning("cannot accept connections for now", reason=error.strerror)
                self._has_room = False
                await trio.sleep(ACCEPT_PAUSE_S)

    def accept_waiting(
        self, listener: socket.socket, connections: trio.Nursery, count_max: int
    ) -> None:
        """Accepts who is waiting, up to so many. Raises OSError when there is no room."""
        for _ in range(count_max):
            try:
                client, _ = listener.accept()
            except BlockingIOError:
                return
            except OSError as error:
                if error.errno != errno.ECONNABORTED:
                    raise
            else:
                connections.start_soon(self.serve_socket, client)

    async def serve_socket(self, client: socket.socket) -> None:
        """Serves a client until either side closes. Raises nothing."""
        try:
            serving = self._serving(client)
            if serving is not None:
                await serving
        except Exception as error:  # a bug that one client meets must not reach the others
            log.error("a connection failed", exc_info=error)  # noqa: TRY400 (has a traceback)

    async def serve_stream(
        self,
        stream: trio.abc.HalfCloseableStream,
        client: Address = None,
        server: Address = None,
    ) -> None:
        """Serves the client at the other end of any stream."""
        ahead = ReadAheadStream(stream)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(ahead.run)
            await self._connection(ahead, client, server).run()
            nursery.cancel_scope.cancel()

    def _serving(self, client: socket.socket) -> Awaitable[None] | None:
        """What serves the client, to be awaited at once; None if that cannot be, or has left."""
        polled: PolledStream | None = None
        try:
            client.setblocking(False)
            # Without it, a client that has died without a word is never found out.
            client.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            if client.family != socket.AF_UNIX:
                client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            addresses = _address(client.getpeername()), _address(client.getsockname())
            if self._poller is not None:
                watched = WatchedSocket(client)
                self._poller.watch(watched)
                polled = PolledStream(watched)
        except OSError:
            client.close()  # it has left already, or there is no room for one more
            return None
        if polled is not None:
            return self._connection(polled, *addresses).run()
        stream = trio.SocketStream(trio.socket.from_stdlib_socket(client))
        return self.serve_stream(stream, *addresses)

    def _connection(self, stream: ClientStream, client: Address, server: Address) -> Connection:
        return Connection(
            app=self.app,
            stream=stream,
            attendance=self.attendance,
            client=client,
            server=server,
        )


def _address(name: object) -> Address:
    """Host and port; what a Unix socket has for a name is none."""
    return (str(name[0]), int(name[1])) if isinstance(name, tuple) else None
