"""The own client and httpx, asked the same by the same servers, tell the same."""

import gzip
from collections.abc import Callable, Mapping

import attrs
import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from lsd.conversation import WireRequest
from lsd.network import BodyTooLarge, Transport, TransportFailed, _client_request, httpx_transport
from lsd.network.http_client import HttpClient
from lsd.network.httpx_transport import HttpxTransport
from tests.unit.network.raw_server import WAIT_S_MAX, Peer, raw_server, whole

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
HI = b"Content-Length: 2\r\n\r\nhi"

TRANSPORTS: list[Callable[[Mapping[str, str]], Transport]] = [HttpxTransport, HttpClient]


@attrs.frozen
class Told:
    """What a caller learns from one request."""

    status: int = 0
    headers: Mapping[str, str] = {}
    body: bytes = b""
    failed_sent: bool | None = None
    is_too_large: bool = False


async def ask(transport: Transport, request: WireRequest) -> Told:
    """Sends and reads as providers do."""
    told = Told()
    try:
        response = await transport.send(request)
        try:
            told = Told(response.status, dict(response.headers))
            return attrs.evolve(told, body=await response.read(10_000))
        finally:
            await response.aclose()
    except TransportFailed as failure:
        return attrs.evolve(told, failed_sent=failure.sent)
    except BodyTooLarge:
        return attrs.evolve(told, is_too_large=True)


async def tell(
    make: Callable[[Mapping[str, str]], Transport], answer: bytes, end: str, method: str = "POST"
) -> tuple[list[Told], list[bytes], int]:
    """What three requests in a row learn, what the server saw of them, and its connections."""
    requests: list[bytes] = []

    async def handle(peer: Peer) -> None:
        while (request := await peer.receive_request()) is not None:
            requests.append(request)
            await peer.send(answer)
            if end == "reset":
                await wait_all_tasks_blocked()
                await peer.reset()
            if end != "wait":
                return

    transport = make({})
    async with raw_server(handle) as server:
        url = server.url("/v1/chat?x=%2F&y=é z")
        headers = {"Content-Type": "application/json", "x-Title": "é"}
        wire = WireRequest(method=method, url=url, headers=headers, body=b"{}")
        told = []
        for _ in range(3):
            with trio.fail_after(WAIT_S_MAX):
                told.append(await ask(transport, wire))
                await wait_all_tasks_blocked(0.005)
        await transport.aclose()
        port = str(server.port).encode()
        return told, [each.replace(port, b"PORT") for each in requests], len(server.peers)


PACKED = gzip.compress(b"plain" * 100)

ANSWERS: dict[str, tuple[bytes, str]] = {
    "length": (whole(b"hi", b"X-A: 1\r\nx-a:  2 \r\nX-Empty:\r\n"), "wait"),
    "length, then fin": (whole(b"hi"), "fin"),
    "length, then reset": (whole(b"hi"), "reset"),
    "chunks": (CHUNKED + b"2\r\nhi\r\n5 \r\n, you\r\n0\r\nX-T: 1\r\n\r\n", "wait"),
    "until closed": (OK + b"\r\nhi", "fin"),
    "until reset": (OK + b"\r\nhi", "reset"),
    "to be closed": (OK + b"Connection: close\r\n" + HI, "wait"),
    "1.0": (b"HTTP/1.0 200 OK\r\n" + HI, "wait"),
    "204": (b"HTTP/1.1 204 No Content\r\n\r\n", "wait"),
    "304": (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n", "wait"),
    "interim": (b"HTTP/1.1 100 Continue\r\nX-I: 1\r\n\r\n" + whole(b"hi"), "wait"),
    "status": (b"HTTP/1.1 529 Overloaded\r\nRetry-After: 3\r\n" + HI, "wait"),
    "redirect": (b"HTTP/1.1 307 Away\r\nLocation: /elsewhere\r\n" + HI, "wait"),
    "no reason": (b"HTTP/1.1 200\r\n" + HI, "wait"),
    "line ends": (b"HTTP/1.1 200 OK\nContent-Length: 2\n\nhi", "wait"),
    "folded": (whole(b"hi", b"X-A: a\r\n b\r\n"), "wait"),
    "latin": (whole(b"hi", b"X-A: \xe9\r\n"), "wait"),
    "utf-8": (whole(b"hi", "X-A: é\r\n".encode()), "wait"),
    "length and chunks": (
        OK + b"Content-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
        "fin",
    ),
    "gzip": (whole(PACKED, b"Content-Encoding: gzip\r\n"), "wait"),
    "broken gzip": (whole(b"no", b"Content-Encoding: gzip\r\n"), "fin"),
    "cut gzip": (whole(PACKED[:-1], b"Content-Encoding: gzip\r\n"), "fin"),
    "unknown coding": (whole(b"no", b"Content-Encoding: zstd\r\n"), "fin"),
    "too large": (whole(b"x" * 10_001), "fin"),
    "nothing": (b"", "fin"),
    "nothing, reset": (b"", "reset"),
    "half a head": (b"HTTP/1.1 200 OK\r\nX-A", "fin"),
    "half a head, reset": (b"HTTP/1.1 200 OK\r\nX-A", "reset"),
    "half a body": (OK + b"Content-Length: 9\r\n\r\nhi", "fin"),
    "half a body, reset": (OK + b"Content-Length: 9\r\n\r\nhi", "reset"),
    "half a chunk": (CHUNKED + b"9\r\nhi", "fin"),
    "no last chunk": (CHUNKED + b"2\r\nhi\r\n", "fin"),
    "another protocol": (b"220 mail.example.com ESMTP\r\n", "fin"),
    "broken status": (b"HTTP/1.1 2x0 OK\r\n\r\n", "wait"),
    "broken header": (OK + b"X A: 1\r\n" + HI, "wait"),
    "broken length": (OK + b"Content-Length: x\r\n\r\nhi", "wait"),
    "two lengths": (OK + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\nhi", "wait"),
    "transfer coding": (OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", "wait"),
    "broken chunk": (CHUNKED + b"z\r\nhi\r\n", "wait"),
    "endless head": (OK + b"X-A: " + b"x" * 200_000, "wait"),
}


@pytest.mark.parametrize("case", ANSWERS)
async def test_both_tell_the_same(case: str) -> None:
    """Statuses, headers, bodies, failures, the bytes sent and the connections used are equal."""
    answer, end = ANSWERS[case]

    by_httpx, by_us = [await tell(make, answer, end) for make in TRANSPORTS]

    assert by_us == by_httpx


async def test_head_is_the_same() -> None:
    """A response without its body."""
    answer = OK + b"Content-Length: 500\r\n\r\n"

    by_httpx, by_us = [await tell(make, answer, "wait", "HEAD") for make in TRANSPORTS]

    assert by_us[:2] == by_httpx[:2]


@pytest.mark.parametrize(
    "url",
    [
        "http://h/",
        "http://H:80",
        "http://h:8080/a%2fb%zz/c d/é?q=[1]&r={2}#f",
        "https://[::1]:443/x",
        "https://user:pass@h:444/x//y/;z=1",
        "http://bücher.example/",
    ],
)
async def test_urls_mean_the_same(url: str) -> None:
    """The server, its name and the path are equal, whatever is unusual in a URL."""
    wire = WireRequest(method="POST", url=url, headers={}, body=b"{}")

    origin, head = _client_request.outgoing(wire)
    by_httpx = httpx_transport._outgoing(wire)

    lines = head.split(b"\r\n")
    assert lines[0] == b"POST %s HTTP/1.1" % by_httpx.url.raw_path
    assert lines[1] == b"Host: " + by_httpx.url.netloc
    assert origin[:2] == (by_httpx.url.scheme, by_httpx.url.raw_host.decode())
