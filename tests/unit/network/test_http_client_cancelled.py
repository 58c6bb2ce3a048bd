"""Requests cancelled at any moment, and servers that say anything: what the client keeps."""

import re
from collections.abc import AsyncIterator
from contextlib import suppress
from itertools import pairwise

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st
from trio.testing import wait_all_tasks_blocked

from lsd.conversation import WireRequest
from lsd.network import TransportFailed
from lsd.network.http_client import HttpClient
from tests.unit.network.raw_server import WAIT_S_MAX, Peer, answering, raw_server, whole

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"


@pytest.fixture(params=["asks the system", "is told"])
async def client(
    nursery: trio.Nursery, request: pytest.FixtureRequest
) -> AsyncIterator[HttpClient]:
    """A client, with and without a poller. When the test is over, no connection may be in use."""
    made = HttpClient({})
    if request.param == "is told":
        await nursery.start(made.run)
    yield made
    assert made._pool.in_use == 0
    await made.aclose()


def post(url: str, body: bytes = b"{}") -> WireRequest:
    """A request such as dialects make."""
    return WireRequest(method="POST", url=url, headers={}, body=body)


async def fetch(client: HttpClient, request: WireRequest) -> bytes:
    """The whole body of the answer."""
    response = await client.send(request)
    try:
        return await response.read(100_000_000)
    finally:
        await response.aclose()


async def echo_path(peer: Peer) -> None:
    """Answers each request with its own path, in pieces, with time to be cancelled between."""
    while (request := await peer.receive_request()) is not None:
        found = re.match(rb"POST (\S+)", request)
        assert found is not None
        for piece in (CHUNKED, *(b"1\r\n%c\r\n" % byte for byte in found[1]), b"0\r\n\r\n"):
            await peer.send(piece)
            await trio.lowlevel.checkpoint()


@pytest.mark.parametrize("body", [b"{}", b"x" * 10_000_000], ids=["small", "large"])
@pytest.mark.parametrize("is_warm", [False, True], ids=["new", "warm"])
async def test_no_moment_of_cancellation_leaves_anything_behind(
    client: HttpClient, is_warm: bool, body: bytes
) -> None:
    """Cancelled at each of its steps, a request leaves no connection and no half-read answer."""
    last_step_max = 30 if len(body) > 2 else 60

    async with raw_server(echo_path) as server:
        for steps in range(last_step_max):
            if not is_warm:
                client._pool.close()
                client._pool.is_closed = False
            async with trio.open_nursery() as nursery:
                nursery.start_soon(fetch, client, post(server.url(f"/cancelled/{steps}"), body))
                for _ in range(steps):
                    await trio.lowlevel.checkpoint()
                nursery.cancel_scope.cancel()
            assert client._pool.in_use == 0

            answer = await fetch(client, post(server.url(f"/asked/{steps}")))

            assert answer == b"/asked/%d" % steps


@pytest.mark.parametrize(
    "begun", [b"", b"HTTP/1.1 200", CHUNKED, CHUNKED + b"2\r\nhi\r\n"], ids=len
)
async def test_a_cancelled_request_closes_its_connection(client: HttpClient, begun: bytes) -> None:
    """Wherever the wait is cut short, the server sees at once that nobody waits any more."""

    async def handle(peer: Peer) -> None:
        await peer.receive_request()
        await peer.send(begun)
        has_spoken.set()
        await peer.wait_gone()

    has_spoken = trio.Event()
    async with raw_server(handle) as server:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(fetch, client, post(server.url()))
            await has_spoken.wait()
            await wait_all_tasks_blocked()
            nursery.cancel_scope.cancel()
        await server.wait_all_gone()

    assert client._pool.in_use == client._pool.idle == 0


async def test_a_cancelled_upload_closes_its_connection(client: HttpClient) -> None:
    """A server that does not read a large request is left as well."""

    async def handle(peer: Peer) -> None:
        await peer.stream.receive_some(10)
        has_begun.set()
        await is_over.wait()
        await peer.wait_gone()

    has_begun, is_over = trio.Event(), trio.Event()
    async with raw_server(handle) as server:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(fetch, client, post(server.url(), b"x" * 50_000_000))
            await has_begun.wait()
            await wait_all_tasks_blocked()
            nursery.cancel_scope.cancel()
        is_over.set()
        await server.wait_all_gone()


async def test_closing_the_client_ends_an_upload() -> None:
    """Whoever is sending is told, like whoever is reading."""
    client = HttpClient({})

    async def handle(peer: Peer) -> None:
        await peer.stream.receive_some(10)
        await wait_all_tasks_blocked()
        await client.aclose()

    async with raw_server(handle) as server:
        with pytest.raises(TransportFailed, match="closed by LSD"):
            await client.send(post(server.url(), b"x" * 50_000_000))


async def test_a_cancelled_read_may_be_taken_up_again(client: HttpClient) -> None:
    """No byte is lost between two waits, so a reader may look at the clock in between."""

    async def handle(peer: Peer) -> None:
        await peer.receive_request()
        await peer.send(CHUNKED)
        await go_on.wait()
        await peer.send(b"2\r\nhi\r\n0\r\n\r\n")
        await peer.wait_gone()

    go_on = trio.Event()
    async with raw_server(handle) as server:
        response = await client.send(post(server.url()))
        with trio.move_on_after(0.01) as scope:
            await response.receive_some()
        go_on.set()

        assert scope.cancelled_caught
        assert await response.receive_some() == b"hi"
        assert await response.receive_some() == b""
    assert client._pool.idle == 1


GOOD = [
    whole(b"hi, you"),
    CHUNKED + b"2\r\nhi\r\n5;x=y\r\n, you\r\n0\r\nX-Sum: 1\r\n\r\n",
    b"HTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\n" + whole(b"hi", b"Content-Encoding: gzip\r\n"),
    OK + b"Connection: close\r\n\r\nhi",
]


@given(
    good=st.sampled_from(GOOD),
    changes=st.lists(st.tuples(st.integers(0, 120), st.binary(max_size=3)), max_size=3),
    end=st.one_of(st.none(), st.integers(0, 150)),
    places=st.lists(st.integers(0, 120), max_size=3),
    hangs_up=st.booleans(),
)
async def test_whatever_a_server_says_the_client_lives(
    good: bytes,
    changes: list[tuple[int, bytes]],
    end: int | None,
    places: list[int],
    hangs_up: bool,
) -> None:
    """Damaged, cut, or followed by nothing: an answer or a failure, then a clean connection."""
    data = good
    for place, put in changes:
        data = data[:place] + put + data[place + len(put) :]
    data = data[:end]
    cuts = sorted({0, len(data), *(place for place in places if place < len(data))})

    patience = trio.CancelScope()

    async def handle(peer: Peer) -> None:
        if peer.number == 1:
            await peer.receive_request()
            patience.deadline = trio.current_time() + 0.02
            for start, stop in pairwise(cuts):
                await peer.send(data[start:stop])
                await trio.lowlevel.checkpoint()
        if peer.number > 1 or not hangs_up:
            await answering(whole(b"next"))(peer)

    client = HttpClient({})
    async with raw_server(handle) as server:
        with trio.fail_after(WAIT_S_MAX):
            with patience, suppress(TransportFailed):
                assert len(await fetch(client, post(server.url()))) <= len(data)
            assert client._pool.in_use == 0
            # What the server says too much must be here by now; on loopback it is, after this.
            await wait_all_tasks_blocked()
            assert await fetch(client, post(server.url())) == b"next"
    await client.aclose()
