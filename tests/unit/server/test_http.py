"""Which server answers: LSD's own, unless the configuration wants the other one."""

from typing import Any

import pytest
import trio

from lsd.config import Address, Gateway
from lsd.server.http import serve_http
from lsd.server.listening import listen
from tests.unit.api.endpoints import front_of
from tests.unit.server.wire import talk
from tests.unit.store.makers import HandClock

REQUEST = b"GET /absent HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


async def served_by(gateway: Gateway) -> tuple[str, bytes]:
    """The server that hands requests on, and what it sends back."""
    servers: list[str] = []
    front = front_of()

    async def app(scope: Any, receive: Any, send: Any, *more: Any) -> None:
        if scope["type"] == "http":
            is_own = "lsd.exchange" in scope.get("extensions", {})
            servers.append("own" if is_own else "hypercorn")
        await front(scope, receive, send, *more)

    stop = trio.Event()

    async def serve(*, task_status: trio.TaskStatus[None]) -> None:
        await serve_http(
            app,
            listener,
            stop.wait,
            gateway=gateway,
            clock=HandClock(),
            tls=lambda: None,
            task_status=task_status,
        )

    with listen(Address("127.0.0.1", 0)) as listener:
        async with trio.open_nursery() as nursery:
            await nursery.start(serve)
            answer = await talk(listener, REQUEST)
            stop.set()
    (server,) = servers
    return server, answer


@pytest.mark.parametrize(
    ("gateway", "server"),
    [
        (Gateway(), "own"),
        (Gateway(server="hypercorn"), "hypercorn"),
        (Gateway(http2=True), "hypercorn"),
    ],
    ids=["usually", "asked for", "HTTP/2"],
)
async def test_the_configuration_decides_which_server_answers(
    gateway: Gateway, server: str
) -> None:
    """Both give the same answers."""
    used, answer = await served_by(gateway)

    head, _, body = answer.partition(b"\r\n\r\n")
    assert used == server
    assert head.startswith(b"HTTP/1.1 404")
    assert body == b'{"error":"Route not found: GET /absent"}'
