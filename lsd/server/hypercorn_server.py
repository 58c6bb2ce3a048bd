"""HTTP by Hypercorn, on a socket that is listening already."""

import socket
import ssl
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import attrs
import trio
from hypercorn.app_wrappers import ASGIWrapper
from hypercorn.config import Config as HypercornConfig
from hypercorn.trio.tcp_server import TCPServer
from hypercorn.trio.worker_context import WorkerContext
from hypercorn.typing import ConnectionState

from lsd.network import HEAD_BYTES_MAX, IDLE_S_MAX, RequestFilter
from lsd.server.guarded_stream import GuardedStream, GuardedTlsStream
from lsd.telemetry import Clock, logger

log = logger(__name__)

REQUESTS_OF_CONNECTION_MAX = 10**9
"""Hypercorn ends a connection after so many; there is no reason to."""

HANDSHAKE_S_MAX = 10.0
"""As long as a head may take: a client that needs longer wants to hold a place."""


async def serve(
    app: Any,
    listener: socket.socket,
    stop: Callable[[], Awaitable[None]],
    *,
    clock: Clock,
    tls: Callable[[], ssl.SSLContext | None] = lambda: None,
    http2: bool = False,
    task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Serves until `stop` returns and all requests are finished.

    When `stop` returns, `listener` stays the caller's; idle connections are closed, and answers
    that begin say that theirs will be.
    """
    server = _Server(app=app, clock=clock, tls=tls, http2=http2)
    # What trio is given it closes; the listener stays the caller's.
    listening = trio.SocketListener(trio.socket.from_stdlib_socket(listener.dup()))
    async with trio.open_nursery() as connections:
        async with trio.open_nursery() as accepting:
            accepting.start_soon(
                partial(
                    trio.serve_listeners,
                    server.serve_connection,
                    [listening],
                    handler_nursery=connections,
                )
            )
            task_status.started()
            await stop()
            accepting.cancel_scope.cancel()
        await server.context.terminated.set()


@attrs.define(eq=False, kw_only=True)
class _Server:
    app: Any
    clock: Clock
    tls: Callable[[], ssl.SSLContext | None]
    http2: bool
    context: WorkerContext = attrs.field(factory=lambda: WorkerContext(None), init=False)
    config: HypercornConfig = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.config = HypercornConfig()
        self.config.keep_alive_timeout = float(IDLE_S_MAX)
        self.config.keep_alive_max_requests = REQUESTS_OF_CONNECTION_MAX
        # The filter before it keeps the limit; in plain form a head may be a little longer.
        self.config.h11_max_incomplete_size = 2 * HEAD_BYTES_MAX
        self.config.h2_max_header_list_size = HEAD_BYTES_MAX
        self.config.ssl_handshake_timeout = HANDSHAKE_S_MAX
        self.config.include_server_header = False
        self.config.accesslog = None
        self.config.errorlog = None

    async def serve_connection(self, stream: trio.SocketStream) -> None:
        """Serves a client until either side closes. Raises nothing."""
        guarded = self._guarded(stream)
        app = ASGIWrapper(partial(self._serve_request, guarded))
        state = ConnectionState({})
        try:
            await TCPServer(app, self.config, self.context, state, guarded)  # type: ignore[arg-type]
        except Exception as error:  # a bug that one client meets must not reach the others
            log.error("a connection failed", exc_info=error)  # noqa: TRY400 (has a traceback)

    def _guarded(self, stream: trio.SocketStream) -> GuardedStream:
        tls = self.tls()
        if tls is None:
            return GuardedStream(stream=stream, filter=RequestFilter(self.http2), clock=self.clock)
        return GuardedTlsStream(
            stream=trio.SSLStream(stream, tls, server_side=True, https_compatible=True),
            filter=RequestFilter(),
            clock=self.clock,
        )

    async def _serve_request(
        self, guarded: GuardedStream, scope: Any, receive: Any, send: Any
    ) -> None:
        async def send_on(message: Any) -> None:
            if message["type"] == "http.response.start" and self._ends_with(scope):
                headers = [*message["headers"], (b"connection", b"close")]
                message = {**message, "headers": headers}
            await send(message)

        with guarded.one_request():
            await self.app(scope, receive, send_on)

    def _ends_with(self, scope: Any) -> bool:
        """Whether a connection is closed after the answer to this request."""
        return self.context.terminated.is_set() and scope["http_version"] != "2"
