"""HTTP by Hypercorn, on a socket that is listening already."""

import os
import socket
from collections.abc import Awaitable, Callable
from typing import Any

import trio
from hypercorn.app_wrappers import ASGIWrapper
from hypercorn.config import Config as HypercornConfig
from hypercorn.trio.run import worker_serve

KEEP_ALIVE_S = 75.0
"""An idle connection is closed after this: a little longer than common clients and proxies keep
theirs, so that it is they who close."""

HEAD_BYTES_MAX = 64 * 1024
"""Of a request's head: room for long tokens and cookies, no room for an attack."""

REQUESTS_OF_CONNECTION_MAX = 10**9
"""Hypercorn ends a connection after so many; there is no reason to."""

FOREVER_S = 10.0**9
"""The daemon itself bounds how long requests may take to finish."""


async def serve(
    app: Any,
    listener: socket.socket,
    stop: Callable[[], Awaitable[None]],
    *,
    task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Serves until `stop` returns and all requests are finished."""
    config = HypercornConfig()
    # Hypercorn closes what it is given; the listener stays the caller's.
    config.bind = [f"fd://{os.dup(listener.fileno())}"]
    config.keep_alive_timeout = KEEP_ALIVE_S
    config.keep_alive_max_requests = REQUESTS_OF_CONNECTION_MAX
    config.h11_max_incomplete_size = HEAD_BYTES_MAX
    config.graceful_timeout = FOREVER_S
    config.include_server_header = False
    config.accesslog = None
    config.errorlog = None

    async def stop_and_close() -> None:
        await stop()

    started = _Started(task_status)
    await worker_serve(
        ASGIWrapper(app), config, shutdown_trigger=stop_and_close, task_status=started
    )


class _Started:
    """Passes the news on without Hypercorn's list of addresses."""

    def __init__(self, task_status: trio.TaskStatus[None]) -> None:
        self._task_status = task_status

    def started(self, _addresses: Any = None) -> None:
        self._task_status.started()
