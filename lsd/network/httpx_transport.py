"""Requests over real sockets, carried by httpx's connection pools."""

import os
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import suppress
from math import inf
from typing import Any, ClassVar

import attrs
import httpx
import trio

from lsd.conversation import WireRequest
from lsd.network._client_dial import REASON_LENGTH_MAX
from lsd.network._client_pool import IDLE_S_MAX
from lsd.network._client_request import USER_AGENT
from lsd.network.certificates import trusted_by
from lsd.network.content_coding import Inflater, Undecodable, inflater_for
from lsd.network.http_client import STALE_IDLE_S_MIN
from lsd.network.proxies import Proxies
from lsd.network.transport import BodyTooLarge, TransportFailed, until

CLOSE_S_MAX = 1.0
"""Closing never waits for the peer; the bound is for what we have not thought of."""

_Origin = tuple[str, str, int]
"""Scheme, host, port."""


class HttpxTransport:
    """HTTP/1.1 over as many connections as there are requests, kept for the next ones.

    Proxies and trusted authorities come from `environment`; servers on this machine are always
    asked directly. Raises BadCertificates.
    """

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        self._proxies = Proxies.from_environment(environment)
        self._trusted = trusted_by(environment)
        self._pools: dict[str | None, httpx.AsyncHTTPTransport] = {}
        self._last_used: dict[_Origin, float] = {}

    async def send(self, request: WireRequest, deadline: float = inf) -> "HttpxResponse":
        outgoing = _outgoing(request)
        origin = _origin_of(outgoing.url)
        pool = self._pool(self._proxies.proxy_for(*origin))
        while True:
            opened = _OpenedConnection()
            outgoing.extensions["trace"] = opened.watch
            try:
                with until(deadline):
                    response = await pool.handle_async_request(outgoing)
            except httpx.HTTPError as error:
                if isinstance(error, _BROKEN) and opened.stream is None and self._idle(origin):
                    # The broken connection has left the pool, so this ends with a new one.
                    continue
                raise _failure(error) from None
            except BaseException:
                await opened.aclose()
                raise
            return HttpxResponse(response, lambda: self._note_use(origin), deadline)

    async def aclose(self) -> None:
        with trio.move_on_after(CLOSE_S_MAX, shield=True):
            for pool in self._pools.values():
                await pool.aclose()

    def _pool(self, proxy: str | None) -> httpx.AsyncHTTPTransport:
        pool = self._pools.get(proxy)
        if pool is None:
            limits = httpx.Limits(keepalive_expiry=IDLE_S_MAX)
            try:
                pool = httpx.AsyncHTTPTransport(verify=self._trusted, limits=limits, proxy=proxy)
            except (ImportError, ValueError, httpx.InvalidURL):
                # The address may hold a password, so only what is wanted is told.
                reason = "proxy: found an address of another kind; wanted http:// or https://"
                raise TransportFailed(reason, sent=False) from None
            self._pools[proxy] = pool
        return pool

    def _idle(self, origin: _Origin) -> bool:
        used = self._last_used.get(origin)
        return used is not None and trio.current_time() - used >= STALE_IDLE_S_MIN

    def _note_use(self, origin: _Origin) -> None:
        self._last_used[origin] = trio.current_time()


def _outgoing(request: WireRequest) -> httpx.Request:
    """The request with its own headers and those without which it would not be HTTP."""
    given = {name.lower() for name in request.headers}
    try:
        url = httpx.URL(request.url)
        headers = [(name.encode("ascii"), each.encode()) for name, each in request.headers.items()]
    except (httpx.InvalidURL, UnicodeEncodeError):
        reason = "request: found a URL or header that is not HTTP; wanted a legal one"
        raise TransportFailed(reason, sent=False) from None
    if "user-agent" not in given and not request.anonymous:
        headers.insert(0, (b"User-Agent", USER_AGENT.encode()))
    if "host" not in given:
        headers.insert(0, (b"Host", url.netloc))
    if request.body or request.method not in ("GET", "HEAD"):
        headers.append((b"Content-Length", b"%d" % len(request.body)))
    return httpx.Request(request.method, url, headers=headers, stream=_Body(request.body))


@attrs.define(eq=False)
class _Body(httpx.AsyncByteStream):
    """The request's body; no generator, so that a cancelled request leaves none behind."""

    _data: bytes

    def __aiter__(self) -> AsyncIterator[bytes]:
        return _BodyPieces(self._data)


@attrs.define(eq=False)
class _BodyPieces(AsyncIterator[bytes]):
    _rest: bytes

    async def __anext__(self) -> bytes:
        piece, self._rest = self._rest, b""
        if not piece:
            raise StopAsyncIteration
        return piece


def _origin_of(url: httpx.URL) -> _Origin:
    return url.scheme, url.host, url.port or (443 if url.scheme == "https" else 80)


@attrs.define(eq=False)
class _OpenedConnection:
    """The connection that one request opened; none if it was given an idle one."""

    stream: Any = None

    async def watch(self, event: str, details: Mapping[str, Any]) -> None:
        """Hears from the pool what happens to the request."""
        if event == "connection.connect_tcp.complete":
            self.stream = details["return_value"]

    async def aclose(self) -> None:
        """The pool forgets a connection whose TLS handshake is cancelled without closing it."""
        if self.stream is not None:
            with trio.move_on_after(CLOSE_S_MAX, shield=True):
                await self.stream.aclose()


_BROKEN = (httpx.ReadError, httpx.WriteError, httpx.RemoteProtocolError)
"""How it looks when the server has closed a connection."""

_NOT_SENT = (
    httpx.ConnectError,
    httpx.LocalProtocolError,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
)
"""What goes wrong before the first byte of the request."""


def _failure(error: httpx.HTTPError) -> TransportFailed:
    return TransportFailed(_reason(error)[:REASON_LENGTH_MAX], not isinstance(error, _NOT_SENT))


def _reason(error: httpx.HTTPError) -> str:
    if isinstance(error, httpx.LocalProtocolError):
        # Its text quotes the header, which may be a credential.
        return "request: found a header that is not HTTP; wanted a legal one"
    said = str(error) or type(error).__name__
    detail = _system_error(error) if isinstance(error, httpx.ConnectError) else None
    return said if detail is None or detail in said else f"{said} ({detail})"


def _system_error(error: BaseException | None) -> str | None:
    """What the operating system said, below what three libraries made of it."""
    while error is not None:
        if isinstance(error, OSError) and error.strerror:
            return error.strerror.rpartition("): ")[2]  # trio puts the address before it, again
        if isinstance(error, BaseExceptionGroup):
            error = error.exceptions[0]
        else:
            error = error.__cause__ or error.__context__
    return None


@attrs.define(eq=False)
class HttpxResponse:
    """A response on a connection of a pool, which httpx closes when a read is cancelled."""

    may_be_read_on: ClassVar[bool] = False
    _response: httpx.Response
    _note_use: Callable[[], None]
    deadline: float = inf
    status: int = attrs.field(init=False)
    headers: Mapping[str, str] = attrs.field(init=False)
    _body: AsyncIterator[bytes] | None = attrs.field(default=None, init=False)
    _inflater: Inflater | None = attrs.field(default=None, init=False)
    _failed: TransportFailed | None = attrs.field(default=None, init=False)

    def __attrs_post_init__(self) -> None:
        self.status = self._response.status_code
        self.headers = dict(self._response.headers.items())

    async def read(self, bytes_max: int) -> bytes:
        body = bytearray()
        while piece := await self.receive_some():
            body += piece
            if len(body) > bytes_max:
                raise BodyTooLarge(bytes_max)
        await self.aclose()
        return bytes(body)

    async def receive_some(self) -> bytes:
        if self._failed is not None:
            raise attrs.evolve(self._failed)
        try:
            with until(self.deadline):
                return await self._next_piece()
        except httpx.HTTPError as error:
            self._failed = _failure(error)
        except Undecodable as error:
            self._failed = TransportFailed(str(error), sent=True)
        # A copy: what was raised knows whoever read this, so that none of them could be freed.
        raise attrs.evolve(self._failed)

    async def aclose(self) -> None:
        self._note_use()
        with trio.move_on_after(CLOSE_S_MAX, shield=True), suppress(httpx.HTTPError):
            await self._response.aclose()
            if self._body is not None:
                # Reading on from the closed connection ends each of the nested generators here;
                # left to the garbage collector, they would be closed late and with a warning.
                async for _ in self._body:
                    pass

    async def _next_piece(self) -> bytes:
        if self._body is None:
            self._inflater = inflater_for(self.headers)
            self._body = self._response.aiter_raw()
        inflater = self._inflater
        if inflater is not None and not inflater.is_hungry and (piece := inflater.feed(b"")):
            return piece
        async for raw in self._body:
            if piece := raw if inflater is None else inflater.feed(raw):
                return piece
        if inflater is not None:
            inflater.end()
        return b""
