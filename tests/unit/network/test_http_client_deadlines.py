"""A deadline goes along with a request: nothing waits beyond it, wherever it has come."""

import gzip
from collections.abc import AsyncIterator

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from lsd.conversation import ScriptedAnswer, WireRequest
from lsd.network import DeadlineReached, ScriptedTransport, Transport
from lsd.network.http_client import HttpClient
from lsd.network.httpx_transport import HttpxTransport
from tests.unit.network.raw_server import Peer, raw_server, whole

WITHIN_S = 0.15
LONG_S = 30.0
"""A deadline that is kept, however busy the machine."""

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.fixture(params=["asks the system", "is told", "httpx"])
async def client(nursery: trio.Nursery, request: pytest.FixtureRequest) -> AsyncIterator[Transport]:
    """LSD's own client, with and without a poller, and httpx. Afterwards nothing is in use."""
    if request.param == "httpx":
        proxied = HttpxTransport({})
        yield proxied
        await proxied.aclose()
        return
    made = HttpClient({})
    if request.param == "is told":
        await nursery.start(made.run)
    yield made
    assert made._pool.in_use == 0
    await made.aclose()


def post(url: str, body: bytes = b"{}") -> WireRequest:
    """A request such as dialects make."""
    return WireRequest(method="POST", url=url, headers={}, body=body)


async def fetch(client: Transport, request: WireRequest, within_s: float) -> bytes:
    """The whole body of the answer."""
    response = await client.send(request, trio.current_time() + within_s)
    try:
        return await response.read(100_000_000)
    finally:
        await response.aclose()


async def is_late(client: Transport, request: WireRequest) -> None:
    """The request ends at its deadline: not before, and though nothing else would ever end it."""
    started_at = trio.current_time()
    with trio.fail_after(LONG_S), pytest.raises(DeadlineReached):
        await fetch(client, request, WITHIN_S)
    assert trio.current_time() - started_at >= WITHIN_S


async def silence(peer: Peer) -> None:
    """Answers what begins with a `{}` body, and nothing else."""
    while (request := await peer.receive_request()) is not None:
        if request.endswith(b"{}"):
            await peer.send(whole(b"hi"))


async def test_an_answer_that_does_not_come_ends_at_the_deadline(client: Transport) -> None:
    """On a new connection, and on one that has worked; it is closed then."""
    async with raw_server(silence) as server:
        await is_late(client, post(server.url(), b"[]"))
        assert await fetch(client, post(server.url()), LONG_S) == b"hi"
        await is_late(client, post(server.url(), b"[]"))
        assert await fetch(client, post(server.url()), LONG_S) == b"hi"


async def test_a_body_that_drips_ends_at_the_deadline(client: Transport) -> None:
    """However often something comes."""

    async def drip(peer: Peer) -> None:
        await peer.receive_request()
        await peer.send(CHUNKED)
        while not peer.is_closed.is_set():
            await peer.send(b"1\r\nx\r\n")
            await trio.sleep(0.01)

    async with raw_server(drip) as server:
        await is_late(client, post(server.url()))


async def test_a_request_that_is_not_taken_ends_at_the_deadline(client: Transport) -> None:
    """The server reads nothing."""

    async def read_nothing(peer: Peer) -> None:
        await done.wait()

    done = trio.Event()
    async with raw_server(read_nothing) as server:
        await is_late(client, post(server.url(), b"x" * 30_000_000))
        done.set()


async def test_a_handshake_that_does_not_come_ends_at_the_deadline(client: Transport) -> None:
    """A connection is there, but nobody speaks TLS on it."""

    async def say_nothing(peer: Peer) -> None:
        await peer.wait_gone()

    async with raw_server(say_nothing) as server:
        await is_late(client, post(server.url().replace("http:", "https:")))


async def test_the_deadline_of_one_request_is_not_that_of_the_next(
    client: Transport, mock_clock: MockClock
) -> None:
    """Though they share a connection; a later one is kept as well as an earlier one."""

    async def answer_late(peer: Peer) -> None:
        while (request := await peer.receive_request()) is not None:
            if not request.endswith(b"{}"):
                mock_clock.jump(2)
            if not request.endswith(b"[1]"):
                await peer.send(whole(b"hi"))

    async with raw_server(answer_late) as server:
        assert await fetch(client, post(server.url()), 1) == b"hi"
        assert await fetch(client, post(server.url(), b"[]"), 5) == b"hi"
        assert await fetch(client, post(server.url()), 5) == b"hi"
        with pytest.raises(DeadlineReached):
            await fetch(client, post(server.url(), b"[1]"), 1)


async def test_the_deadline_may_be_set_anew_before_each_piece(
    client: Transport, mock_clock: MockClock
) -> None:
    """As readers of streams do, who bound each silence."""

    async def speak(peer: Peer) -> None:
        await peer.receive_request()
        await peer.send(CHUNKED)
        await is_past.wait()
        await peer.send(b"1\r\nx\r\n")
        await peer.wait_gone()

    async def pass_time() -> None:
        await wait_all_tasks_blocked()
        mock_clock.jump(2)

    is_past = trio.Event()
    async with raw_server(speak) as server:
        response = await client.send(post(server.url()), trio.current_time() + 1)
        mock_clock.jump(2)
        is_past.set()
        response.deadline = trio.current_time() + 5
        assert await response.receive_some() == b"x"
        response.deadline = trio.current_time() + 1
        async with trio.open_nursery() as nursery:
            nursery.start_soon(pass_time)
            with pytest.raises(DeadlineReached):
                await response.receive_some()
        await response.aclose()


async def test_inflating_ends_at_the_deadline() -> None:
    """A few bytes may stand for much, and all of them are here."""
    bomb = gzip.compress(bytes(10_000_000), compresslevel=1)
    client = HttpClient({})

    async def answer(peer: Peer) -> None:
        await peer.receive_request()
        await peer.send(whole(bomb, b"Content-Encoding: gzip\r\n"))
        await peer.wait_gone()

    async with raw_server(answer) as server:
        response = await client.send(post(server.url()))
        assert await response.receive_some()
        response.deadline = trio.current_time()
        with pytest.raises(DeadlineReached):
            await response.receive_some()
        await response.aclose()
    await client.aclose()


async def test_a_played_answer_keeps_its_deadline(autojump_clock: object) -> None:
    """Its head and each of its pieces."""
    answer = ScriptedAnswer(status=200, headers={}, pieces=((1000, b"one"), (2000, b"two")))
    transport = ScriptedTransport(lambda _: answer)

    with pytest.raises(DeadlineReached):
        await transport.send(post("echo://echo"), deadline=0.5)
    response = await transport.send(post("echo://echo"), deadline=2.0)
    assert await response.receive_some() == b"one"
    with pytest.raises(DeadlineReached):
        await response.receive_some()

    assert trio.current_time() == 2.0
