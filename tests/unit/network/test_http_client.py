"""LSD's own client over real sockets: what is on the wire, how it fails, what is left behind."""

import gzip
import socket
import sys
import threading
import zlib
from collections.abc import AsyncIterator
from contextlib import suppress
from functools import partial
from weakref import ref

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from lsd.conversation import WireRequest
from lsd.network import BodyTooLarge, TransportFailed, _client_pool
from lsd.network.http_client import STALE_IDLE_S_MIN, HttpClient
from tests.unit.collector import Burden, without_collector
from tests.unit.network.raw_server import Peer, answering, raw_server, whole

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
SECRET = "sk-do-not-tell"


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
    assert made._pool.idle == 0


def post(url: str, body: bytes = b"{}", method: str = "POST") -> WireRequest:
    """A request such as dialects make."""
    headers = {"Authorization": f"Bearer {SECRET}"}
    return WireRequest(method=method, url=url, headers=headers, body=body)


async def fetch(client: HttpClient, request: WireRequest) -> bytes:
    """The whole body of the answer."""
    response = await client.send(request)
    try:
        return await response.read(100_000_000)
    finally:
        await response.aclose()


async def test_a_request_leaves_in_one_packet(client: HttpClient) -> None:
    """Head and body come together; the connection fills no packets, and asks who is silent."""
    first_bytes = b""

    async def handle(peer: Peer) -> None:
        nonlocal first_bytes
        first_bytes = await peer.receive()
        await peer.send(whole(b"hi"))
        await peer.wait_gone()

    async with raw_server(handle) as server:
        response = await client.send(post(server.url("/v1?a=b")))
        ((waiting,),) = client._pool._waiting.values()
        no_delay = waiting.watched.socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        is_watched = waiting.watched.socket.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)

    assert first_bytes.startswith(b"POST /v1?a=b HTTP/1.1\r\nHost: 127.0.0.1:")
    assert first_bytes.endswith(b"Content-Length: 2\r\n\r\n{}")
    assert no_delay
    assert is_watched
    assert (response.status, response.headers) == (200, {"content-length": "2"})


async def test_a_body_arrives_piece_by_piece(client: HttpClient) -> None:
    """A piece is given when it has come, while the server is still thinking about the next."""
    go_on = trio.Event()

    async def handle(peer: Peer) -> None:
        await peer.receive_request()
        await peer.send(CHUNKED)
        await go_on.wait()
        await peer.send(b"2\r\nhi\r\n")
        await wait_all_tasks_blocked()
        await peer.send(b"5\r\n, you\r\n0\r\n\r\n")
        await peer.wait_gone()

    async with raw_server(handle) as server:
        response = await client.send(post(server.url()))
        go_on.set()
        pieces = [await response.receive_some() for _ in range(4)]

    assert pieces == [b"hi", b", you", b"", b""]


async def test_a_slow_reader_makes_the_server_wait(client: HttpClient) -> None:
    """What nobody has asked for stays in the network; one read brings no more than its size."""
    sent = 0

    async def handle(peer: Peer) -> None:
        nonlocal sent
        assert isinstance(peer.stream, trio.SocketStream)
        peer.stream.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65536)
        await peer.receive_request()
        await peer.send(OK + b"\r\n")
        while True:
            await peer.stream.send_all(b"x" * 65536)
            sent += 65536

    async with raw_server(handle) as server:
        response = await client.send(post(server.url()))
        await wait_all_tasks_blocked(0.05)
        in_network = sent
        piece = await response.receive_some()
        await response.aclose()
        await server.wait_all_gone()

    assert in_network < 20_000_000
    assert 0 < len(piece) <= 65536


async def test_byte_by_byte_is_the_same(client: HttpClient) -> None:
    """The slowest server is understood."""

    async def handle(peer: Peer) -> None:
        while await peer.receive_request() is not None:
            for byte in CHUNKED + b"2\r\nhi\r\n3\r\nyou\r\n0\r\nX-Sum: 1\r\n\r\n":
                await peer.send(bytes([byte]))

    async with raw_server(handle) as server:
        bodies = [await fetch(client, post(server.url())) for _ in range(2)]

    assert bodies == [b"hiyou", b"hiyou"]
    assert len(server.peers) == 1


async def test_a_hundred_requests_in_a_row_share_one_connection(  # case 50
    client: HttpClient,
) -> None:
    """A response that has come whole leaves the connection for the next request."""
    answers = [whole(b"hi"), CHUNKED + b"2\r\nhi\r\n0\r\n\r\n", b"HTTP/1.1 204 No Content\r\n\r\n"]

    async with raw_server(answering(*answers * 33, answers[0])) as server:
        bodies = [await fetch(client, post(server.url())) for _ in range(100)]

    assert bodies.count(b"hi") == 67
    assert len(server.peers) == 1


async def test_requests_do_not_wait_for_each_other(client: HttpClient) -> None:
    """There are as many connections as requests under way."""

    async def handle(peer: Peer) -> None:
        await peer.receive_request()
        if peer.number == 150:
            everybody_is_here.set()
        await everybody_is_here.wait()
        await peer.send(whole(b"hi"))
        await peer.wait_gone()

    everybody_is_here = trio.Event()
    async with raw_server(handle) as server, trio.open_nursery() as nursery:
        for _ in range(150):
            nursery.start_soon(fetch, client, post(server.url()))

    assert client._pool.idle == 150


async def test_the_connection_used_last_is_used_next(client: HttpClient) -> None:
    """So the others grow old and go, and a server has no more connections than it needs."""
    used: list[int] = []

    async def handle(peer: Peer) -> None:
        while await peer.receive_request() is not None:
            used.append(peer.number)
            await peer.send(OK + b"Content-Length: 2\r\n\r\n")
            await go_on.wait()
            await peer.send(b"hi")

    go_on = trio.Event()
    async with raw_server(handle) as server:
        first = await client.send(post(server.url()))
        second = await client.send(post(server.url()))
        go_on.set()
        for response in (first, second):
            await response.read(2)
        for _ in range(3):
            await fetch(client, post(server.url()))

    assert used == [1, 2, 2, 2, 2]


async def test_servers_do_not_share_connections(client: HttpClient) -> None:
    """Another name or port is another server, even if it is the same machine."""
    async with (
        raw_server(answering(whole(b"one"))) as one,
        raw_server(answering(whole(b"2"))) as two,
    ):
        urls = [one.url(), two.url(), one.url(host="localhost"), one.url(), two.url()]
        bodies = [await fetch(client, post(url)) for url in urls]

    assert bodies == [b"one", b"2", b"one", b"one", b"2"]
    assert (len(one.peers), len(two.peers)) == (2, 1)


async def test_an_idle_connection_is_kept_for_a_minute(
    client: HttpClient, mock_clock: MockClock
) -> None:
    """After that it is closed as soon as anything is asked of anybody."""
    async with (
        raw_server(answering(whole(b"hi"))) as server,
        raw_server(answering(whole(b"hi"))) as other,
    ):
        await fetch(client, post(server.url()))
        mock_clock.jump(59)
        await fetch(client, post(server.url()))
        mock_clock.jump(60)
        await fetch(client, post(other.url()))
        await server.peers[0].is_closed.wait()

        assert len(server.peers) == 1
        assert client._pool.idle == 1


async def test_there_is_a_bound_on_idle_connections(
    client: HttpClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beyond it the oldest one is closed."""
    monkeypatch.setattr(_client_pool, "IDLE_MAX", 3)

    async with raw_server(answering(whole(b"hi"))) as server:
        async with trio.open_nursery() as nursery:
            for _ in range(5):
                nursery.start_soon(fetch, client, post(server.url()))
        await wait_all_tasks_blocked(0.01)

        assert client._pool.idle == 3
        assert [peer.is_closed.is_set() for peer in server.peers].count(True) == 2


@pytest.mark.parametrize("farewell", ["fin", "rst", "words"])
async def test_a_connection_closed_while_idle_is_replaced(
    client: HttpClient, farewell: str
) -> None:
    """A server that closes idle connections is asked again over a new one; nobody notices."""

    async def handle(peer: Peer) -> None:
        await peer.receive_request()
        await peer.send(whole(b"hi"))
        if farewell == "rst":
            await peer.reset()
        elif farewell == "words":
            await peer.send(b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n")

    async with raw_server(handle) as server:
        for number in range(3):
            assert await fetch(client, post(server.url())) == b"hi"
            await server.peers[number].is_closed.wait()
            # The farewell must be here before the next request; on loopback it is, after this.
            await wait_all_tasks_blocked(0.01)

    assert len(server.peers) == 3


@pytest.mark.parametrize("reset", [False, True], ids=["fin", "rst"])
async def test_a_request_that_crosses_the_servers_farewell_is_sent_again(
    client: HttpClient, mock_clock: MockClock, reset: bool
) -> None:
    """When a connection breaks that had been idle for long, a new one gets the request."""
    requests: list[bytes | None] = []

    async def handle(peer: Peer) -> None:
        requests.append(await peer.receive_request())
        await peer.send(whole(b"hi"))
        requests.append(await peer.receive_request())
        if reset:
            await peer.reset()

    async with raw_server(handle) as server:
        await fetch(client, post(server.url("/1")))
        mock_clock.jump(STALE_IDLE_S_MIN)
        body = await fetch(client, post(server.url("/2")))
        asked = [request.split()[1] for request in requests if request is not None]

    assert body == b"hi"
    assert asked == [b"/1", b"/2", b"/2"]


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not tell what was heard")
async def test_a_server_that_closes_without_a_word_has_not_heard_the_next_request(
    client: HttpClient,
) -> None:
    """However young the connection is: its system has acknowledged nothing of the request."""
    listener = socket.create_server(("127.0.0.1", 0))
    asked: list[bytes] = []
    is_read, has_closed = threading.Semaphore(0), threading.Semaphore(0)

    def serve() -> None:
        for _ in range(3):
            peer, _ = listener.accept()
            asked.append(peer.recv(10_000).split()[1])
            peer.sendall(whole(b"hi"))
            is_read.acquire()
            peer.close()
            has_closed.release()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(partial(trio.to_thread.run_sync, serve, abandon_on_cancel=True))
        for number in range(3):
            url = f"http://127.0.0.1:{listener.getsockname()[1]}/{number}"
            assert await fetch(client, post(url)) == b"hi"
            is_read.release()
            # Without a turn of the event loop, which would tell of the farewell.
            has_closed.acquire()

    listener.close()
    assert asked == [b"/0", b"/1", b"/2"]


@pytest.mark.parametrize(
    ("idle_s", "before_the_end"),
    [(STALE_IDLE_S_MIN - 0.01, b""), (30, b"H"), (30, b"HTTP/1.1 100 Continue\r\n\r\n")],
    ids=["young", "begun", "interim"],
)
async def test_a_request_that_a_server_has_dropped_is_not_repeated(
    client: HttpClient, mock_clock: MockClock, idle_s: float, before_the_end: bytes
) -> None:
    """A connection that was in use just now was no stale one; one that spoke has been heard."""

    async def handle(peer: Peer) -> None:
        await peer.receive_request()
        await peer.send(whole(b"hi"))
        await peer.receive_request()
        await peer.send(before_the_end)

    async with raw_server(handle) as server:
        await fetch(client, post(server.url()))
        mock_clock.jump(idle_s)
        with pytest.raises(TransportFailed) as caught:
            await client.send(post(server.url()))

    assert caught.value.sent
    assert len(server.peers) == 1


async def test_a_request_is_repeated_once(client: HttpClient, mock_clock: MockClock) -> None:
    """When the new connection breaks, too, it was not because of its age."""

    async def handle(peer: Peer) -> None:
        if peer.number == 1:
            await peer.receive_request()
            await peer.send(whole(b"hi"))
        await peer.receive_request()

    async with raw_server(handle) as server:
        await fetch(client, post(server.url()))
        mock_clock.jump(STALE_IDLE_S_MIN)
        with pytest.raises(TransportFailed, match="connection closed before the response began"):
            await client.send(post(server.url()))

    assert len(server.peers) == 2


@pytest.mark.parametrize(
    "answer",
    [
        OK + b"Connection: close\r\nContent-Length: 2\r\n\r\nhi",
        b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi",
        whole(b"hi") + b"HTTP/1.1 200 OK\r\n",
    ],
    ids=["close", "1.0", "more than asked"],
)
async def test_a_connection_that_is_to_be_closed_is_closed(
    client: HttpClient, answer: bytes
) -> None:
    """At the end of the response, without waiting for the server to do it."""
    async with raw_server(answering(answer)) as server:
        response = await client.send(post(server.url()))
        await server.peers[0].is_closed.wait()

        assert await response.read(2) == b"hi"
        assert await fetch(client, post(server.url())) == b"hi"
        assert len(server.peers) == 2


async def test_a_body_may_end_with_the_connection(client: HttpClient) -> None:
    """Without a length, the server's close is the end."""

    async def handle(peer: Peer) -> None:
        await peer.receive_request()
        await peer.send(OK + b"\r\nhi")
        await wait_all_tasks_blocked()
        await peer.send(b", you")

    async with raw_server(handle) as server:
        assert await fetch(client, post(server.url())) == b"hi, you"


@pytest.mark.parametrize(
    ("method", "answer", "status"),
    [
        ("HEAD", OK + b"Content-Length: 500\r\n\r\n", 200),
        ("GET", b"HTTP/1.1 304 Not Modified\r\nContent-Length: 500\r\n\r\n", 304),
        ("DELETE", b"HTTP/1.1 204 No Content\r\n\r\n", 204),
        ("POST", b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n", 204),
    ],
)
async def test_what_has_no_body_is_at_its_end_at_once(
    client: HttpClient, method: str, answer: bytes, status: int
) -> None:
    """Nobody waits for a body that is not to come, and the connection goes on."""
    async with raw_server(answering(answer)) as server:
        for _ in range(3):
            response = await client.send(post(server.url(), b"", method))
            assert response.status == status
            assert await response.read(0) == b""

    assert len(server.peers) == 1


@pytest.mark.parametrize(
    ("coding", "packed"),
    [("gzip", gzip.compress(b"plain" * 100)), ("deflate", zlib.compress(b"plain" * 100))],
)
async def test_content_codings_are_undone(client: HttpClient, coding: str, packed: bytes) -> None:
    """A compressed body is read as what it stands for; who wants it as it is gets it so."""
    answer = whole(packed, b"Content-Encoding: %s\r\n" % coding.encode())

    async with raw_server(answering(answer)) as server:
        body = await fetch(client, post(server.url()))
        raw = await (await client.send(post(server.url()))).receive_raw()

    assert body == b"plain" * 100
    assert raw == packed


async def test_others_have_their_turn_while_much_is_inflated(client: HttpClient) -> None:
    """A few bytes that stand for many do not stop the daemon."""
    bomb = gzip.compress(bytes(20_000_000))
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            await trio.lowlevel.checkpoint()
            turns += 1

    answer = answering(whole(bomb, b"Content-Encoding: gzip\r\n"))
    async with raw_server(answer) as server, trio.open_nursery() as nursery:
        response = await client.send(post(server.url()))
        nursery.start_soon(count)
        await trio.lowlevel.checkpoint()
        turns = 0
        assert len(await response.read(20_000_000)) == 20_000_000
        nursery.cancel_scope.cancel()

    assert turns > 50


@pytest.mark.parametrize("coding", ["identity", ""])
async def test_no_coding_is_no_coding(client: HttpClient, coding: str) -> None:
    """A server may say that it does nothing."""
    answer = whole(b"plain", f"Content-Encoding: {coding}\r\n".encode())

    async with raw_server(answering(answer)) as server:
        assert await fetch(client, post(server.url())) == b"plain"


@pytest.mark.parametrize(
    ("coding", "body"), [("gzip", b"no gzip"), ("br", b"x"), ("gzip", b"\x1f")]
)
async def test_a_coding_that_cannot_be_undone_is_a_failure(
    client: HttpClient, coding: str, body: bytes
) -> None:
    """Broken compression counts as a broken body, however often one asks."""
    answer = whole(body, f"Content-Encoding: {coding}\r\n".encode())

    async with raw_server(answering(answer)) as server:
        response = await client.send(post(server.url()))
        for _ in range(2):
            with pytest.raises(TransportFailed) as caught:
                await response.read(1000)
        await response.aclose()

    assert caught.value.sent


async def test_a_body_beyond_the_bound_is_not_read(client: HttpClient) -> None:
    """Reading ends at the bound; what is still to come is cut off."""

    async def handle(peer: Peer) -> None:
        await peer.receive_request()
        await peer.send(OK + b"Content-Length: 5000\r\n\r\n" + b"x" * 1001)
        await peer.wait_gone()

    async with raw_server(handle) as server:
        response = await client.send(post(server.url()))
        with pytest.raises(BodyTooLarge):
            await response.read(1000)
        await response.aclose()
        await server.wait_all_gone()


async def test_a_body_of_exactly_the_bound_is_read(client: HttpClient) -> None:
    """The bound is the largest size that is allowed."""
    async with raw_server(answering(whole(b"x" * 1000))) as server:
        response = await client.send(post(server.url()))

        assert await response.read(1000) == b"x" * 1000


@pytest.mark.parametrize("reset", [False, True], ids=["fin", "rst"])
@pytest.mark.parametrize(
    ("begun", "place"),
    [
        (b"", "before the response began"),
        (b"HTTP/1.1 2", "amid the head of the response"),
        (b"HTTP/1.1 100 Continue\r\n\r\n", "amid the head of the response"),
    ],
)
async def test_a_head_that_breaks_off_is_a_failure(
    client: HttpClient, begun: bytes, place: str, reset: bool
) -> None:
    """The reason tells how far the response came, and what the system said."""

    async def handle(peer: Peer) -> None:
        await peer.receive_request()
        await peer.send(begun)
        if reset:
            await wait_all_tasks_blocked()
            await peer.reset()

    async with raw_server(handle) as server:
        with pytest.raises(TransportFailed) as caught:
            await client.send(post(server.url()))

    assert caught.value.sent
    said = f"broken {place} (Connection reset by peer)" if reset else f"closed {place}"
    assert str(caught.value) == f"connection {said}"


@pytest.mark.parametrize("reset", [False, True], ids=["fin", "rst"])
@pytest.mark.parametrize(
    "begun",
    [OK + b"Content-Length: 9\r\n\r\nhi", CHUNKED + b"9\r\nhi", CHUNKED + b"2\r\nhi\r\n"],
    ids=["short", "cut in a chunk", "cut between chunks"],
)
async def test_a_body_that_breaks_off_is_a_failure(
    client: HttpClient, begun: bytes, reset: bool
) -> None:
    """What came is given; what is missing is never taken for the end, however often one asks."""

    async def handle(peer: Peer) -> None:
        await peer.receive_request()
        await peer.send(begun)
        await go_on.wait()
        if reset:
            await peer.reset()

    go_on = trio.Event()
    async with raw_server(handle) as server:
        response = await client.send(post(server.url()))
        assert await response.receive_some() == b"hi"
        go_on.set()
        for _ in range(2):
            with pytest.raises(
                TransportFailed, match="before the end of the response body"
            ) as caught:
                await response.receive_some()
            assert caught.value.sent
        await response.aclose()


async def test_a_failure_does_not_keep_what_its_reader_holds(client: HttpClient) -> None:
    """What was collected of a stream is freed once nobody needs it, though the stream broke off."""

    async def handle(peer: Peer) -> None:
        await peer.receive_request()
        await peer.send(CHUNKED + b"2\r\nhi\r\n")

    async def read(url: str) -> "ref[Burden]":
        response, collected = await client.send(post(url)), Burden()
        with suppress(TransportFailed):
            while await response.receive_some():
                pass
        await response.aclose()
        return ref(collected)

    async with raw_server(handle) as server:
        with without_collector():
            collected = await read(server.url())
            assert collected() is None


@pytest.mark.parametrize(
    "answer",
    [b"220 mail.example.com ESMTP\r\n", b"HTTP/1.1 200 OK\r\nX-A: " + b"x" * 70_000],
    ids=["another protocol", "endless head"],
)
async def test_an_answer_that_is_not_http_is_a_failure(client: HttpClient, answer: bytes) -> None:
    """It is told at once, without waiting for its end, and the connection is closed."""

    async def handle(peer: Peer) -> None:
        await peer.receive_request()
        await peer.send(answer)
        await peer.wait_gone()

    async with raw_server(handle) as server:
        with pytest.raises(TransportFailed, match=r"^response: found ") as caught:
            await client.send(post(server.url()))
        await server.wait_all_gone()

    assert caught.value.sent


async def test_what_was_good_before_a_fault_is_given(client: HttpClient) -> None:
    """Head and pieces that came in order count; then the fault is told without waiting for more."""

    async def handle(peer: Peer) -> None:
        await peer.receive_request()
        await peer.send(CHUNKED + b"2\r\nhi\r\nbroken")
        await peer.wait_gone()

    async with raw_server(handle) as server:
        response = await client.send(post(server.url()))
        assert (response.status, await response.receive_some()) == (200, b"hi")
        with pytest.raises(TransportFailed, match="found what is not HTTP"):
            await response.receive_some()
        await server.wait_all_gone()


async def test_a_response_may_come_before_the_request_is_sent(client: HttpClient) -> None:
    """A server that refuses a large body unread is heard, and the rest is not sent."""
    size = 50_000_000
    received = 0

    async def handle(peer: Peer) -> None:
        nonlocal received
        received = len(await peer.receive())
        await peer.send(b"HTTP/1.1 413 Too Large\r\nContent-Length: 9\r\n\r\n")
        await peer.send(b"too large")
        while data := await peer.receive():
            received += len(data)

    async with raw_server(handle) as server:
        response = await client.send(post(server.url(), b"x" * size))
        body = await response.read(100)
        await server.wait_all_gone()

    assert (response.status, body) == (413, b"too large")
    assert received < size


async def test_a_server_that_answers_and_hangs_up_unread_is_heard(client: HttpClient) -> None:
    """Sending fails, but what the server has said before counts."""

    async def handle(peer: Peer) -> None:
        await peer.receive()
        await peer.send(b"HTTP/1.1 413 Too Large\r\nContent-Length: 9\r\n\r\ntoo large")
        assert isinstance(peer.stream, trio.SocketStream)
        await peer.stream.send_eof()
        await wait_all_tasks_blocked(0.01)

    async with raw_server(handle) as server:
        response = await client.send(post(server.url(), b"x" * 50_000_000))

        assert (response.status, await response.read(9)) == (413, b"too large")
        assert await fetch(client, post(server.url(), b"")) == b"too large"
        assert len(server.peers) == 2


async def test_request_and_response_may_flow_at_once(client: HttpClient) -> None:
    """A server that answers while it reads gets the whole request, and is read meanwhile."""
    body = bytes(range(256)) * 40_000

    async def handle(peer: Peer) -> None:
        received = await peer.receive()
        received = received[received.index(b"\r\n\r\n") + 4 :]
        await peer.send(OK + b"Content-Length: %d\r\n\r\n" % len(body))
        size = len(received)
        await peer.send(received)
        while size < len(body):
            received = await peer.receive()
            size += len(received)
            await peer.send(received)
        await peer.wait_gone()

    async with raw_server(handle) as server:
        assert await fetch(client, post(server.url(), body)) == body
    assert client._pool.idle == 1


async def test_a_large_request_arrives_whole(client: HttpClient) -> None:
    """Sizes around the bounds of copying and sending, and far above."""
    received: list[bytes | None] = []

    async def handle(peer: Peer) -> None:
        while (request := await peer.receive_request()) is not None:
            received.append(request[request.index(b"\r\n\r\n") + 4 :])
            await peer.send(whole(b"hi"))

    bodies = [bytes([65 + n]) * size for n, size in enumerate((65536, 65537, 1 << 20, 9_999_999))]
    async with raw_server(handle) as server:
        for body in bodies:
            await fetch(client, post(server.url(), body))

    assert received == bodies
    assert len(server.peers) == 1


async def test_an_answer_given_up_closes_its_connection(client: HttpClient) -> None:
    """A reader that has enough closes, even in a cancelled scope; closing twice does nothing."""

    async def handle(peer: Peer) -> None:
        await peer.receive_request()
        await peer.send(CHUNKED + b"2\r\nhi\r\n")
        await peer.wait_gone()

    async with raw_server(handle) as server:
        response = await client.send(post(server.url()))
        assert await response.receive_some() == b"hi"
        with trio.CancelScope() as scope:
            scope.cancel()
            await response.aclose()
            await response.aclose()
        await server.wait_all_gone()

        assert client._pool.idle == client._pool.in_use == 0
        with pytest.raises(TransportFailed, match="closed"):
            await response.receive_some()


async def test_what_was_not_read_is_not_taken_for_the_end(client: HttpClient) -> None:
    """After closing there is no body any more; the connection, of which all has come, lives."""
    async with raw_server(answering(whole(b"hi"))) as server:
        response = await client.send(post(server.url()))
        await response.aclose()

        with pytest.raises(TransportFailed, match="closed"):
            await response.read(100)
        await fetch(client, post(server.url()))
        assert len(server.peers) == 1


async def test_closing_the_client_closes_all_connections() -> None:
    """Idle ones and those in use end; whoever waits on one is told, and nothing is opened anew."""
    client = HttpClient({})
    failures: list[TransportFailed] = []

    async def handle(peer: Peer) -> None:
        request = await peer.receive_request()
        await peer.send(whole(b"hi") if request and b"/whole" in request else CHUNKED)
        await peer.wait_gone()

    async def read_on(url: str) -> None:
        response = await client.send(post(url))
        is_reading.set()
        try:
            await response.receive_some()
        except TransportFailed as failure:
            failures.append(failure)
        await response.aclose()

    is_reading = trio.Event()
    async with raw_server(handle) as server, trio.open_nursery() as nursery:
        held = await client.send(post(server.url()))
        nursery.start_soon(read_on, server.url())
        await is_reading.wait()
        await fetch(client, post(server.url("/whole")))
        with trio.CancelScope() as scope:
            scope.cancel()
            await client.aclose()
        await server.wait_all_gone()
        with pytest.raises(TransportFailed):
            await held.receive_some()
        with pytest.raises(TransportFailed):
            await client.send(post(server.url()))
        await client.aclose()

    assert [str(failure) for failure in failures] == ["connection closed by LSD"]
    assert len(server.peers) == 3
    assert client._pool.in_use == client._pool.idle == 0
