"""LSD's own client under the interface of httpx, for whoever wants comfort more than speed."""

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import attrs
import httpx
import trio

from lsd.conversation import WireRequest
from lsd.network._client_response import ClientResponse
from lsd.network.http_client import HttpClient
from lsd.network.transport import TransportFailed


@attrs.define(eq=False)
class HttpxAdapter(httpx.AsyncBaseTransport):
    """To be given to `httpx.AsyncClient(transport=…)`, which does redirects, cookies and codings.

    A request's body is gathered before it is sent. Values of a repeated header go and come joined
    by `, `. Of httpx's timeouts, `connect` and `read` together bound the wait for the head, `read`
    that for each piece of the body. Closing the adapter closes the client.
    """

    client: HttpClient

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        timeouts = request.extensions.get("timeout", {})
        outgoing = _wire_request(request, await request.aread())
        with _translated(request, _seconds(timeouts, "connect", "read")):
            response = await self.client.send(outgoing)
        body = _Body(response, request, _seconds(timeouts, "read"))
        return httpx.Response(response.status, headers=dict(response.headers), stream=body)

    async def aclose(self) -> None:
        await self.client.aclose()


@attrs.define(eq=False)
class _Body(httpx.AsyncByteStream):
    """The pieces of a body; no generator, so that a cancelled reader leaves none behind."""

    _response: ClientResponse
    _request: httpx.Request
    _read_s: float

    def __aiter__(self) -> AsyncIterator[bytes]:
        return _Pieces(self._response, self._request, self._read_s)

    async def aclose(self) -> None:
        await self._response.aclose()


@attrs.define(eq=False)
class _Pieces(AsyncIterator[bytes]):
    _response: ClientResponse
    _request: httpx.Request
    _read_s: float

    async def __anext__(self) -> bytes:
        with _translated(self._request, self._read_s):
            piece = await self._response.receive_raw()
        if not piece:
            raise StopAsyncIteration
        return piece


def _wire_request(request: httpx.Request, body: bytes) -> WireRequest:
    framing = ("content-length", "transfer-encoding")
    headers: dict[str, str] = {}
    for raw_name, raw_value in request.headers.raw:
        name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
        if name.lower() not in framing:
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return WireRequest(method=request.method, url=str(request.url), headers=headers, body=body)


def _seconds(timeouts: Mapping[str, Any], *names: str) -> float:
    return sum(float("inf") if timeouts.get(name) is None else timeouts[name] for name in names)


@contextmanager
def _translated(request: httpx.Request, seconds: float) -> Iterator[None]:
    """What goes wrong inside is told in httpx's errors."""
    try:
        with trio.fail_after(seconds):
            yield
    except trio.TooSlowError:
        raise httpx.ReadTimeout(f"no answer within {seconds} s", request=request) from None
    except TransportFailed as failure:
        kind = httpx.ReadError if failure.sent else httpx.ConnectError
        raise kind(failure.reason, request=request) from None
