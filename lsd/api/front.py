"""The ASGI application: hot endpoints are served here, everything else by the quart app.

A framework's request and response objects cost more than the work of a small request, so the
endpoints that carry the load go from the server's messages to plain functions and back. The same
functions are routes of the quart app, too.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from typing import Any
from urllib.parse import quote

import attrs
import trio

from lsd.access import NotAuthenticated
from lsd.api.authentication import Authentication
from lsd.api.bodies import ClientGone, Receive, read_body
from lsd.api.cors import Cors
from lsd.api.edge import Edge
from lsd.api.errors import ErrorDesk, Refused
from lsd.api.exchange import Endpoint, Request, WhenClientLeaves, headers_of
from lsd.api.in_flight import InFlight
from lsd.api.responder import API_KEY, RESPONDER, Message, Responder, SendMessage
from lsd.api.tracing import check_trace_headers, traced
from lsd.conversation import IdGenerator, LsdError
from lsd.telemetry import (
    CURRENT_REQUEST,
    Clock,
    RequestContext,
    Tracer,
    current_trace,
    logger,
)

log = logger(__name__)

Scope = MutableMapping[str, Any]
AsgiApp = Callable[..., Awaitable[None]]
"""Called with scope, receive and send; frameworks write their types each in a way of its own."""

TELLS_LEAVING = "lsd.disconnect"
"""The ASGI extension of LSD's own server that tells of a client's leaving by a call."""

_WANTS_KEY = ("www-authenticate", "Bearer")
"""What goes with each 401. Source: RFC 9110, 15.5.2, and RFC 6750, 3."""

_READING = ("GET", "HEAD")
"""Methods that change nothing: their work is worth nothing without a client."""


def hot_endpoints(endpoints: Iterable[Endpoint]) -> dict[tuple[str, str], Endpoint]:
    """The hot ones by method and path; where there is `GET`, there is `HEAD`."""
    hot: dict[tuple[str, str], Endpoint] = {
        (each.method, each.path): each for each in endpoints if each.is_hot
    }
    return hot | {("HEAD", path): each for (method, path), each in hot.items() if method == "GET"}


@attrs.define(eq=False, kw_only=True)
class Front:
    """Serves HTTP as an ASGI application.

    `hot` maps method and path to the endpoints served directly; `rest` serves all other paths.
    """

    hot: Mapping[tuple[str, str], Endpoint]
    rest: AsgiApp
    edge: Edge
    authentication: Authentication
    cors: Cors
    errors: ErrorDesk
    base_path: str
    body_bytes_max: int
    when_client_leaves: WhenClientLeaves
    in_flight: InFlight
    ids: IdGenerator
    clock: Clock
    tracer: Tracer | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: SendMessage) -> None:
        """One connection of the server: a request, or the lifespan of the application."""
        if scope["type"] == "http":
            await self._in_context(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1000})
        else:
            await self.rest(scope, receive, send)

    async def _in_context(self, scope: Scope, receive: Receive, send: SendMessage) -> None:
        headers = headers_of(scope["headers"])
        context = RequestContext(
            method=scope["method"],
            path=scope["path"],
            x_amzn_trace_id=headers.get("x-amzn-trace-id"),
            new_id=self.ids.new,
        )
        token = CURRENT_REQUEST.set(context)
        try:
            if self.tracer is None:
                await self._http(scope, headers, receive, send)
            else:
                path = self._local_path(scope["path"])
                with traced(self.tracer, context, path, headers, send) as traced_send:
                    await self._http(scope, headers, receive, traced_send)
        finally:
            CURRENT_REQUEST.reset(token)

    async def _http(
        self, scope: Scope, headers: Mapping[str, str], receive: Receive, send: SendMessage
    ) -> None:
        path = self._local_path(scope["path"])
        words = self.errors.words_for(scope["path"] if path is None else path)
        shared = self.cors.of_answer(headers)
        responder = Responder(send, scope["method"] == "HEAD", words, shared)
        if scope["method"] == "OPTIONS":
            await responder.no_content(self.cors.of_preflight(path, headers))
            return
        try:
            self.edge.check(headers, scope["scheme"])
            key = self._authenticated(scope["method"], path, headers)
            check_trace_headers(headers)
            if path is None:
                raise Refused(404, f"Route not found: {scope['method']} {scope['path']}")
        except LsdError as refused:
            route = f"{scope['method']} {scope['path']}"
            answer = words.answer_and_log(refused, route, self.ids)
            if isinstance(refused, NotAuthenticated):
                answer = attrs.evolve(answer, headers=(*answer.headers, _WANTS_KEY))
            await responder.answer(answer)
            return
        endpoint = self.hot.get((scope["method"], path))
        if endpoint is None:
            inner = {
                **scope,
                RESPONDER: responder,
                API_KEY: key,
                "path": path,
                "raw_path": self._local_raw_path(scope["raw_path"], path),
                "root_path": "",
            }
            work = _through(self.rest, inner, send)
            leaving: WhenClientLeaves = "cancel" if scope["method"] in _READING else "finish"
        else:
            work = _directly(endpoint, headers, key, responder)
            leaving = endpoint.when_client_leaves or self.when_client_leaves
        asked = _Work(
            method=scope["method"],
            path=path,
            headers=headers,
            started_at=self.clock.monotonic(),
            when_client_leaves=leaving,
            tell_leaving=scope.get("extensions", {}).get(TELLS_LEAVING),
            run=work,
        )
        await self._serve(asked, receive, responder)

    def _authenticated(
        self, method: str, path: str | None, headers: Mapping[str, str]
    ) -> str | None:
        """The public id of the caller's key. Raises NotAuthenticated."""
        trace = None if self.tracer is None else current_trace()
        if trace is None:
            return self.authentication.public_id(method, path, headers)
        started_ns, key = trace.clock.now_ns(), None
        try:
            key = self.authentication.public_id(method, path, headers)
        finally:
            trace.add("lsd_auth", started_ns, {"key.public_id": key})
        return key

    def _local_path(self, path: str) -> str | None:
        """The path below the base path, one trailing slash dropped; None if it is none of ours."""
        if self.base_path != "/":
            if path != self.base_path and not path.startswith(self.base_path + "/"):
                return None
            path = path[len(self.base_path) :] or "/"
        return None if "//" in path else path.removesuffix("/") or "/"

    def _local_raw_path(self, raw_path: bytes, path: str) -> bytes:
        """The local path, encoded; a slash within a segment, as a name may have, is so, too."""
        sent = raw_path.decode("latin-1")
        local = self._local_path(sent) if "%2f" in sent.lower() else None
        return (quote(path) if local is None else local).encode("latin-1")

    async def _serve(self, work: "_Work", receive: Receive, out: Responder) -> None:
        log.debug("request started")
        await self._answered(work, receive, out)
        log.debug("request finished", status=out.status, latency_ms=self._latency_ms(work))

    async def _answered(self, work: "_Work", receive: Receive, out: Responder) -> None:
        try:
            with self.in_flight.one(work.route) as scope:
                body = await read_body(receive, work.headers, self.body_bytes_max)
                await self._run(work, body, scope, receive, out)
        except ClientGone:
            log.warning("client left", latency_ms=self._latency_ms(work))
            return
        except Exception as error:  # noqa: BLE001 (the edge of a request: everything is answered)
            await out.answer_or_break_off(out.words.answer_and_log(error, work.route, self.ids))
            return
        if scope.cancelled_caught and self.in_flight.is_stopping:
            await out.say_stopping()

    async def _run(
        self,
        work: "_Work",
        body: bytes,
        scope: trio.CancelScope,
        receive: Receive,
        out: Responder,
    ) -> None:
        """The work, with an ear for the client's leaving."""
        context = CURRENT_REQUEST.get()

        def hear_leaving() -> None:
            if out.is_done:
                return
            out.is_client_gone = True
            if not out.is_head:
                # The server may call this in a task that knows of no request.
                fields = {} if context is None else context.fields()
                log.warning("client left", latency_ms=self._latency_ms(work), **fields)
            if work.when_client_leaves == "cancel":
                scope.cancel()

        if work.tell_leaving is not None:
            work.tell_leaving(hear_leaving)
            await work.run(body)
        else:
            await _run_beside_watch(work, body, receive, hear_leaving)

    def _latency_ms(self, work: "_Work") -> int:
        return round((self.clock.monotonic() - work.started_at) * 1000)


async def _run_beside_watch(
    work: "_Work", body: bytes, receive: Receive, hear_leaving: Callable[[], None]
) -> None:
    """For servers that tell of it by a message only: a second task waits for that."""
    failed: Exception | None = None

    async def watch() -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        hear_leaving()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(watch)
        try:
            await work.run(body)
        except Exception as error:  # noqa: BLE001 (raised again outside of the nursery)
            failed = error
        nursery.cancel_scope.cancel()
    if failed is not None:
        raise failed


@attrs.frozen(kw_only=True)
class _Work:
    """What one request asks for; `run` is given its body.

    `started_at` is by the clock that never steps back. `tell_leaving` is given what the server
    shall call when the client leaves; None if it cannot.
    """

    method: str
    path: str
    headers: Mapping[str, str]
    started_at: float
    when_client_leaves: WhenClientLeaves
    tell_leaving: Callable[[Callable[[], None]], None] | None
    run: Callable[[bytes], Awaitable[None]]

    @property
    def route(self) -> str:
        """How it is counted and logged."""
        return f"{self.method} {self.path}"


def _directly(
    endpoint: Endpoint, headers: Mapping[str, str], key: str | None, out: Responder
) -> Callable[[bytes], Awaitable[None]]:
    async def run(body: bytes) -> None:
        request = Request(
            method=endpoint.method,
            path=endpoint.path,
            query={},
            headers=headers,
            body=body,
            api_key_public_id=key,
        )
        answer = await endpoint.handle(request, out.start)
        if answer is not None:
            await out.answer(answer)
        else:
            await out.end()

    return run


def _through(app: AsgiApp, scope: Scope, send: SendMessage) -> Callable[[bytes], Awaitable[None]]:
    async def run(body: bytes) -> None:
        messages = iter([{"type": "http.request", "body": body, "more_body": False}])

        async def receive() -> Message:
            # No "http.disconnect": the server says so, too, when an answer is complete, and a
            # framework that cancels its request then cancels the server's own last steps.
            for message in messages:
                return message
            await trio.sleep_forever()
            raise AssertionError("never reached")

        await app(scope, receive, send)

    return run
