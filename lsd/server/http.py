"""Which server answers HTTP: LSD's own, unless the configuration wants what only Hypercorn does."""

import socket
import ssl
from collections.abc import Awaitable, Callable
from typing import Any

import trio

from lsd.config import Gateway
from lsd.network import SocketPoller, serve_http1
from lsd.telemetry import Clock


async def serve_http(
    app: Any,
    listener: socket.socket,
    stop: Callable[[], Awaitable[None]],
    *,
    gateway: Gateway,
    clock: Clock,
    tls: Callable[[], ssl.SSLContext | None],
    poller: SocketPoller | None = None,
    task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Serves until `stop` returns and all requests are finished.

    `tls` is asked for each new connection. `poller` is there for LSD's own server; see serve_http1.
    """
    if gateway.server == "hypercorn" or gateway.http2 or gateway.tls.certificate is not None:
        # Importing it takes a quarter of a second, for which most starts have no use.
        from lsd.server.hypercorn_server import serve  # noqa: PLC0415

        await serve(
            app,
            listener,
            stop,
            clock=clock,
            tls=tls,
            http2=gateway.http2,
            task_status=task_status,
        )
    else:
        await serve_http1(
            app,
            listener,
            stop,
            clock=clock,
            shares_listener=gateway.workers != 1,
            poller=poller,
            task_status=task_status,
        )
