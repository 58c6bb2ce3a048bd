"""The ASGI application: hot endpoints are served here, everything else by the quart app.

A framework's request and response objects cost more than the work of a small request, so the
endpoints that carry the load go from the server's messages to plain functions and back. The same
functions are routes of the quart app, too. What does not depend on the single request is found out
before it comes.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from typing import Any
from urllib.parse import quote

import attrs
import trio

from lsd.access import NotAuthenticated
from lsd.api._visit import Reception, Route, Visit, Work
from lsd.api.authentication import Authentication
from lsd.api.bodies import Receive
from lsd.api.cors import Cors
from lsd.api.edge import Edge
from lsd.api.errors import ErrorDesk, Refused
from lsd.api.exchange import Endpoint, WhenClientLeaves, headers_of
from lsd.api.in_flight import InFlight
from lsd.api.responder import (
    API_KEY,
    EXCHANGE,
    RESPONDER,
    Exchange,
    Message,
    Responder,
    SendMessage,
)
from lsd.api.tracing import Tracing, check_trace_headers
from lsd.conversation import IdGenerator, LsdError
from lsd.telemetry import (
    CURRENT_REQUEST,
    Clock,
    RequestContext,
    current_trace,
    has_trace_extras,
    logger,
)

log = logger(__name__)

Scope = MutableMapping[str, Any]
AsgiApp = Callable[..., Awaitable[None]]
"""Called with scope, receive and send; frameworks write their types each in a way of its own."""

_WANTS_KEY = (b"www-authenticate", b"Bearer")
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
    tracing: Tracing | None = None
    _reception: Reception = attrs.field(init=False)
    _hot_routes: Mapping[tuple[str, str], Route] = attrs.field(init=False)
    _asks_for_keys: bool = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self._reception = Reception(
            in_flight=self.in_flight,
            ids=self.ids,
            clock=self.clock,
            body_bytes_max=self.body_bytes_max,
        )
        base = self.base_path.rstrip("/")
        self._hot_routes = {
            (method, base + path): self._route(method, base + path) for method, path in self.hot
        }
        # Traces tell how long it took to find out that nobody needs one.
        self._asks_for_keys = self.authentication.authenticator is not None or bool(self.tracing)

    async def __call__(self, scope: Scope, receive: Receive, send: SendMessage) -> None:
        """One connection of the server: a request, or the lifespan of the application."""
        if scope["type"] != "http":
            await self._no_http(scope, receive, send)
            return
        exchange: Exchange | None = (scope.get("extensions") or {}).get(EXCHANGE)
        headers = None if exchange is None else exchange.request_headers
        if headers is None:
            headers = headers_of(scope["headers"])
        amazon_id = headers.get("x-amzn-trace-id")
        context = RequestContext(scope["method"], scope["path"], self.ids.new, amazon_id)
        token = CURRENT_REQUEST.set(context)
        try:
            if self.tracing is None:
                await self._served(scope, exchange, headers, context, receive, send)
            else:
                path = self._local_path(context.path)
                with self.tracing.of_request(context, path, headers, send) as traced_send:
                    await self._served(scope, exchange, headers, context, receive, traced_send)
        finally:
            CURRENT_REQUEST.reset(token)

    async def _no_http(self, scope: Scope, receive: Receive, send: SendMessage) -> None:
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1000})
        else:
            await self.rest(scope, receive, send)

    def _served(
        self,
        scope: Scope,
        exchange: Exchange | None,
        headers: Mapping[str, str],
        context: RequestContext,
        receive: Receive,
        send: SendMessage,
    ) -> Awaitable[None]:
        """What is left to do for a request, of which no more than its head is known yet."""
        method, path = context.method, context.path
        route = self._hot_routes.get((method, path)) or self._route(method, path)
        shared = self.cors.of_answer(headers) if "origin" in headers else ()
        # A trace looks at messages.
        answered_by = exchange if self.tracing is None else None
        out = Responder(send, method == "HEAD", route.words, shared, answered_by)
        if method == "OPTIONS":
            return out.no_content(self.cors.of_preflight(route.path, headers))
        try:
            self.edge.check(headers, scope["scheme"])
            key = self._authenticated(method, route.path, headers) if self._asks_for_keys else None
            if has_trace_extras(headers):
                check_trace_headers(headers)
            if route.path is None:
                raise Refused(404, f"Route not found: {method} {path}")
        except LsdError as refused:
            log.debug("request started")
            answer = route.words.answer_and_log(refused, f"{method} {path}", self.ids)
            log.debug("request finished", status=answer.status, latency_ms=0)
            if isinstance(refused, NotAuthenticated):
                answer = attrs.evolve(answer, headers=(*answer.headers, _WANTS_KEY))
            return out.answer(answer)
        work = None
        if route.endpoint is None:
            work = _through(self.rest, self._inner(scope, route.path, key, out), send)
        now = self.clock.monotonic()
        ends_by = trio.CancelScope() if exchange is None else exchange.cancel_scope
        visit = Visit(self._reception, route, headers, key, work, out, context, now, ends_by)
        return visit.serve(receive, exchange)

    def _route(self, method: str, sent_path: str) -> Route:
        path = self._local_path(sent_path)
        endpoint = None if path is None else self.hot.get((method, path))
        if endpoint is not None:
            leaving = endpoint.when_client_leaves or self.when_client_leaves
        else:
            leaving = "cancel" if method in _READING else "finish"
        return Route(
            name=f"{method} {path}",
            path=path,
            words=self.errors.words_for(sent_path if path is None else path),
            endpoint=endpoint,
            when_client_leaves=leaving,
        )

    def _inner(self, scope: Scope, path: str, key: str | None, out: Responder) -> Scope:
        """The scope for the application behind."""
        return {
            **scope,
            RESPONDER: out,
            API_KEY: key,
            "path": path,
            "raw_path": self._local_raw_path(scope["raw_path"], path),
            "root_path": "",
        }

    def _authenticated(
        self, method: str, path: str | None, headers: Mapping[str, str]
    ) -> str | None:
        """The public id of the caller's key. Raises NotAuthenticated."""
        trace = None if self.tracing is None else current_trace()
        if trace is None:
            return self.authentication.public_id(method, path, headers)
        started_ns, key, error = trace.clock.now_ns(), None, None
        try:
            key = self.authentication.public_id(method, path, headers)
        except NotAuthenticated as refused:
            error = str(refused)
            raise
        finally:
            trace.add("lsd_auth", started_ns, {"key.public_id": key}, error=error)
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


def _through(app: AsgiApp, scope: Scope, send: SendMessage) -> Work:
    async def work(body: bytes) -> None:
        messages = iter([{"type": "http.request", "body": body, "more_body": False}])

        async def receive() -> Message:
            # No "http.disconnect": the server says so, too, when an answer is complete, and a
            # framework that cancels its request then cancels the server's own last steps.
            for message in messages:
                return message
            await trio.sleep_forever()
            raise AssertionError("never reached")

        await app(scope, receive, send)

    return work
