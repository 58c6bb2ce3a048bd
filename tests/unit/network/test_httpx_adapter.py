"""httpx over LSD's own client."""

import gzip
from collections.abc import AsyncIterator

import httpx
import pytest
import trio

from lsd.network.http_client import HttpClient
from lsd.network.httpx_adapter import HttpxAdapter
from tests.unit.network.raw_server import Peer, raw_server, whole

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    """An httpx client over our own. When the test is over, no connection may be in use."""
    own = HttpClient({})
    async with httpx.AsyncClient(transport=HttpxAdapter(own), timeout=5) as made:
        yield made
        assert own._pool.in_use == 0


async def test_httpx_works_as_ever(client: httpx.AsyncClient) -> None:
    """Redirects, cookies, codings and JSON are httpx's; the connection is ours, and one."""
    asked: list[bytes] = []
    packed = gzip.compress(b'{"a": [1, 2]}')

    async def handle(peer: Peer) -> None:
        while (request := await peer.receive_request()) is not None:
            asked.append(request)
            if b"POST /old" in request:
                head = b"HTTP/1.1 307 Away\r\nLocation: /new\r\nSet-Cookie: a=b\r\n"
                await peer.send(head + b"Content-Length: 0\r\n\r\n")
            else:
                await peer.send(whole(packed, b"Content-Encoding: gzip\r\n"))

    async with raw_server(handle) as server:
        url, headers = server.url("/old"), [("X-A", "1"), ("X-A", "2")]
        response = await client.post(url, json={"q": "é"}, headers=headers, follow_redirects=True)

    assert response.json() == {"a": [1, 2]}
    assert len(server.peers) == 1
    head, _, body = asked[1].partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    assert lines[0] == b"POST /new HTTP/1.1"
    assert body == '{"q":"é"}'.encode()
    assert b"Cookie: a=b" in lines
    assert b"X-A: 1, 2" in lines
    assert [line for line in lines if line.lower().startswith(b"content-length")] == [
        b"Content-Length: 10"
    ]


async def test_a_body_in_pieces_is_gathered(client: httpx.AsyncClient) -> None:
    """Whatever is uploaded has its length."""
    asked: list[bytes | None] = []

    async def pieces() -> AsyncIterator[bytes]:
        yield b"one"
        yield b"two"

    async def handle(peer: Peer) -> None:
        asked.append(await peer.receive_request())
        await peer.send(whole(b"hi"))

    async with raw_server(handle) as server:
        await client.post(server.url(), content=pieces())

    assert asked[0] is not None
    assert asked[0].endswith(b"Content-Length: 6\r\n\r\nonetwo")
    assert b"Transfer-Encoding" not in asked[0]


async def test_a_stream_arrives_in_pieces_and_may_be_left() -> None:
    """Each piece comes as it arrives; leaving the stream closes its connection."""

    async def handle(peer: Peer) -> None:
        await peer.receive_request()
        await peer.send(CHUNKED + b"2\r\nhi\r\n")
        await peer.wait_gone()

    async with raw_server(handle) as server, HttpxAdapter(HttpClient({})) as adapter:
        response = await adapter.handle_async_request(httpx.Request("GET", server.url()))
        assert isinstance(response.stream, httpx.AsyncByteStream)
        assert await anext(aiter(response.stream)) == b"hi"
        await response.stream.aclose()
        await server.wait_all_gone()


async def test_a_server_that_does_not_answer_in_time_is_left(client: httpx.AsyncClient) -> None:
    """Before the head and amid the body, by the bounds of httpx."""
    timeout = httpx.Timeout(None, connect=0.01, read=0.01)

    async def handle(peer: Peer) -> None:
        request = await peer.receive_request()
        if request is not None and request.startswith(b"GET /body"):
            await peer.send(CHUNKED)
        await peer.wait_gone()

    async with raw_server(handle) as server:
        for path in ("/head", "/body"):
            with pytest.raises(httpx.ReadTimeout, match="no answer within"):
                await client.get(server.url(path), timeout=timeout)
        await server.wait_all_gone()


async def test_failures_are_those_of_httpx(client: httpx.AsyncClient) -> None:
    """Nobody there is one kind, a broken answer another."""
    (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
    port = listener.socket.getsockname()[1]
    await listener.aclose()

    async def hang_up(peer: Peer) -> None:
        await peer.receive_request()

    with pytest.raises(httpx.ConnectError, match="Connection refused"):
        await client.get(f"http://127.0.0.1:{port}/")
    async with raw_server(hang_up) as server:
        with pytest.raises(httpx.ReadError, match="before the response began"):
            await client.get(server.url())
