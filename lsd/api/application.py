"""The quart app: every endpoint as a route, and the answers for paths that are none."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl, unquote

import attrs
from quart import Response, request
from quart_trio import QuartTrio
from quart_trio.asgi import TrioASGIHTTPConnection
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound
from werkzeug.routing import MapAdapter

from lsd.api.bodies import BodyTooLarge
from lsd.api.errors import ErrorDesk, Refused
from lsd.api.exchange import Answer, Endpoint, Request, headers_of
from lsd.api.responder import API_KEY, RESPONDER, Responder
from lsd.conversation import IdGenerator


class _AlreadySent(Response):
    """Stands for a response that a responder has sent."""


class _Connection(TrioASGIHTTPConnection):
    """Lets the request's responder send everything: the front's, or without a front a new one."""

    async def __call__(self, receive: Any, send: Any) -> None:
        scope: Any = self.scope
        if RESPONDER not in scope:
            app: Any = self.app
            words = app.errors.words_for(scope["path"])
            scope[RESPONDER] = Responder(send, scope["method"] == "HEAD", words)
        await super().__call__(receive, send)

    async def _send_response(self, _send: Any, response: Any) -> None:
        assert isinstance(response, _AlreadySent), "all views and error handlers give this"


class _App(QuartTrio):
    asgi_http_class = _Connection
    errors: ErrorDesk

    def create_url_adapter(self, request: Any) -> MapAdapter | None:
        """Looks at method and path alone: a strange `Host` or query is no reason to fail."""
        if request is None:
            return None
        path = _with_whole_segments(request.scope["raw_path"])
        return self.url_map.bind("localhost", path_info=path, default_method=request.method)


def quart_app(
    endpoints: Sequence[Endpoint], *, ids: IdGenerator, errors: ErrorDesk, body_bytes_max: int
) -> QuartTrio:
    """An app that serves `endpoints` and nothing else."""
    app = _App("lsd", static_folder=None)
    app.errors = errors
    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False
    app.url_map.redirect_defaults = False
    app.config.update(MAX_CONTENT_LENGTH=body_bytes_max, BODY_TIMEOUT=None, RESPONSE_TIMEOUT=None)
    for endpoint in endpoints:
        app.add_url_rule(
            endpoint.path.replace("{", "<").replace("}", ">"),
            endpoint=f"{endpoint.method} {endpoint.path}",
            view_func=_view(endpoint),
            methods=[endpoint.method],
            provide_automatic_options=False,
        )
    app.register_error_handler(Exception, _error_handler(ids, body_bytes_max))
    return app


def _view(endpoint: Endpoint) -> Callable[..., Awaitable[Response]]:
    async def view(**parameters: str) -> Response:
        body = await request.get_data(cache=False, as_text=False)
        assert isinstance(body, bytes), "text was not asked for"
        scope: Any = request.scope
        asked = Request(
            query={**_query(scope["query_string"]), **_decoded(parameters)},
            headers=headers_of(scope["headers"]),
            body=body,
            api_key_public_id=scope.get(API_KEY),
        )
        out = _responder()
        answer = await endpoint.handle(asked, out.start)
        if answer is None:
            await out.end()
        else:
            await out.answer(answer)
        return _AlreadySent()

    return view


def _with_whole_segments(raw_path: bytes) -> str:
    """The path, decoded but for slashes within a segment, and what else would look like them."""
    sent = raw_path.decode("latin-1").replace("%25", "%2525")
    return unquote(sent.replace("%2F", "%252F").replace("%2f", "%252F"))


def _decoded(parameters: Mapping[str, str]) -> dict[str, str]:
    """The segments that stand for names, with their slashes."""
    return {name: unquote(value) for name, value in parameters.items()}


def _query(query_string: bytes) -> dict[str, str]:
    """The parameters of a query; of several with one name, the last counts."""
    return dict(parse_qsl(query_string.decode("utf-8", "replace"), keep_blank_values=True))


def _responder() -> Responder:
    scope: Any = request.scope
    responder: Responder = scope[RESPONDER]
    return responder


def _error_handler(
    ids: IdGenerator, body_bytes_max: int
) -> Callable[[Exception], Awaitable[Response]]:
    async def handle(error: Exception) -> Response:
        route = f"{request.method} {request.path}"
        out = _responder()
        answer = out.words.answer_and_log(_ours(error, route, body_bytes_max), route, ids)
        if isinstance(error, MethodNotAllowed):
            answer = _allowing(answer, error)
        await out.answer_or_break_off(answer)
        return _AlreadySent()

    return handle


def _ours(error: Exception, route: str, body_bytes_max: int) -> Exception:
    """An error of the framework in our words; any other as it is."""
    match error:
        case NotFound():
            return Refused(404, f"Route not found: {route}")
        case MethodNotAllowed():
            return Refused(405, f"Method not allowed: {route}")
        case HTTPException(code=413):
            return BodyTooLarge(body_bytes_max)
        case HTTPException(code=int(status)):
            return Refused(status, error.description or error.name)
        case _:
            return error


def _allowing(answer: Answer, error: MethodNotAllowed) -> Answer:
    methods = ", ".join(sorted(error.valid_methods or ()))
    return attrs.evolve(answer, headers=(*answer.headers, (b"allow", methods.encode())))
