"""What an application may use beyond ASGI's messages."""

import orjson
import pytest
import trio
from structlog.testing import capture_logs
from trio.testing import MockClock

from lsd.network._server_answer import BadAnswer
from tests.unit.network.serving import (
    DATE,
    WAYS,
    Message,
    Receive,
    Send,
    Way,
    answers,
    connected,
    read,
)

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n"
POST_CHUNKED = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"

PLAIN = [(b"content-type", b"text/plain")]


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> Way:
    """Over which kind of stream the client is connected."""
    found: Way = request.param
    return found


async def echo(scope: Message, receive: Receive, send: Send) -> None:
    """Answers with what has come of the body with the head, and with all of it."""
    exchange = scope["extensions"]["lsd.exchange"]
    said = repr((exchange.whole_body, await read(receive)))
    await exchange.answer(200, PLAIN, said.encode())


async def ok(scope: Message, receive: Receive, send: Send) -> None:
    """Receives nothing."""
    await scope["extensions"]["lsd.exchange"].answer(200, PLAIN, b"ok")


@pytest.mark.parametrize(
    ("pieces", "found"),
    [
        ([POST + b"body"], (b"body", b"body")),
        ([GET], (b"", b"")),
        ([POST[:-2], b"\r\nbody"], (b"body", b"body")),
        ([POST + b"bo", b"dy"], (None, b"body")),
        ([POST_CHUNKED + b"4\r\nbody\r\n0\r\n\r\n"], (None, b"body")),
    ],
)
async def test_a_body_that_came_with_the_head_need_not_be_received(
    way: Way, autojump_clock: MockClock, pieces: list[bytes], found: tuple[bytes | None, bytes]
) -> None:
    """It is at hand; whoever receives it as a message gets the same."""
    async with connected(echo, way) as client:
        data = await client.ask(*pieces)

    (only,) = answers(data, "POST")
    assert only.body == repr(found).encode()


@pytest.mark.parametrize(
    ("head", "headers"),
    [
        (b"GET / HTTP/1.1\r\nHOST: a \r\nX-Y:\tz \xe9\t\r\n", {"host": "a", "x-y": "z \xe9"}),
        (b"GET http://b/ HTTP/1.1\r\nHost: a\r\nx: y\r\n", {"host": "b", "x": "y"}),
        (b"GET http://b/ HTTP/1.0\r\n", {"host": "b"}),
        (b"GET / HTTP/1.1\r\nHost: a\r\nx: y\r\nX: z\r\n", None),
    ],
)
async def test_headers_are_at_hand_by_name(
    autojump_clock: MockClock, head: bytes, headers: dict[str, str] | None
) -> None:
    """As the scope has them, but where two have the same name, only the scope has all."""
    seen: list[object] = []

    async def app(scope: Message, receive: Receive, send: Send) -> None:
        seen.append(scope["extensions"]["lsd.exchange"].request_headers)
        told = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        assert headers in (None, told)
        assert (headers is None) == (len(told) < len(scope["headers"]))
        await ok(scope, receive, send)

    async with connected(app, "stream") as client:
        (only,) = answers(await client.ask(head + b"\r\n"), "GET")

    assert (only.body, seen) == (b"ok", [headers])


async def test_what_was_not_received_is_no_part_of_the_next_request(
    way: Way, autojump_clock: MockClock
) -> None:
    """Several requests that have come together are answered one after the other."""
    async with connected(ok, way) as client:
        data = await client.ask(POST + b"body" + GET + POST + b"body")

    assert [each.body for each in answers(data, "POST", "GET", "POST")] == [b"ok"] * 3


async def test_a_whole_answer_has_its_headers_a_length_and_a_date(
    way: Way, autojump_clock: MockClock
) -> None:
    """The server adds what it alone knows."""
    async with connected(ok, way) as client:
        data = await client.ask(GET)

    head = "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 2\r\n"
    assert data == f"{head}date: {DATE}\r\n\r\nok".encode()


async def test_a_whole_answer_is_one_write(autojump_clock: MockClock) -> None:
    """Nobody waits for a second packet."""
    async with connected(ok, "stream") as client:
        await client.ask(GET)

        assert len(client.writes) == 1


@pytest.mark.parametrize(
    ("request_line", "status", "head"),
    [
        (b"HEAD / HTTP/1.1", 200, "HTTP/1.1 200 OK\r\ncontent-length: 4\r\n"),
        (b"GET / HTTP/1.1", 204, "HTTP/1.1 204 No Content\r\n"),
        (b"GET / HTTP/1.1", 304, "HTTP/1.1 304 Not Modified\r\n"),
    ],
)
async def test_some_answers_have_no_body(
    autojump_clock: MockClock, request_line: bytes, status: int, head: str
) -> None:
    """Whatever the application says: the server knows which. Of HEAD, the length is told."""

    async def app(scope: Message, receive: Receive, send: Send) -> None:
        await scope["extensions"]["lsd.exchange"].answer(status, [], b"body")

    async with connected(app, "stream") as client:
        data = await client.ask(request_line + b"\r\nHost: a\r\n\r\n")

    assert data == f"{head}date: {DATE}\r\n\r\n".encode()


@pytest.mark.parametrize(
    ("head", "said"),
    [
        (b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", "close"),
        (b"GET / HTTP/1.0\r\n\r\n", "close"),
        (b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", "keep-alive"),
        (POST[:-2] + b"Expect: 100-continue\r\n\r\n", "close"),
    ],
)
async def test_a_whole_answer_tells_what_becomes_of_the_connection(
    autojump_clock: MockClock, head: bytes, said: str
) -> None:
    """As any other one does."""
    async with connected(ok, "stream") as client:
        (only,) = answers(await client.ask(head), "GET")

    assert only.headers["connection"] == said


@pytest.mark.parametrize(
    ("status", "headers", "said"),
    [
        (101, [], "answer: found the status 101; wanted 200 or more"),
        (200, [(b"a", b"b\r\nc: d")], "found a header with a control character"),
        (200, [(b"a\n", b"b")], "found a header with a control character"),
        (200, [(b"a", b"\0")], "found a header with a control character"),
    ],
)
async def test_what_cannot_be_sent_is_a_bug_that_the_client_is_told_of(
    autojump_clock: MockClock, status: int, headers: list[tuple[bytes, bytes]], said: str
) -> None:
    """Nothing of such an answer leaves."""

    async def app(scope: Message, receive: Receive, send: Send) -> None:
        await scope["extensions"]["lsd.exchange"].answer(status, headers, b"body")

    with capture_logs() as logged:
        async with connected(app, "stream") as client:
            (only,) = answers(await client.ask(GET), "GET")

    assert only.status == 500
    assert orjson.loads(only.body) == {"error": "internal error; the log tells more"}
    assert said in str(logged[0]["exc_info"])


async def test_there_is_one_answer(autojump_clock: MockClock) -> None:
    """A second one is refused, whichever way it comes, and the first one stays whole."""
    refused: list[str] = []

    async def app(scope: Message, receive: Receive, send: Send) -> None:
        answer = scope["extensions"]["lsd.exchange"].answer
        if scope["path"] == "/started":
            await send({"type": "http.response.start", "status": 200, "headers": []})
        for _ in range(2):
            try:
                await answer(200, PLAIN, b"ok")
            except BadAnswer as error:
                refused.append(str(error))
        if scope["path"] == "/started":
            await send({"type": "http.response.body", "body": b"ok"})

    async with connected(app, "stream") as client:
        data = await client.ask(GET + GET.replace(b"/ ", b"/started ", 1))

    assert [each.body for each in answers(data, "GET", "GET")] == [b"ok", b"ok"]
    assert refused == ["answer: found another one; wanted one"] * 3


async def test_whoever_waits_for_the_end_learns_of_a_whole_answer(
    way: Way, autojump_clock: MockClock
) -> None:
    """`http.disconnect` comes as after any other answer."""
    told: list[str] = []

    async def app(scope: Message, receive: Receive, send: Send) -> None:
        await receive()

        async def watch() -> None:
            told.append((await receive())["type"])

        async with trio.open_nursery() as nursery:
            nursery.start_soon(watch)
            await trio.testing.wait_all_tasks_blocked()
            await scope["extensions"]["lsd.exchange"].answer(200, PLAIN, b"ok")

    async with connected(app, way) as client:
        (only,) = answers(await client.ask(GET), "GET")

    assert (only.body, told) == (b"ok", ["http.disconnect"])


async def test_an_answer_to_a_client_that_is_gone_is_dropped(autojump_clock: MockClock) -> None:
    """The application need not know."""
    done: list[str] = []

    async def app(scope: Message, receive: Receive, send: Send) -> None:
        exchange = scope["extensions"]["lsd.exchange"]
        left = trio.Event()
        exchange.when_gone(left.set)
        await left.wait()
        await exchange.answer(200, PLAIN, b"ok")
        done.append(scope["path"])

    with capture_logs() as logged:
        async with connected(app, "socket") as client:
            await client.send(GET)
            await client.stream.aclose()
            await client.is_closed.wait()

    assert (done, logged) == (["/"], [])
