"""Bodies of requests: how they reach the application, and what becomes of one that it ignores."""

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from tests.unit.network.serving import (
    TIGHT_WAYS,
    WAYS,
    Message,
    Notes,
    Receive,
    Send,
    Way,
    answer,
    answers,
    connected,
    read,
)

POST = b"POST / HTTP/1.1\r\nHost: a\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"
LAST = b"GET /last HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> Way:
    """Over which kind of stream the client is connected."""
    found: Way = request.param
    return found


async def test_a_small_body_is_one_message(way: Way, autojump_clock: MockClock) -> None:
    """What came with the head is given whole, and is known to be all."""
    messages: list[Message] = []

    async def app(scope: Message, receive: Receive, send: Send) -> None:
        messages.append(await receive())
        await answer(send, b"ok")

    async with connected(app, way) as client:
        await client.ask(POST + b"Content-Length: 5\r\n\r\nhello")
        assert messages == [{"type": "http.request", "body": b"hello", "more_body": False}]


async def test_a_request_without_a_body_has_an_empty_one(
    way: Way, autojump_clock: MockClock
) -> None:
    """The application need not know whether there is a body before it reads it."""
    app = Notes()

    async with connected(app, way) as client:
        data = await client.ask(POST + b"\r\n" + POST + b"Content-Length: 0\r\n\r\n" + LAST)

    assert app.bodies == [b"", b"", b""]
    assert len(answers(data, "POST", "POST", "GET")) == 3


async def test_a_body_is_given_as_it_comes(way: Way, autojump_clock: MockClock) -> None:
    """Nobody waits for the last byte to hand over the first."""
    messages: list[Message] = []

    async def app(scope: Message, receive: Receive, send: Send) -> None:
        messages.extend([await receive() for _ in range(3)])
        await answer(send, b"ok")

    async with connected(app, way) as client:
        await client.ask(POST + b"Content-Length: 6\r\n\r\n", b"ab", b"cd", b"ef")

    assert [message["body"] for message in messages] == [b"ab", b"cd", b"ef"]
    assert [message["more_body"] for message in messages] == [True, True, False]


async def test_chunks_are_joined_or_not_but_never_seen(way: Way, autojump_clock: MockClock) -> None:
    """Sizes, extensions and trailers stay with the server; the next request follows at once."""
    app = Notes()
    chunks = b'3\r\nabc\r\n0A;a="b;c";d\r\n0123456789\r\n0\r\nX-Sum: 1\r\n\r\n'

    async with connected(app, way) as client:
        data = await client.ask(CHUNKED + chunks + LAST)

    assert app.bodies == [b"abc0123456789", b""]
    assert [each.status for each in answers(data, "POST", "GET")] == [200, 200]


async def test_chunks_may_hold_what_looks_like_their_end(
    way: Way, autojump_clock: MockClock
) -> None:
    """Empty lines and zeros within a chunk are data."""
    app = Notes()
    body = b"\r\n\r\n0\r\n\r\n\r\n\r\n\r\nGET / HTTP/1.1\r\n\r\n"

    async with connected(app, way) as client:
        await client.ask(CHUNKED + b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body) + LAST)

    assert app.bodies == [body, b""]


async def test_a_large_body_arrives_unchanged(way: Way, autojump_clock: MockClock) -> None:
    """Some megabytes, by length and in chunks."""
    app = Notes()
    body = bytes(range(256)) * 20_000
    half = len(body) // 2
    chunks = b"".join(b"%x\r\n%b\r\n" % (half, each) for each in (body[:half], body[half:]))

    async with connected(app, way) as client:
        await client.ask(POST + b"Content-Length: %d\r\n\r\n" % len(body) + body, CHUNKED + chunks)
        await client.ask()

    assert app.bodies[0] == body


BAD_CHUNKS = {
    "no size": b"\r\nabc\r\n0\r\n\r\n",
    "no number": b"xyz\r\nabc\r\n0\r\n\r\n",
    "0x": b"0x3\r\nabc\r\n0\r\n\r\n",
    "sign": b"+3\r\nabc\r\n0\r\n\r\n",
    "below zero": b"-3\r\nabc\r\n0\r\n\r\n",
    "space before": b" 3\r\nabc\r\n0\r\n\r\n",
    "space behind": b"3 \r\nabc\r\n0\r\n\r\n",
    "bare LF behind size": b"3\nabc\r\n0\r\n\r\n",
    "bare CR behind size": b"3\rabc\r\n0\r\n\r\n",
    "bare LF in extension": b"3;a\nabc\r\n0\r\n\r\n",
    "bare CR in extension": b"3;a\rb\r\nabc\r\n0\r\n\r\n",
    "NUL in extension": b"3;a\0b\r\nabc\r\n0\r\n\r\n",
    "data too long": b"3\r\nabcd\r\n0\r\n\r\n",
    "data too short": b"3\r\nab\r\n0\r\n\r\n",
    "bare LF behind data": b"3\r\nabc\n0\r\n\r\n",
    "bare LF for an end": b"3\r\nabc\r\n0\r\n\nGET / HTTP/1.1\r\n",
    "size beyond 64 bits": b"10000000000000003\r\nabc\r\n0\r\n\r\n",
    "bad trailer": b"0\r\nX : a\r\n\r\n",
    "folded trailer": b"0\r\nX: a\r\n b\r\n\r\n",
    "endless extension": b"3;" + b"a" * 100_000 + b"\r\nabc\r\n0\r\n\r\n",
    "endless size": b"0" * 100_000 + b"3\r\nabc\r\n0\r\n\r\n",
    "long trailers": b"0\r\n" + b"X: a\r\n" * 4_000 + b"\r\n",
    "endless trailers": b"0\r\n" + b"X: a\r\n" * 20_000 + b"\r\n",
}


@pytest.mark.parametrize("chunks", BAD_CHUNKS.values(), ids=BAD_CHUNKS)
async def test_broken_chunks_are_refused_and_nothing_after_them_is_heard(
    chunks: bytes, way: Way, autojump_clock: MockClock
) -> None:
    """The application sees the client leave; the client reads what is wrong."""
    app = Notes()

    async with connected(app, way) as client:
        data = await client.ask(CHUNKED + chunks + LAST)

    (refused,) = answers(data, "POST")
    assert (refused.status, refused.headers["connection"]) == (400, "close")
    assert app.farewells == ["/"]
    assert len(app.scopes) == 1


@pytest.mark.parametrize("chunks", BAD_CHUNKS.values(), ids=BAD_CHUNKS)
async def test_broken_chunks_that_nobody_reads_end_the_connection(
    chunks: bytes, way: Way, autojump_clock: MockClock
) -> None:
    """The answer is the application's, and what follows is not taken for a request."""
    app = Notes(reads=False)

    async with connected(app, way) as client:
        data = await client.ask(CHUNKED + chunks + LAST)

    assert [each.status for each in answers(data, "POST")] == [200]
    assert len(app.scopes) == 1


async def test_a_size_that_wraps_around_is_just_a_large_size(
    autojump_clock: MockClock,
) -> None:
    """No request can hide behind a chunk that is said to be longer than the world."""
    app = Notes()

    async with connected(app, "stream") as client:
        await client.ask(CHUNKED + b"ffffffffffffffff\r\nabc\r\n0\r\n\r\n" + LAST)

    assert len(app.scopes) == 1
    assert app.farewells == ["/"]


UNREAD = {
    "by length": POST + b"Content-Length: 5\r\n\r\n" + LAST[:5],
    "in chunks": CHUNKED + b"4\r\nGET \r\n0\r\n\r\n",
}


@pytest.mark.parametrize("request_data", UNREAD.values(), ids=UNREAD)
async def test_a_small_body_that_is_not_read_is_dropped(
    request_data: bytes, way: Way, autojump_clock: MockClock
) -> None:
    """The connection goes on with the next request, wherever the body was cut."""
    app = Notes(reads=False)

    async with connected(app, way) as client:
        data = await client.ask(request_data[:-3], request_data[-3:] + LAST)

    paths = [scope["path"] for scope in app.scopes]
    assert paths == ["/", "/last"]
    assert len(answers(data, "POST", "GET")) == 2


async def test_a_large_body_that_is_not_read_ends_the_connection(
    way: Way, autojump_clock: MockClock
) -> None:
    """The answer says so, and reaches the client although it is still sending."""
    app = Notes(reads=False)
    length = 300_000

    async with connected(app, way) as client:
        head = POST + b"Content-Length: %d\r\n\r\n" % length
        data = await client.ask(head, b"x" * length, LAST)

    (only,) = answers(data, "POST")
    assert only.headers["connection"] == "close"
    assert len(app.scopes) == 1


async def test_endless_chunks_that_are_not_read_end_the_connection(
    way: Way, autojump_clock: MockClock
) -> None:
    """Without a length, so much is read in hope of the end, and no more."""
    app = Notes(reads=False)

    async with connected(app, way) as client:
        data = await client.ask(CHUNKED, *[b"ffff\r\n" + b"x" * 0xFFFF + b"\r\n"] * 6, LAST)

    assert len(answers(data, "POST")) == 1
    assert len(app.scopes) == 1


async def test_a_body_that_nobody_reads_and_nobody_sends_ends_the_connection(
    way: Way, autojump_clock: MockClock
) -> None:
    """A client that has its answer is given some seconds to end its request."""
    app = Notes(reads=False)

    async with connected(app, way) as client:
        await client.stream.send_all(POST + b"Content-Length: 5\r\n\r\nab")
        data = await client.rest()

    assert len(answers(data, "POST")) == 1
    assert autojump_clock.current_time() <= 10


EXPECTING = POST + b"Content-Length: 5\r\nExpect: 100-Continue\r\n\r\n"


async def test_a_client_that_asks_is_told_to_go_on(way: Way, autojump_clock: MockClock) -> None:
    """It is told when the application wants the body, and before the answer."""
    app = Notes()

    async with connected(app, way) as client:
        await client.stream.send_all(EXPECTING)
        first = await client.until(b"\r\n\r\n")
        rest = await client.ask(b"he", b"llo")

    assert first == b"HTTP/1.1 100 Continue\r\n\r\n"
    (only,) = answers(rest, "POST")
    assert app.bodies == [b"hello"]
    assert "connection" not in only.headers


async def test_a_client_is_not_told_to_go_on_for_nothing(
    way: Way, autojump_clock: MockClock
) -> None:
    """If nobody wants the body, the answer comes at once; then nobody knows what is next."""
    app = Notes(reads=False)

    async with connected(app, way) as client:
        data = await client.ask(EXPECTING, LAST)

    (only,) = answers(data, "POST")
    assert not only.is_continued
    assert only.headers["connection"] == "close"
    assert len(app.scopes) == 1


@pytest.mark.parametrize(
    "data",
    [
        EXPECTING + b"hello",
        EXPECTING.replace(b"HTTP/1.1", b"HTTP/1.0") + b"hello",
        EXPECTING.replace(b"100-Continue", b"miracles") + b"hello",
    ],
)
async def test_a_client_that_does_not_wait_is_not_told_to_go_on(
    data: bytes, way: Way, autojump_clock: MockClock
) -> None:
    """Nor is one of HTTP/1.0, or one that expects something else."""
    async with connected(Notes(), way) as client:
        (only,) = answers(await client.ask(data), "POST")

    assert (only.status, only.is_continued) == (200, False)


@pytest.mark.parametrize("way", TIGHT_WAYS)
async def test_a_body_is_not_read_faster_than_the_application_takes_it(
    way: Way, autojump_clock: MockClock
) -> None:
    """The client waits; what is held for a handler that is busy has a bound."""
    may_read = trio.Event()
    bodies: list[bytes | None] = []
    length = 4 << 20

    async def app(scope: Message, receive: Receive, send: Send) -> None:
        await may_read.wait()
        bodies.append(await read(receive))
        await answer(send, b"ok")

    async with connected(app, way) as client, trio.open_nursery() as nursery:
        sent = trio.Event()

        async def send() -> None:
            await client.stream.send_all(POST + b"Content-Length: %d\r\n\r\n" % length)
            for _ in range(64):
                await client.stream.send_all(bytes(1 << 16))
            sent.set()

        nursery.start_soon(send)
        await wait_all_tasks_blocked()
        was_sent = sent.is_set()
        may_read.set()
        data = await client.rest()

    assert not was_sent
    assert bodies == [bytes(length)]
    assert len(answers(data, "POST")) == 1


async def test_a_client_that_breaks_off_its_body_has_left(
    way: Way, autojump_clock: MockClock
) -> None:
    """The application hears that the client is gone, and nobody is answered."""
    app = Notes()

    async with connected(app, way) as client:
        await client.stream.send_all(POST + b"Content-Length: 5\r\n\r\nab")
        await wait_all_tasks_blocked()
        await client.stream.send_eof()
        data = await client.rest()

    assert app.farewells == ["/"]
    assert data == b""


async def test_a_body_may_pause_for_75_seconds(way: Way, autojump_clock: MockClock) -> None:
    """A client that has fallen silent does not hold its handler for ever."""
    app = Notes()

    async with connected(app, way) as client:
        await client.stream.send_all(POST + b"Content-Length: 5\r\n\r\nab")
        data = await client.rest()

    (only,) = answers(data, "POST")
    assert only.status == 408
    assert app.farewells == ["/"]
    assert 75 <= autojump_clock.current_time() <= 81
