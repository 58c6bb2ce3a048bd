"""The quart app: every endpoint as a route, and the answers for paths that are none."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from quart import Response, request
from quart_trio import QuartTrio
from quart_trio.asgi import TrioASGIHTTPConnection
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound

from lsd.api.bodies import BodyTooLarge
from lsd.api.errors import ErrorAnswers, is_expected, plain_error, unexpected_answer
from lsd.api.exchange import Answer, Endpoint, Headers, Request, Send
from lsd.conversation import IdGenerator, LsdError

_SEND = "lsd.send"
"""Where the request's ASGI scope keeps the server's send, for endpoints that stream."""


class _AlreadySent(Response):
    """Stands for a response whose bytes have gone out by the server's own send."""


class _Connection(TrioASGIHTTPConnection):
    async def __call__(self, receive: Any, send: Any) -> None:
        scope: Any = self.scope
        scope[_SEND] = send
        await super().__call__(receive, send)

    async def _send_response(self, send: Any, response: Any) -> None:
        if not isinstance(response, _AlreadySent):
            await super()._send_response(send, response)


def quart_app(
    endpoints: Sequence[Endpoint], *, ids: IdGenerator, errors: ErrorAnswers, body_bytes_max: int
) -> QuartTrio:
    """An app that serves `endpoints` and nothing else."""
    app = QuartTrio("lsd", static_folder=None)
    app.asgi_http_class = _Connection
    app.url_map.strict_slashes = False
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
    app.register_error_handler(Exception, _error_handler(ids, errors, body_bytes_max))
    return app


def _view(endpoint: Endpoint) -> Callable[..., Awaitable[Response]]:
    async def view(**parameters: str) -> Response:
        body = await request.get_data(cache=False, as_text=False)
        assert isinstance(body, bytes), "text was not asked for"
        asked = Request(
            method=endpoint.method,
            path=request.path,
            query={**request.args.to_dict(), **parameters},
            headers={name.lower(): value for name, value in request.headers.items()},
            body=body,
        )
        answer = await endpoint.handle(asked, _start)
        if answer is None:
            await _server_send()({"type": "http.response.body", "body": b""})
            return _AlreadySent()
        return _response(answer)

    return view


def _server_send() -> Callable[[Any], Awaitable[None]]:
    scope: Any = request.scope
    send: Callable[[Any], Awaitable[None]] = scope[_SEND]
    return send


async def _start(headers: Headers) -> Send:
    send = _server_send()
    encoded = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
    await send({"type": "http.response.start", "status": 200, "headers": encoded})

    async def piece(data: bytes) -> None:
        await send({"type": "http.response.body", "body": data, "more_body": True})

    return piece


def _error_handler(
    ids: IdGenerator, errors: ErrorAnswers, body_bytes_max: int
) -> Callable[[Exception], Awaitable[Response]]:
    async def handle(error: Exception) -> Response:
        if isinstance(error, MethodNotAllowed):
            text = f"Method not allowed: {request.method} {request.path}"
            response = _response(plain_error(405, text))
            response.headers["Allow"] = ", ".join(sorted(error.valid_methods or ()))
            return response
        if isinstance(error, NotFound):
            return _response(plain_error(404, f"Route not found: {request.method} {request.path}"))
        if isinstance(error, HTTPException) and error.code == 413:
            return _response(errors.answer(BodyTooLarge(body_bytes_max)))
        if isinstance(error, HTTPException) and error.code is not None:
            return _response(plain_error(error.code, error.description or error.name))
        if is_expected(error) and isinstance(error, LsdError):
            return _response(errors.answer(error))
        return _response(unexpected_answer(error, ids.new()))

    return handle


def _response(answer: Answer) -> Response:
    response = Response(answer.body, status=answer.status, content_type=answer.media_type)
    for name, value in answer.headers:
        response.headers[name] = value
    return response
