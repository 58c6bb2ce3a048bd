"""Requests over real sockets, as fast as Python can: an HTTP/1.1 client of LSD's own.

A request on a warm connection is one `send` and one `recv` with one turn of the event loop
between them; no task, no nursery, no lock.
"""

import os
from collections.abc import Mapping
from math import inf

import trio

from lsd.conversation import WireRequest
from lsd.network._client_connection import ClientConnection
from lsd.network._client_dial import dial
from lsd.network._client_pool import ClientPool
from lsd.network._client_request import Origin, outgoing
from lsd.network._client_response import ClientResponse
from lsd.network._socket_poller import HAS_EPOLL, SocketPoller, WatchedSocket
from lsd.network.certificates import trusted_by
from lsd.network.transport import TransportFailed, until

STALE_IDLE_S_MIN = 1.0
"""No server gives up a connection that has been idle for less. When one that was idle for longer
breaks before a byte of the response, the server's farewell has crossed our request."""


class HttpClient:
    """HTTP/1.1 over as many connections as there are requests, kept for the next ones.

    Asks every server directly. Trusted authorities come from `environment`. A request is sent
    again, over a new connection, when an old one breaks before a byte of the response, and was
    stale (STALE_IDLE_S_MIN) or had been closed before the request came. Raises BadCertificates.
    """

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        self._trusted = trusted_by(environment)
        self._trusted.set_alpn_protocols(["http/1.1"])
        self._pool = ClientPool()
        self.poller: SocketPoller | None = None

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Watches all connections with one epoll, where there is one; until cancelled.

        That closes the client. Without this running everything works, with more calls of the
        system. When it has started, `poller` may be used by others as long as it runs.
        """
        # A shorter way to the same time.
        self._pool.now = trio.lowlevel.current_clock().current_time
        if not HAS_EPOLL:
            task_status.started()
            await trio.sleep_forever()
        self.poller = SocketPoller()
        task_status.started()
        try:
            await self.poller.run()
        finally:
            self._pool.close()
            self.poller.close()

    async def send(self, request: WireRequest, deadline: float = inf) -> ClientResponse:
        origin, head = outgoing(request)
        now = self._pool.now()
        connection = self._pool.take(origin, now)
        while True:
            if connection is None:
                connection = await self._open(origin, deadline)
            parser = connection.parser
            try:
                connection.watched.keep(deadline)
                connection.ask(request.method, head, request.body)
                await connection.wait()
                while not parser.status:
                    if not connection.take_in():
                        await connection.wait()
            except TransportFailed:
                is_stale = now - connection.idle_since >= STALE_IDLE_S_MIN
                may_be_sent_again = not parser.has_begun and (is_stale or connection.is_unheard())
                self._pool.drop(connection)
                if not may_be_sent_again:
                    raise
                connection = None
            except BaseException:
                self._pool.drop(connection)
                raise
            else:
                return ClientResponse(connection, self._pool)

    async def aclose(self) -> None:
        self._pool.close()

    async def _open(self, origin: Origin, deadline: float) -> ClientConnection:
        if self._pool.is_closed:
            raise _closed()
        with until(deadline):
            opened = await dial(origin, self._trusted)
        connection = ClientConnection(origin, WatchedSocket(opened))
        if not self._pool.add(connection):
            raise _closed()
        if self.poller is not None:
            self.poller.watch(connection.watched)
        return connection


def _closed() -> TransportFailed:
    return TransportFailed("connection closed by LSD", sent=False)
