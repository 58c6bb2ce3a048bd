"""Requests over real sockets: what is on the wire, how it fails, and what is left behind."""

import gzip
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

import attrs
import pytest
import trio

from lsd import __version__
from lsd.conversation import WireRequest
from lsd.network import BodyTooLarge, TransportFailed, httpx_transport
from lsd.network.httpx_transport import HttpxTransport
from tests.fakes.openai_scripts import answers, cut_after, drops, fails, hangs, says, streams
from tests.fakes.provider import FakeProvider
from tests.fakes.script import Body, Chunked, Fin, Hang, Head, Header, Raw, Rst, Script, script

SECRET = "sk-do-not-tell"


@pytest.fixture
async def provider() -> AsyncIterator[FakeProvider]:
    """A fake provider, running."""
    async with FakeProvider() as running:
        yield running


@pytest.fixture
async def transport() -> AsyncIterator[HttpxTransport]:
    """A transport without proxies. When the test is over, no connection may be in use."""
    made = HttpxTransport({})
    yield made
    assert connections_in_use(made) == 0
    await made.aclose()


def connections_in_use(transport: HttpxTransport) -> int:
    """How many connections the pools hold for requests that are under way."""
    pools = [pool._pool for pool in transport._pools.values()]
    assert all(not pool._requests for pool in pools)
    return sum(not connection.is_idle() for pool in pools for connection in pool.connections)


def post(url: str, headers: Mapping[str, str] | None = None, body: bytes = b"{}") -> WireRequest:
    """A request such as dialects make."""
    return WireRequest(method="POST", url=url, headers=headers or {}, body=body)


async def fetch(transport: HttpxTransport, request: WireRequest) -> bytes:
    """The whole body of the answer."""
    response = await transport.send(request)
    try:
        return await response.read(100_000)
    finally:
        await response.aclose()


async def serve(
    nursery: trio.Nursery, handler: Callable[[trio.SocketStream], Awaitable[None]]
) -> int:
    """A server of its own for what a fake provider does not do; its port."""
    (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
    nursery.start_soon(trio.serve_listeners, handler, [listener])
    port: int = listener.socket.getsockname()[1]
    return port


async def receive_request(stream: trio.SocketStream) -> bytes:
    """A whole request with the body of `post`."""
    received = b""
    while not received.endswith(b"{}"):
        received += await stream.receive_some()
    return received


async def test_only_what_was_given_and_what_http_needs_is_sent(transport: HttpxTransport) -> None:
    """Headers keep their case and order; `Host`, the length and our name are all that is added."""
    received = b""

    async def answer(stream: trio.SocketStream) -> None:
        nonlocal received
        async with stream:
            received = await receive_request(stream)
            await stream.send_all(b"HTTP/1.1 204 No Content\r\n\r\n")

    async with trio.open_nursery() as nursery:
        port = await serve(nursery, answer)
        url = f"http://127.0.0.1:{port}/v1/dep%2Floy?api-version=1"
        await fetch(transport, post(url, {"X-Later": "é", "Content-Type": "application/json"}))
        nursery.cancel_scope.cancel()

    assert received.decode() == (
        f"POST /v1/dep%2Floy?api-version=1 HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
        f"User-Agent: LSD/{__version__}\r\nX-Later: é\r\nContent-Type: application/json\r\n"
        "Content-Length: 2\r\n\r\n{}"
    )


async def test_a_given_user_agent_is_kept(
    provider: FakeProvider, transport: HttpxTransport
) -> None:
    """Our name is only for requests that have none, in whatever case it is written."""
    url = provider.will("says", says("hello"))

    await fetch(transport, post(url, {"user-agent": "mine"}))

    assert provider.requests[0].headers["user-agent"] == "mine"


async def test_an_anonymous_request_names_nobody(
    provider: FakeProvider, transport: HttpxTransport
) -> None:
    """Our name can be left out."""
    url = provider.will("says", says("hello"))

    await fetch(transport, attrs.evolve(post(url), anonymous=True))

    assert "user-agent" not in provider.requests[0].headers


async def test_a_response_shows_its_status_and_headers(
    provider: FakeProvider, transport: HttpxTransport
) -> None:
    """Names are lower-case; values of a repeated header are joined."""
    steps = (*fails(429, "slow down", {"Retry-After": "3"}).steps[:-1], Header("retry-after", "4"))
    url = provider.will("fails", Script((*steps, Body(b"slow down"))))

    response = await transport.send(post(url))
    body = await response.read(100)
    await response.aclose()

    assert (response.status, body) == (429, b"slow down")
    assert response.headers["retry-after"] == "3, 4"
    assert response.headers["content-type"] == "text/html"


async def test_a_stream_arrives_in_pieces_until_its_end(
    provider: FakeProvider, transport: HttpxTransport
) -> None:
    """Each piece comes as it arrives; after the last one there are only empty ones."""
    url = provider.will("streams", streams(["a", "b", "c"], gap_ms=5))

    response = await transport.send(post(url))
    pieces = []
    while piece := await response.receive_some():
        pieces.append(piece)
    again = await response.receive_some()
    await response.aclose()

    assert len(pieces) > 1
    assert b"".join(pieces).endswith(b"data: [DONE]\n\n")
    assert again == b""


async def test_content_codings_are_undone(
    provider: FakeProvider, transport: HttpxTransport
) -> None:
    """A compressed body is read as what it stands for."""
    packed = answers(gzip.compress(b"plain" * 100), headers={"Content-Encoding": "gzip"})
    url = provider.will("packed", packed)

    assert await fetch(transport, post(url)) == b"plain" * 100


async def test_a_coding_that_cannot_be_undone_is_a_failure(
    provider: FakeProvider, transport: HttpxTransport
) -> None:
    """Broken compression counts as a broken body."""
    url = provider.will("broken", answers(b"no gzip", headers={"Content-Encoding": "gzip"}))

    with pytest.raises(TransportFailed):
        await fetch(transport, post(url))


async def test_a_body_beyond_the_bound_is_not_read(
    provider: FakeProvider, transport: HttpxTransport
) -> None:
    """Reading ends with an error at the bound, and the connection is not used again."""
    url = provider.will("large", answers(b"x" * 1001))

    response = await transport.send(post(url))
    with pytest.raises(BodyTooLarge):
        await response.read(1000)
    await response.aclose()
    await fetch(transport, post(provider.will("small", answers(b"x"))))

    assert [request.connection for request in provider.requests] == [1, 2]


@pytest.mark.parametrize(
    "broken",
    [
        script(Header("Content-Length", "9"), Body(b"five!"), Fin()),
        script(Chunked(b"five!"), Fin()),
        script(Head(), Raw(b"9\r\nfive!"), Fin()),
        cut_after(2),
        cut_after(2, reset=True),
    ],
    ids=["short", "cut between chunks", "cut in a chunk", "cut stream", "reset stream"],
)
async def test_a_body_that_breaks_off_is_a_failure(
    provider: FakeProvider, transport: HttpxTransport, broken: Script
) -> None:
    """What is missing at the end is never taken for the end, however often one asks."""
    url = provider.will("broken", broken)

    response = await transport.send(post(url))
    with pytest.raises(TransportFailed) as caught:
        await response.read(1000)
    with pytest.raises(TransportFailed):
        await response.receive_some()
    await response.aclose()

    assert caught.value.sent


async def test_redirects_are_not_followed(
    provider: FakeProvider, transport: HttpxTransport
) -> None:
    """A redirect is an answer like any other."""
    url = provider.will("moved", fails(307, "", {"Location": "/elsewhere"}))

    response = await transport.send(post(url))
    await response.aclose()

    assert (response.status, response.headers["location"]) == (307, "/elsewhere")
    assert len(provider.requests) == 1


async def test_no_cookie_is_kept(provider: FakeProvider, transport: HttpxTransport) -> None:
    """One caller's cookie never goes with another caller's request."""
    url = provider.will("baker", answers("{}", headers={"Set-Cookie": "session=1"}))

    await fetch(transport, post(url))
    await fetch(transport, post(url))

    assert "cookie" not in provider.requests[1].headers


async def test_a_body_that_was_read_leaves_nothing_to_close(
    provider: FakeProvider, transport: HttpxTransport
) -> None:
    """Its connection is free for the next request."""
    url = provider.will("says", says("hello"))

    response = await transport.send(post(url))
    await response.read(100_000)

    assert connections_in_use(transport) == 0


async def test_a_hundred_requests_in_a_row_share_one_connection(  # case 50
    provider: FakeProvider, transport: HttpxTransport
) -> None:
    """A body read to its end leaves the connection for the next request."""
    url = provider.will("says", says("hello"))

    for _ in range(100):
        await fetch(transport, post(url))

    assert {request.connection for request in provider.requests} == {1}


async def test_requests_do_not_wait_for_each_other(
    provider: FakeProvider, transport: HttpxTransport
) -> None:
    """There are as many connections as requests under way."""
    url = provider.will("hangs", hangs())

    async with trio.open_nursery() as nursery:
        for _ in range(150):
            nursery.start_soon(fetch, transport, post(url))
        await provider.wait_for_request(150)
        nursery.cancel_scope.cancel()

    assert {request.connection for request in provider.requests} == set(range(1, 151))


async def test_a_connection_closed_while_idle_is_replaced(
    provider: FakeProvider, transport: HttpxTransport
) -> None:
    """A server that closes idle connections is asked again over a new one; nobody notices."""
    url = provider.will("closes", Script((*answers("{}").steps, Fin())))

    for _ in range(3):
        await fetch(transport, post(url))
        # The farewell must be here before the next request; on loopback it is, after this.
        await trio.testing.wait_all_tasks_blocked(0.01)

    assert [request.connection for request in provider.requests] == [1, 2, 3]


async def test_a_request_that_crosses_the_servers_farewell_is_sent_again(
    provider: FakeProvider, transport: HttpxTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When a connection breaks that had been idle for long, a new one gets the request."""
    monkeypatch.setattr(httpx_transport, "STALE_IDLE_S_MIN", 0)
    provider.will("says", says("hello"))
    provider.will("drops", drops())
    url = provider.url("seq:says,drops,says")

    await fetch(transport, post(url))
    body = await fetch(transport, post(url))

    assert b"hello" in body
    assert [request.connection for request in provider.requests] == [1, 1, 2]


@pytest.mark.parametrize("reset", [False, True], ids=["fin", "rst"])
async def test_a_connection_that_breaks_at_work_is_a_failure(
    provider: FakeProvider,
    transport: HttpxTransport,
    monkeypatch: pytest.MonkeyPatch,
    reset: bool,
) -> None:
    """Without a long idle time before, the server has dropped this request: it is not repeated."""
    monkeypatch.setattr(httpx_transport, "STALE_IDLE_S_MIN", 3600)
    provider.will("says", says("hello"))
    provider.will("drops", drops(reset=reset))
    url = provider.url("seq:says,drops")

    await fetch(transport, post(url))
    with pytest.raises(TransportFailed) as caught:
        await transport.send(post(url))

    assert caught.value.sent
    assert len(provider.requests) == 2


async def test_a_new_connection_that_breaks_is_a_failure_at_once(
    provider: FakeProvider, transport: HttpxTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A request is repeated only because of an old connection."""
    monkeypatch.setattr(httpx_transport, "STALE_IDLE_S_MIN", 0)
    url = provider.will("drops", drops())

    with pytest.raises(TransportFailed):
        await transport.send(post(url))

    assert len(provider.requests) == 1


async def test_a_refused_connection_was_not_sent(transport: HttpxTransport) -> None:
    """The reason is what the system said; nothing has left this machine."""
    (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
    port = listener.socket.getsockname()[1]
    await listener.aclose()

    with pytest.raises(TransportFailed) as caught:
        await transport.send(post(f"http://127.0.0.1:{port}/v1?key={SECRET}"))

    assert not caught.value.sent
    assert "Connection refused" in str(caught.value)
    assert SECRET not in str(caught.value)


async def test_an_answer_that_is_not_http_is_a_failure(
    provider: FakeProvider, transport: HttpxTransport
) -> None:
    """Whatever speaks on the other side must speak HTTP; its words are cut short."""
    url = provider.will(
        "smtp", script(Raw(b"220 mail.example.com " + b"x" * 5000 + b"\r\n"), Rst())
    )

    with pytest.raises(TransportFailed) as caught:
        await transport.send(post(url))

    assert caught.value.sent
    assert len(str(caught.value)) <= httpx_transport.REASON_LENGTH_MAX


@pytest.mark.parametrize(
    ("url", "headers"),
    [
        ("http://127.0.0.1:1/", {"Authorization": f"Bearer {SECRET}\r\nX-Evil: 1"}),
        ("http://127.0.0.1:1/", {"Authorization": f"Bearer {SECRET}\ud800"}),
        ("http://127.0.0.1:1/", {f"X-{SECRET}é": "1"}),
        (f"http://127.0.0.1:x{SECRET}/", {}),
        (f"ftp://127.0.0.1:1/{SECRET}", {}),
        (f"{SECRET}/v1", {}),
    ],
    ids=["line end", "surrogate", "name", "port", "scheme", "no scheme"],
)
async def test_what_cannot_be_sent_is_not_told(
    provider: FakeProvider, transport: HttpxTransport, url: str, headers: dict[str, str]
) -> None:
    """A request that is no HTTP fails unsent, and nothing of it appears in any traceback."""
    url = url.replace("127.0.0.1:1/", f"127.0.0.1:{provider.port}/")

    with pytest.raises(TransportFailed) as caught:
        await transport.send(post(url, headers))

    assert not caught.value.sent
    assert SECRET not in "".join(traceback.format_exception(caught.value))
    assert provider.requests == []


async def test_a_proxy_is_used_for_other_machines(provider: FakeProvider) -> None:
    """A plain request goes to the proxy with its whole URL, and with the proxy's password."""
    received = b""

    async def relay(stream: trio.SocketStream) -> None:
        nonlocal received
        async with stream:
            received = await receive_request(stream)
            await stream.send_all(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nthis")

    async with trio.open_nursery() as nursery:
        port = await serve(nursery, relay)
        transport = HttpxTransport({"http_proxy": f"http://user:{SECRET}@127.0.0.1:{port}"})
        body = await fetch(transport, post("http://models.example.com/v1"))
        nearby = await fetch(transport, post(provider.will("near", answers(b"near"))))
        nursery.cancel_scope.cancel()
    await transport.aclose()

    assert (body, nearby) == (b"this", b"near")
    assert received.startswith(b"POST http://models.example.com/v1 HTTP/1.1\r\n")
    assert b"Proxy-Authorization: Basic " in received


async def test_a_proxy_of_another_kind_is_refused_when_it_would_be_used() -> None:
    """An address that cannot be a proxy fails the request, not the start, and is not shown."""
    for address in (f"socks5://user:{SECRET}@proxy:1", f"http://proxy:{SECRET}"):
        transport = HttpxTransport({"ALL_PROXY": address})

        with pytest.raises(TransportFailed) as caught:
            await transport.send(post("http://models.example.com/v1"))

        assert not caught.value.sent
        assert "wanted http:// or https://" in str(caught.value)
        assert SECRET not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize(
    "slow",
    [hangs(), hangs(after_head=True), script(Chunked(b"some"), Hang())],
    ids=["before the head", "before the body", "amid the body"],
)
async def test_a_cancelled_request_closes_its_connection(
    provider: FakeProvider, transport: HttpxTransport, slow: Script
) -> None:
    """Wherever the wait is cut short, the server sees at once that nobody waits any more."""
    url = provider.will("slow", slow)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(fetch, transport, post(url))
        request = await provider.wait_for_request()
        await trio.testing.wait_all_tasks_blocked(0.01)
        nursery.cancel_scope.cancel()

    await request.wait_closed()
    assert connections_in_use(transport) == 0


async def test_a_stream_given_up_closes_its_connection(
    provider: FakeProvider, transport: HttpxTransport
) -> None:
    """A reader that has enough closes; no warning about what it left unread comes up."""
    url = provider.will("slow", script(Chunked(b"some"), Hang()))

    response = await transport.send(post(url))
    assert await response.receive_some() == b"some"
    await response.aclose()
    await response.aclose()

    await provider.requests[0].wait_closed()
    assert connections_in_use(transport) == 0


async def test_closing_works_inside_a_cancelled_scope(
    provider: FakeProvider, transport: HttpxTransport
) -> None:
    """A cancelled caller's `finally` lets go of the connection all the same."""
    url = provider.will("slow", script(Chunked(b"some"), Hang()))
    response = await transport.send(post(url))

    with trio.CancelScope() as scope:
        scope.cancel()
        await response.aclose()

    await provider.requests[0].wait_closed()


async def test_a_cancelled_handshake_closes_its_connection(transport: HttpxTransport) -> None:
    """A server that never answers the TLS greeting is left at once."""
    has_closed = trio.Event()

    async def stay_silent(stream: trio.SocketStream) -> None:
        async with stream:
            async for _ in stream:
                greeted.set()
            has_closed.set()

    greeted = trio.Event()
    async with trio.open_nursery() as nursery:
        port = await serve(nursery, stay_silent)
        with trio.CancelScope() as scope:
            nursery.start_soon(cancel_when, greeted, scope)
            await transport.send(post(f"https://127.0.0.1:{port}/"))
        with trio.fail_after(5):
            await has_closed.wait()
        nursery.cancel_scope.cancel()


async def cancel_when(event: trio.Event, scope: trio.CancelScope) -> None:
    """Cancels the scope as soon as the event has come."""
    await event.wait()
    scope.cancel()


async def test_no_moment_of_cancellation_leaves_a_connection_in_use(
    provider: FakeProvider, transport: HttpxTransport
) -> None:
    """Requests cancelled at any of their steps leave nothing behind."""
    url = provider.will("streams", streams(["a", "b"]))

    for steps in range(60):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(fetch, transport, post(url))
            for _ in range(steps):
                await trio.lowlevel.checkpoint()
            nursery.cancel_scope.cancel()
        assert connections_in_use(transport) == 0


async def test_closing_the_transport_closes_all_connections(provider: FakeProvider) -> None:
    """Idle connections and those in use end with the transport, even in a cancelled scope."""
    transport = HttpxTransport({})
    idle = provider.will("says", says("hello"))
    busy = provider.will("hangs", script(Chunked(b"some"), Hang()))
    response = await transport.send(post(busy))
    await fetch(transport, post(idle))

    with trio.CancelScope() as scope:
        scope.cancel()
        await transport.aclose()

    await provider.requests[0].wait_closed()
    await response.aclose()
