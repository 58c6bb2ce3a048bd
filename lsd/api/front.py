"""The ASGI application: hot endpoints are served here, everything else by the quart app.

A framework's request and response objects cost more than the work of a small request, so the
endpoints that carry the load go from the server's messages to plain functions and back. The same
functions are routes of the quart app, too.
"""

from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any

import attrs
import trio

from lsd import __version__
from lsd.api.bodies import ClientGone, Receive, read_body
from lsd.api.edge import Edge
from lsd.api.errors import ErrorAnswers, Refused, is_expected, plain_error, unexpected_answer
from lsd.api.exchange import Answer, Endpoint, Headers, Request, Send, WhenClientLeaves
from lsd.api.in_flight import InFlight
from lsd.conversation import IdGenerator, LsdError
from lsd.telemetry import Clock, logger

log = logger(__name__)

Message = MutableMapping[str, Any]
SendMessage = Callable[[Message], Awaitable[None]]
Scope = MutableMapping[str, Any]
AsgiApp = Callable[..., Awaitable[None]]
"""Called with scope, receive and send; frameworks write their types each in a way of its own."""

VERSION_HEADER = (b"x-lsd-gateway-version", __version__.encode())

_READING = ("GET", "HEAD")
"""Methods that change nothing: their work is worth nothing without a client."""

LAST_WORDS_S = 1.0
"""Seconds that a stream cut off by a stop may take to tell so: its client may not be reading."""


@attrs.define(eq=False, kw_only=True)
class Front:
    """Serves HTTP as an ASGI application.

    `hot` maps method and path to the endpoints served directly; `rest` serves all other paths.
    """

    hot: Mapping[tuple[str, str], Endpoint]
    rest: AsgiApp
    edge: Edge
    errors: ErrorAnswers
    base_path: str
    body_bytes_max: int
    when_client_leaves: WhenClientLeaves
    in_flight: InFlight
    ids: IdGenerator
    clock: Clock

    async def __call__(self, scope: Scope, receive: Receive, send: SendMessage) -> None:
        """One connection of the server: a request, or the lifespan of the application."""
        if scope["type"] == "http":
            await self._http(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1000})
        else:
            await self.rest(scope, receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: SendMessage) -> None:
        headers = {
            name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]
        }
        path = self._local_path(scope["path"])
        responder = Responder(send, is_head=scope["method"] == "HEAD")
        try:
            self.edge.check(headers, scope["scheme"])
            if path is None:
                raise Refused(404, f"Route not found: {scope['method']} {scope['path']}")
        except Refused as refused:
            log.warning("request refused", path=scope["path"], reason=str(refused))
            await responder.answer(self.errors.answer(refused))
            return
        endpoint = self.hot.get((scope["method"], path))
        if endpoint is None:
            inner = {**scope, "path": path, "raw_path": path.encode(), "root_path": ""}
            work = _through(self.rest, inner, responder)
            leaving: WhenClientLeaves = "cancel" if scope["method"] in _READING else "finish"
        else:
            work = _directly(endpoint, headers, responder)
            leaving = endpoint.when_client_leaves or self.when_client_leaves
        await self._serve(_Work(scope["method"], path, headers, leaving, work), receive, responder)

    def _local_path(self, path: str) -> str | None:
        """The path below the base path, one trailing slash dropped; None if it is none of ours."""
        if self.base_path != "/":
            if path != self.base_path and not path.startswith(self.base_path + "/"):
                return None
            path = path[len(self.base_path) :] or "/"
        return None if path.endswith("//") else path.removesuffix("/") or "/"

    async def _serve(self, work: "_Work", receive: Receive, out: "Responder") -> None:
        with self.in_flight.one(work.route) as scope:
            try:
                body = await read_body(receive, work.headers, self.body_bytes_max)
                await self._run(work, body, receive, out)
            except ClientGone:
                return
            except Exception as error:  # noqa: BLE001 (the edge of a request: everything is answered)
                await self._answer_error(error, work.route, out)
        if scope.cancelled_caught and self.in_flight.is_stopping:
            await out.say_stopping()

    async def _run(self, work: "_Work", body: bytes, receive: Receive, out: "Responder") -> None:
        """The work beside a watch for the client's leaving."""
        started_at = self.clock.monotonic()
        failed: Exception | None = None

        async def watch() -> None:
            while (await receive())["type"] != "http.disconnect":
                pass
            if not out.is_done:
                out.is_client_gone = True
                waited_ms = round((self.clock.monotonic() - started_at) * 1000)
                log.warning("client left", path=work.path, latency_ms=waited_ms)
                if work.when_client_leaves == "cancel":
                    nursery.cancel_scope.cancel()

        async with trio.open_nursery() as nursery:
            nursery.start_soon(watch)
            try:
                await work.run(body)
            except Exception as error:  # noqa: BLE001 (raised again outside of the nursery)
                failed = error
            nursery.cancel_scope.cancel()
        if failed is not None:
            raise failed

    async def _answer_error(self, error: Exception, route: str, out: "Responder") -> None:
        if is_expected(error) and isinstance(error, LsdError):
            answer = self.errors.answer(error)
            if answer.status < 500:
                log.warning("request refused", route=route, status=answer.status, reason=str(error))
            else:
                log.error("request failed", route=route, status=answer.status, reason=str(error))
        else:
            answer = unexpected_answer(error, self.ids.new())
        await out.answer_or_break_off(answer)


@attrs.frozen
class _Work:
    """What one request asks for; `run` is given its body."""

    method: str
    path: str
    headers: Mapping[str, str]
    when_client_leaves: WhenClientLeaves
    run: Callable[[bytes], Awaitable[None]]

    @property
    def route(self) -> str:
        """How it is counted and logged."""
        return f"{self.method} {self.path}"


def _directly(
    endpoint: Endpoint, headers: Mapping[str, str], out: "Responder"
) -> Callable[[bytes], Awaitable[None]]:
    async def run(body: bytes) -> None:
        request = Request(
            method=endpoint.method, path=endpoint.path, query={}, headers=headers, body=body
        )
        answer = await endpoint.handle(request, out.start)
        if answer is not None:
            await out.answer(answer)
        else:
            await out.end()

    return run


def _through(app: AsgiApp, scope: Scope, out: "Responder") -> Callable[[bytes], Awaitable[None]]:
    async def run(body: bytes) -> None:
        messages = iter([{"type": "http.request", "body": body, "more_body": False}])

        async def receive() -> Message:
            # No "http.disconnect": the server says so, too, when an answer is complete, and a
            # framework that cancels its request then cancels the server's own last steps.
            for message in messages:
                return message
            await trio.sleep_forever()
            raise AssertionError("never reached")

        await app(scope, receive, out.forward)

    return run


@attrs.define(eq=False)
class Responder:
    """Sends one response as ASGI messages; nothing more once the client is gone."""

    _send: SendMessage
    is_head: bool
    is_client_gone: bool = attrs.field(default=False, init=False)
    is_done: bool = attrs.field(default=False, init=False)
    _has_started: bool = attrs.field(default=False, init=False)
    _is_stream: bool = attrs.field(default=False, init=False)

    async def answer(self, answer: Answer) -> None:
        """Sends a whole answer."""
        if self.is_client_gone:
            return
        headers = [
            (b"content-type", answer.media_type.encode()),
            (b"content-length", str(len(answer.body)).encode()),
            *_encoded(answer.headers),
        ]
        await self._start(answer.status, headers)
        # Set first: a client that has all bytes may close at once, and has not left early.
        self.is_done = True
        await self._send({"type": "http.response.body", "body": answer.body})

    async def start(self, headers: Headers) -> Send:
        """Sends the head of a stream; what is given takes its pieces."""
        self._is_stream = True
        await self._start(200, _encoded(headers))
        return self._piece

    async def end(self) -> None:
        """Ends a stream."""
        self.is_done = True
        if not self.is_client_gone:
            await self._send({"type": "http.response.body", "body": b"", "more_body": False})

    async def forward(self, message: Message) -> None:
        """Passes a framework's message on."""
        if self.is_client_gone:
            return
        if message["type"] == "http.response.start":
            self._has_started = True
            message = {**message, "headers": [*message["headers"], VERSION_HEADER]}
        elif not message.get("more_body", False):
            self.is_done = True
        await self._send(message)

    async def answer_or_break_off(self, answer: Answer) -> None:
        """The answer, or if a stream has begun already, the same as its last event."""
        if not self._has_started:
            await self.answer(answer)
        elif self._is_stream:
            await self._piece(b"data: " + answer.body + b"\n\n")
            await self.end()

    async def say_stopping(self) -> None:
        """Tells the client that the daemon stops before its answer was complete."""
        if self.is_done or self.is_client_gone:
            return
        text = "the daemon is stopping; the answer is not complete"
        with trio.move_on_after(LAST_WORDS_S, shield=True):
            await self.answer_or_break_off(plain_error(503, text))

    async def _start(self, status: int, headers: list[tuple[bytes, bytes]]) -> None:
        self._has_started = True
        await self._send(
            {
                "type": "http.response.start",
                "status": status,
                "headers": [*headers, VERSION_HEADER],
            }
        )

    async def _piece(self, data: bytes) -> None:
        if not self.is_client_gone:
            await self._send({"type": "http.response.body", "body": data, "more_body": True})


def _encoded(headers: Headers) -> list[tuple[bytes, bytes]]:
    return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
