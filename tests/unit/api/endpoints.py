"""Endpoints of tests, and the two applications that serve them: the front, and the quart app."""

from random import Random
from typing import Any

import attrs
import trio

from lsd.api import (
    Answer,
    Authentication,
    Cors,
    Edge,
    Endpoint,
    ErrorAnswers,
    ErrorDesk,
    Front,
    InFlight,
    Request,
    RoutedApp,
    hot_endpoints,
)
from lsd.api.application import quart_app
from lsd.api.exchange import EVENT_STREAM, Handler, Start
from lsd.conversation import IdGenerator, encode_json
from tests.unit.store.makers import HandClock

EVENTS = ((b"content-type", EVENT_STREAM.encode()), (b"cache-control", b"no-cache"))


def endpoint(handle: Handler, method: str = "POST", path: str = "/work", **more: Any) -> Endpoint:
    """An endpoint; unless told otherwise, one that posts work."""
    return Endpoint(method=method, path=path, handle=handle, **more)  # type: ignore[arg-type]


def failing(error: BaseException) -> Handler:
    """Raises `error` for each request."""

    async def handle(_request: Request, _start: Start) -> Answer:
        raise error

    return handle


def failing_midway(error: BaseException) -> Handler:
    """Sends one event, and then raises `error`."""

    async def handle(_request: Request, start: Start) -> None:
        send = await start(EVENTS)
        await send(b"data: one\n\n")
        raise error

    return handle


async def repeating(request: Request, _start: Start) -> Answer:
    """Answers with the request as the endpoint sees it."""
    seen = {
        "query": dict(request.query),
        "headers": dict(request.headers),
        "body": request.body.decode(),
    }
    return Answer(body=encode_json(seen))


async def streaming(_request: Request, start: Start) -> None:
    """Streams two events."""
    send = await start(EVENTS)
    await send(b"data: one\n\n")
    await send(b"data: two\n\n")


@attrs.define(eq=False)
class Gate:
    """A handler that stands still in the middle of its work until the test opens it."""

    streams: bool = False
    begun: trio.Event = attrs.field(factory=trio.Event, init=False)
    may_go_on: trio.Event = attrs.field(factory=trio.Event, init=False)
    outcome: str = attrs.field(default="none", init=False)

    async def __call__(self, _request: Request, start: Start) -> Answer | None:
        try:
            answer = await self._work(start)
        except trio.Cancelled:
            self.outcome = "cancelled"
            raise
        self.outcome = "finished"
        return answer

    async def _work(self, start: Start) -> Answer | None:
        if not self.streams:
            await self._stand_still()
            return Answer(body=b'{"done":true}')
        send = await start(EVENTS)
        await send(b"data: one\n\n")
        await self._stand_still()
        await send(b"data: two\n\n")
        return None

    async def _stand_still(self) -> None:
        self.begun.set()
        await self.may_go_on.wait()


def new_ids() -> IdGenerator:
    """Ids of a fixed time."""
    return IdGenerator(lambda: 1_770_000_000_000_000_000, Random(7))


def quart_of(*endpoints: Endpoint, shows_tree: bool = False, body_bytes_max: int = 1000) -> Any:
    """The quart app alone."""
    errors = ErrorDesk(ErrorAnswers(shows_tree))
    return quart_app(endpoints, ids=new_ids(), errors=errors, body_bytes_max=body_bytes_max)


def front_of(
    *endpoints: Endpoint, shows_tree: bool = False, body_bytes_max: int = 1000, **changes: Any
) -> Front:
    """The front before the routes."""
    errors = ErrorDesk(ErrorAnswers(shows_tree))
    rest = RoutedApp(
        endpoints=endpoints, ids=new_ids(), errors=errors, body_bytes_max=body_bytes_max
    )
    usual: dict[str, Any] = {
        "edge": Edge.of("127.0.0.1", allow_origins=(), auth_is_on=False),
        "authentication": Authentication(authenticator=None),
        "cors": Cors((), rest.methods_of),
        "base_path": "/",
        "when_client_leaves": "cancel",
        "in_flight": InFlight(),
    }
    return Front(
        hot=hot_endpoints(endpoints),
        rest=rest,
        errors=errors,
        body_bytes_max=body_bytes_max,
        ids=new_ids(),
        clock=HandClock(),
        **usual | changes,
    )
