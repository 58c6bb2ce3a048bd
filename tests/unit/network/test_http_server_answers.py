"""Answers as they go on the wire."""

import re

import orjson
import pytest
import trio
from structlog.testing import capture_logs
from trio.testing import MockClock, wait_all_tasks_blocked

from tests.unit.network.serving import (
    DATE,
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
)

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
HEAD = b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n"
GET_1_0 = b"GET / HTTP/1.0\r\n\r\n"
GET_1_0_KEPT = b"GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n"
GET_CLOSING = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: foo, Close\r\n\r\n"


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> Way:
    """Over which kind of stream the client is connected."""
    found: Way = request.param
    return found


async def test_an_answer_has_its_headers_and_a_date(way: Way, autojump_clock: MockClock) -> None:
    """What the application says, the date, and the length; names in lower case."""
    app = Notes(headers=[(b"Content-Type", b"a/b"), (b"Content-Length", b"2"), (b"x", b"")])

    async with connected(app, way) as client:
        data = await client.ask(GET)

    head = f"HTTP/1.1 200 OK\r\ncontent-type: a/b\r\nx: \r\ndate: {DATE}\r\ncontent-length: 2\r\n"
    assert data == f"{head}\r\nok".encode()


@pytest.mark.parametrize("headers", [[(b"content-length", b"2")], []])
async def test_a_small_answer_is_one_write(
    headers: list[tuple[bytes, bytes]], autojump_clock: MockClock
) -> None:
    """Head and body go together, in chunks, too: nobody waits for a second packet."""
    async with connected(Notes(headers=headers), "stream") as client:
        await client.ask(GET)

        assert len(client.writes) == 1


async def test_each_piece_of_a_stream_is_one_write(autojump_clock: MockClock) -> None:
    """The head goes with the first one, the end with the last one."""
    async with connected(Notes(headers=[], pieces=[b"a", b"b", b"c"]), "stream") as client:
        data = await client.ask(GET)

        assert len(client.writes) == 3
    assert data.endswith(b"\r\n\r\n1\r\na\r\n1\r\nb\r\n1\r\nc\r\n0\r\n\r\n")


async def test_the_date_goes_on(autojump_clock: MockClock) -> None:
    """It is the time at which the answer is given."""
    async with connected(Notes(), "stream") as client:
        client.clock.ms += 100_000
        await trio.sleep(2)
        (only,) = answers(await client.ask(GET), "GET")

    assert only.headers["date"] == "Tue, 14 Nov 2023 22:15:00 GMT"


async def test_the_application_may_know_the_date_better(autojump_clock: MockClock) -> None:
    """There is one date, and it is the application's."""
    headers = [(b"Date", b"Wed, 15 Nov 2023 00:00:00 GMT"), (b"content-length", b"2")]

    async with connected(Notes(headers=headers), "stream") as client:
        data = await client.ask(GET)

    assert data.lower().count(b"date:") == 1
    assert b"date: Wed, 15 Nov 2023 00:00:00 GMT\r\n" in data


async def test_without_a_length_the_body_comes_in_chunks(
    way: Way, autojump_clock: MockClock
) -> None:
    """Empty pieces make no chunk, which would be the end; an empty one may send the head."""
    app = Notes(headers=[], pieces=[b"", b"a" * 20, b"", b"b", b""])

    async with connected(app, way) as client:
        data = await client.ask(GET, GET)

    for each in answers(data, "GET", "GET"):
        assert each.headers["transfer-encoding"] == "chunked"
        assert "content-length" not in each.headers
        assert each.body == b"a" * 20 + b"b"


async def test_an_empty_first_piece_sends_the_head(way: Way, autojump_clock: MockClock) -> None:
    """A client can be told that its answer has begun before there is anything in it."""
    goes_on = trio.Event()

    async def app(scope: Message, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"", "more_body": True})
        await goes_on.wait()
        await send({"type": "http.response.body"})

    async with connected(app, way) as client:
        await client.stream.send_all(GET)
        await client.until(b"\r\n\r\n")
        goes_on.set()
        assert await client.until(b"\r\n\r\n") == b"0\r\n\r\n"


@pytest.mark.parametrize(
    ("request_data", "headers", "connection", "is_kept"),
    [
        (GET, [(b"content-length", b"2")], None, True),
        (GET, [], None, True),
        (GET_CLOSING, [(b"content-length", b"2")], "close", False),
        (GET_CLOSING, [], "close", False),
        (GET, [(b"content-length", b"2"), (b"Connection", b"Close")], "close", False),
        (GET, [(b"content-length", b"2"), (b"connection", b"keep-alive")], None, True),
        (GET_1_0, [(b"content-length", b"2")], "close", False),
        (GET_1_0, [], "close", False),
        (GET_1_0_KEPT, [(b"content-length", b"2")], "keep-alive", True),
        (GET_1_0_KEPT, [], "close", False),
    ],
)
async def test_who_closes_says_so(
    request_data: bytes,
    headers: list[tuple[bytes, bytes]],
    connection: str | None,
    is_kept: bool,
    way: Way,
    autojump_clock: MockClock,
) -> None:
    """HTTP/1.1 goes on unless somebody objects; HTTP/1.0 only if the client asks, and it can."""
    app = Notes(headers=headers)

    async with connected(app, way) as client:
        data = await client.ask(request_data * 2)

    found = answers(data, *["GET"] * (2 if is_kept else 1))
    assert len(app.scopes) == len(found)
    assert found[0].headers.get("connection") == connection
    assert found[0].body == b"ok"


@pytest.mark.parametrize("headers", [[(b"content-length", b"2")], [(b"x", b"y")]])
async def test_head_is_get_without_the_body(
    headers: list[tuple[bytes, bytes]], way: Way, autojump_clock: MockClock
) -> None:
    """All headers are the same, and the next answer follows at once."""
    async with connected(Notes(headers=headers), way) as client:
        data = await client.ask(GET + HEAD + GET)

    got, head, _ = answers(data, "GET", "HEAD", "GET")
    assert head.headers == got.headers
    assert (got.body, head.body) == (b"ok", b"")


async def test_a_stream_asked_for_its_head_has_no_body(way: Way, autojump_clock: MockClock) -> None:
    """No piece of it is sent, however many the application makes."""
    async with connected(Notes(headers=[], pieces=[b"a", b"b", b""]), way) as client:
        data = await client.ask(HEAD + GET)

    assert [each.body for each in answers(data, "HEAD", "GET")] == [b"", b"ab"]


@pytest.mark.parametrize(
    ("status", "headers", "length"),
    [
        (204, [], None),
        (204, [(b"content-length", b"0")], None),
        (304, [], None),
        (304, [(b"content-length", b"2")], "2"),
    ],
)
async def test_some_statuses_have_no_body(
    status: int,
    headers: list[tuple[bytes, bytes]],
    length: str | None,
    way: Way,
    autojump_clock: MockClock,
) -> None:
    """Whatever the application sends after 204 or 304 stays here; 304 may tell of a length."""
    async with connected(Notes(status=status, headers=headers), way) as client:
        data = await client.ask(GET + GET)

    for each in answers(data, "GET", "GET"):
        assert (each.status, each.body) == (status, b"")
        assert each.headers.get("content-length") == length
        assert "transfer-encoding" not in each.headers


async def test_any_status_can_be_given(autojump_clock: MockClock) -> None:
    """Also one that has no phrase of its own."""
    async with connected(Notes(status=599), "stream") as client:
        data = await client.ask(GET)

    assert data.startswith(b"HTTP/1.1 599 \r\n")
    assert answers(data, "GET")[0].status == 599


async def test_framing_is_the_servers_business(autojump_clock: MockClock) -> None:
    """An application that speaks of Transfer-Encoding is not believed."""
    headers = [(b"transfer-encoding", b"chunked"), (b"content-length", b"2")]

    async with connected(Notes(headers=headers), "stream") as client:
        data = await client.ask(GET)

    assert b"transfer-encoding" not in data
    assert answers(data, "GET")[0].body == b"ok"


async def test_a_body_may_end_with_the_connection(way: Way, autojump_clock: MockClock) -> None:
    """HTTP/1.0 knows no chunks."""
    async with connected(Notes(headers=[], pieces=[b"a", b"b", b"c"]), way) as client:
        data = await client.ask(GET_1_0_KEPT)

    (only,) = answers(data, "GET")
    assert only.body == b"abc"


async def test_a_large_answer_arrives_unchanged(way: Way, autojump_clock: MockClock) -> None:
    """Some megabytes, by length and in chunks."""
    body = bytes(range(256)) * 20_000

    for headers in ([(b"content-length", str(len(body)).encode())], []):
        async with connected(Notes(headers=headers, pieces=[body]), way) as client:
            (only,) = answers(await client.ask(GET), "GET")
        assert only.body == body


@pytest.mark.parametrize("way", TIGHT_WAYS)
async def test_a_slow_reader_makes_the_application_wait(
    way: Way, autojump_clock: MockClock
) -> None:
    """What is not read is not made."""
    sent = 0
    piece = bytes(1 << 16)

    async def app(scope: Message, receive: Receive, send: Send) -> None:
        nonlocal sent
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for _ in range(64):
            await send({"type": "http.response.body", "body": piece, "more_body": True})
            sent += 1
        await send({"type": "http.response.body"})

    async with connected(app, way) as client:
        await client.send(GET)
        await wait_all_tasks_blocked()
        sent_before = sent
        (only,) = answers(await client.rest(), "GET")

    assert sent_before < 20
    assert only.body == piece * 64


async def test_a_fast_stream_lets_others_have_a_turn(autojump_clock: MockClock) -> None:
    """An answer of many small pieces does not keep other tasks from running."""
    turns = 0
    is_over = False

    async def watch() -> None:
        nonlocal turns
        while not is_over:
            turns += 1
            await trio.lowlevel.checkpoint()

    async def app(scope: Message, receive: Receive, send: Send) -> None:
        nonlocal is_over
        await answer(send, *[b"x"] * 1000, b"")
        is_over = True

    async with connected(app, "socket") as client, trio.open_nursery() as nursery:
        await client.send(GET)
        nursery.start_soon(watch)
        await client.rest()

    assert turns > 20


BAD_ANSWERS: dict[str, list[Message]] = {
    "line break in a value": [
        {"type": "http.response.start", "status": 200, "headers": [(b"x", b"1\r\ny: 2")]},
        {"type": "http.response.body"},
    ],
    "line feed in a value": [
        {"type": "http.response.start", "status": 200, "headers": [(b"x", b"1\ny: 2")]},
        {"type": "http.response.body"},
    ],
    "line break in a name": [
        {"type": "http.response.start", "status": 200, "headers": [(b"x: 1\r\ny", b"2")]},
        {"type": "http.response.body"},
    ],
    "NUL": [
        {"type": "http.response.start", "status": 200, "headers": [(b"x", b"\0")]},
        {"type": "http.response.body"},
    ],
    "two lengths": [
        {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"1")] * 2},
        {"type": "http.response.body", "body": b"a"},
    ],
    "no number": [
        {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"+1")]},
        {"type": "http.response.body", "body": b"a"},
    ],
    "more than the length": [
        {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"1")]},
        {"type": "http.response.body", "body": b"ab"},
    ],
    "less than the length": [
        {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]},
        {"type": "http.response.body", "body": b"a"},
    ],
    "interim status": [
        {"type": "http.response.start", "status": 103, "headers": []},
        {"type": "http.response.body"},
    ],
    "body first": [{"type": "http.response.body", "body": b"a"}],
    "two starts": [{"type": "http.response.start", "status": 200, "headers": []}] * 2,
    "unknown message": [{"type": "http.response.push"}],
    "only a start": [{"type": "http.response.start", "status": 200, "headers": []}],
    "nothing": [],
}


@pytest.mark.parametrize("messages", BAD_ANSWERS.values(), ids=BAD_ANSWERS)
async def test_an_application_that_errs_is_answered_for(
    messages: list[Message], way: Way, autojump_clock: MockClock
) -> None:
    """What cannot be sent becomes a 500, as nothing of it has left yet; the log tells why."""

    async def app(scope: Message, receive: Receive, send: Send) -> None:
        for message in messages:
            await send(message)

    with capture_logs() as logged:
        async with connected(app, way) as client:
            data = await client.ask(GET + GET)

    (only,) = answers(data, "GET")
    assert (only.status, only.headers["connection"]) == (500, "close")
    assert "error" in orjson.loads(only.body)
    assert [entry["log_level"] for entry in logged] == ["error"]
    if "exc_info" in logged[0]:
        assert re.fullmatch(r"answer: found .+; wanted .+", str(logged[0]["exc_info"]))


async def test_an_application_that_fails_is_answered_for(
    way: Way, autojump_clock: MockClock
) -> None:
    """The client learns that it failed, not why; HEAD has no body then, either."""

    async def app(scope: Message, receive: Receive, send: Send) -> None:
        raise RuntimeError("a secret")

    for request_data, method in ((GET, "GET"), (HEAD, "HEAD")):
        with capture_logs() as logged:
            async with connected(app, way) as client:
                data = await client.ask(request_data)
        (only,) = answers(data, method)
        assert only.status == 500
        assert b"secret" not in data
        assert bool(only.body) == (method == "GET")
        assert str(logged[0]["exc_info"]) == "a secret"


@pytest.mark.parametrize("headers", [[(b"content-length", b"20")], []])
async def test_an_answer_that_breaks_off_ends_the_connection(
    headers: list[tuple[bytes, bytes]], way: Way, autojump_clock: MockClock
) -> None:
    """What has been sent cannot be taken back; but nobody can take it for the whole."""

    async def app(scope: Message, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"half", "more_body": True})
        raise RuntimeError

    with capture_logs() as logged:
        async with connected(app, way) as client:
            data = await client.ask(GET + GET)

    assert data.count(b"HTTP/1.1") == 1
    assert data.count(b"half") == 1
    assert not data.endswith(b"0\r\n\r\n")
    assert len(logged) == 1


async def test_an_answer_that_ends_too_early_ends_the_connection(
    way: Way, autojump_clock: MockClock
) -> None:
    """An application that stops in the midst of its answer is treated as one that fails."""

    async def app(scope: Message, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"half", "more_body": True})

    with capture_logs() as logged:
        async with connected(app, way) as client:
            data = await client.ask(GET + GET)

    assert data.endswith(b"4\r\nhalf\r\n")
    assert [entry["log_level"] for entry in logged] == ["error"]


async def test_what_fails_after_the_answer_is_only_logged(
    way: Way, autojump_clock: MockClock
) -> None:
    """The client has its answer, and may ask on."""

    async def app(scope: Message, receive: Receive, send: Send) -> None:
        await answer(send, b"ok")
        raise RuntimeError

    with capture_logs() as logged:
        async with connected(app, way) as client:
            data = await client.ask(GET + GET)

    assert [each.body for each in answers(data, "GET", "GET")] == [b"ok", b"ok"]
    assert len(logged) == 2


async def test_requests_that_come_together_are_answered_in_order(
    way: Way, autojump_clock: MockClock
) -> None:
    """One at a time: the next one begins when the one before is answered."""
    running = 0

    async def app(scope: Message, receive: Receive, send: Send) -> None:
        nonlocal running
        running += 1
        assert running == 1
        await trio.sleep(1)
        await answer(send, scope["path"].encode())
        running -= 1

    paths = [f"/{place}" for place in range(50)]
    together = "".join(f"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n" for path in paths)

    async with connected(app, way) as client:
        data = await client.ask(together.encode())

    assert [each.body.decode() for each in answers(data, *["GET"] * 50)] == paths


@pytest.mark.parametrize("way", TIGHT_WAYS)
async def test_requests_that_wait_are_not_collected_without_bound(
    way: Way, autojump_clock: MockClock
) -> None:
    """A client that sends one request after the other, and never reads, soon cannot send."""
    blocked = trio.Event()

    async def app(scope: Message, receive: Receive, send: Send) -> None:
        await blocked.wait()
        await answer(send, b"ok")

    sent = 0

    async def flood() -> None:
        nonlocal sent
        while True:
            await client.stream.send_all(GET * 100)
            sent += 100

    async with connected(app, way) as client, trio.open_nursery() as nursery:
        nursery.start_soon(flood)
        await wait_all_tasks_blocked()
        assert sent * len(GET) < 2_000_000
        nursery.cancel_scope.cancel()
        blocked.set()
