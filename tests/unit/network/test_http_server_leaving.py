"""Clients that leave before they have their answer, and how the application learns of it."""

from collections.abc import Awaitable, Callable
from weakref import ref

import pytest
import trio
from structlog.testing import capture_logs
from trio.testing import MockClock, wait_all_tasks_blocked

from tests.unit.collector import without_collector
from tests.unit.network.serving import (
    TIGHT_WAYS,
    WAYS,
    Client,
    Message,
    Receive,
    Send,
    Way,
    answer,
    answers,
    connected,
)

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi"


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> Way:
    """Over which kind of stream the client is connected."""
    found: Way = request.param
    return found


async def leave(client: Client) -> None:
    """The client goes, once everything that it has sent is being worked on."""
    await wait_all_tasks_blocked()
    await client.stream.aclose()


def notify(scope: Message, callback: Callable[[], None]) -> None:
    """What an application does that wants to hear of its client's leaving."""
    scope["extensions"]["lsd.exchange"].when_gone(callback)


async def test_who_waits_for_it_is_told_that_the_client_has_left(
    way: Way, autojump_clock: MockClock
) -> None:
    """After the body, `receive` waits, and gives `http.disconnect` when the client closes."""
    messages: list[Message] = []

    async def app(scope: Message, receive: Receive, send: Send) -> None:
        messages.extend([await receive() for _ in range(3)])

    with capture_logs() as logged:
        async with connected(app, way) as client:
            await client.stream.send_all(POST)
            await leave(client)
            await client.is_closed.wait()

    kinds = [message["type"] for message in messages]
    assert kinds == ["http.request", "http.disconnect", "http.disconnect"]
    assert autojump_clock.current_time() < 1
    assert logged == []


async def test_a_handler_is_told_without_waiting_for_it(
    way: Way, autojump_clock: MockClock
) -> None:
    """What it has given to `when_gone` is called while it works, one after the other."""
    called = []

    async def app(scope: Message, receive: Receive, send: Send) -> None:
        with trio.CancelScope() as work:
            notify(scope, lambda: called.append("first"))
            notify(scope, work.cancel)
            await trio.sleep(1000)
        called.append("cancelled")

    async with connected(app, way) as client:
        await client.stream.send_all(POST)
        await leave(client)
        await client.is_closed.wait()

    assert called == ["first", "cancelled"]
    assert autojump_clock.current_time() < 1


async def test_a_client_that_leaves_a_stream_is_noticed_between_two_pieces(
    way: Way, autojump_clock: MockClock
) -> None:
    """Nothing needs to be sent to notice it."""
    called: list[bool] = []

    async def app(scope: Message, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"a", "more_body": True})
        with trio.CancelScope() as work:
            notify(scope, work.cancel)
            await trio.sleep(1000)
        called.append(work.cancelled_caught)

    async with connected(app, way) as client:
        await client.stream.send_all(GET)
        await client.until(b"a\r\n")
        await leave(client)
        await client.is_closed.wait()

    assert called == [True]


@pytest.mark.parametrize("way", TIGHT_WAYS)
async def test_a_client_that_leaves_while_it_is_sent_to_is_noticed(
    way: Way, autojump_clock: MockClock
) -> None:
    """Neither `send` nor the handler hangs; what is sent afterwards goes nowhere, without error."""
    called = []

    async def app(scope: Message, receive: Receive, send: Send) -> None:
        notify(scope, lambda: called.append("left"))
        await answer(send, *[bytes(1 << 16)] * 100)
        called.append("sent")

    async with connected(app, way) as client:
        await client.stream.send_all(GET)
        await leave(client)
        await client.is_closed.wait()

    assert called == ["left", "sent"]


async def test_a_request_may_come_from_somebody_who_has_left(
    way: Way, autojump_clock: MockClock
) -> None:
    """Its body can be read; then the application is told at once."""
    called: list[object] = []

    async def app(scope: Message, receive: Receive, send: Send) -> None:
        await trio.sleep(1)
        called.append((await receive())["body"])
        notify(scope, lambda: called.append("left"))
        called.append((await receive())["type"])

    async with connected(app, way) as client:
        await client.stream.send_all(POST)
        await client.stream.aclose()
        await client.is_closed.wait()

    assert called == [b"hi", "left", "http.disconnect"]


async def test_who_only_stops_sending_may_still_get_an_answer(
    way: Way, autojump_clock: MockClock
) -> None:
    """A client that closes its side looks like one that leaves; what is sent to it arrives."""
    called = []

    async def app(scope: Message, receive: Receive, send: Send) -> None:
        notify(scope, lambda: called.append("left"))
        await trio.sleep(1)
        await answer(send, b"ok", headers=[(b"content-length", b"2")])

    async with connected(app, way) as client:
        await client.stream.send_all(GET + GET)
        await client.stream.send_eof()
        data = await client.rest()

    assert [each.body for each in answers(data, "GET", "GET")] == [b"ok", b"ok"]
    assert called == ["left", "left"]


async def test_nobody_is_told_of_a_client_that_has_its_answer(
    way: Way, autojump_clock: MockClock
) -> None:
    """Who leaves then has not left early; and another request's handler is not disturbed."""
    called = []

    async def app(scope: Message, receive: Receive, send: Send) -> None:
        notify(scope, lambda: called.append("left"))
        await answer(send, b"ok", headers=[(b"content-length", b"2")])
        if scope["path"] == "/last":
            await trio.sleep(1)

    async with connected(app, way) as client:
        await client.stream.send_all(GET + GET.replace(b"/ ", b"/last "))
        await client.until(b"ok")
        await client.until(b"ok")
        await leave(client)

    assert called == []


async def test_after_the_answer_it_is_over(way: Way, autojump_clock: MockClock) -> None:
    """`receive` gives `http.disconnect` then, also to a task that has been waiting."""
    messages = []

    async def app(scope: Message, receive: Receive, send: Send) -> None:
        async def wait() -> None:
            messages.append(await receive())

        await receive()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(wait)
            nursery.start_soon(wait)
            await wait_all_tasks_blocked()
            await answer(send, b"ok")
        await wait()

    async with connected(app, way) as client:
        data = await client.ask(GET + GET)

    assert messages == [{"type": "http.disconnect"}] * 6
    assert len(answers(data, "GET", "GET")) == 2


async def test_an_answered_request_need_not_be_read_to_its_end(
    way: Way, autojump_clock: MockClock
) -> None:
    """Who reads on after the answer is told that it is over."""
    messages = []

    async def app(scope: Message, receive: Receive, send: Send) -> None:
        await answer(send, b"ok")
        messages.append(await receive())

    async with connected(app, way) as client:
        await client.ask(POST)

    assert messages == [{"type": "http.disconnect"}]


async def test_what_a_handler_leaves_behind_is_told_that_it_is_over(
    way: Way, autojump_clock: MockClock
) -> None:
    """A task that outlives its request neither hears from the next one nor answers it."""
    left: list[Callable[[], Awaitable[Message]]] = []
    sends: list[Send] = []
    messages = []

    async def app(scope: Message, receive: Receive, send: Send) -> None:
        if left:
            messages.append(await left.pop()())
            await answer(sends.pop(), b"stale")
            await answer(send, b"ok")
        else:
            left.append(receive)
            sends.append(send)

    with capture_logs():
        async with connected(app, way) as client:
            first = await client.ask(GET)
            async with connected(app, way) as other:
                second = await other.ask(GET)

    assert answers(first, "GET")[0].status == 500
    assert answers(second, "GET")[0].body == b"ok"
    assert messages == [{"type": "http.disconnect"}]


async def test_a_failing_farewell_harms_nobody(way: Way, autojump_clock: MockClock) -> None:
    """It is logged, and the others are called all the same."""
    called = []

    def fail() -> None:
        raise RuntimeError

    async def app(scope: Message, receive: Receive, send: Send) -> None:
        notify(scope, fail)
        notify(scope, lambda: called.append("left"))
        await receive()
        await receive()

    with capture_logs() as logged:
        async with connected(app, way) as client:
            await client.stream.send_all(GET)
            await leave(client)
            await client.is_closed.wait()

    assert called == ["left"]
    assert len(logged) == 1


async def test_a_client_may_leave_at_any_time(way: Way, autojump_clock: MockClock) -> None:
    """Within a head or between two requests, that is no event."""

    async def app(scope: Message, receive: Receive, send: Send) -> None:
        await answer(send, b"ok")

    with capture_logs() as logged:
        for begun in (b"", b"G", GET[:-1], GET, GET + GET[:-1]):
            async with connected(app, way) as client:
                await client.stream.send_all(begun)
                await leave(client)
                await client.is_closed.wait()

    assert logged == []


async def test_a_piece_that_was_cut_off_is_finished_before_the_next(
    autojump_clock: MockClock,
) -> None:
    """A handler that is cancelled while its client reads slowly can still say its last words."""

    async def app(scope: Message, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        with trio.move_on_after(1):
            for _ in range(100):
                piece = bytes(1 << 16)
                await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b"stopped"})

    async with connected(app, "socket") as client:
        await client.stream.send_all(GET)
        await trio.sleep(2)
        (only,) = answers(await client.rest(), "GET")

    assert only.body.endswith(b"\0stopped")
    assert len(only.body) % (1 << 16) == len(b"stopped")


async def test_an_answer_whose_end_was_cut_off_ends_the_connection(
    autojump_clock: MockClock,
) -> None:
    """Where a piece has not gone out whole, no other answer may follow."""

    async def app(scope: Message, receive: Receive, send: Send) -> None:
        with trio.move_on_after(1):
            await answer(send, bytes(1 << 20))

    async with connected(app, "socket") as client:
        await client.stream.send_all(GET + GET)
        await trio.sleep(2)
        data = await client.rest()

    assert data.count(b"HTTP/1.1 200") <= 1
    assert len(data) < 1 << 20


async def test_a_closed_connection_is_freed_at_once(way: Way, autojump_clock: MockClock) -> None:
    """With all that its last request held."""
    exchanges = []

    async def app(scope: Message, receive: Receive, send: Send) -> None:
        exchanges.append(ref(scope["extensions"]["lsd.exchange"]))
        await answer(send, b"ok")

    with without_collector():
        async with connected(app, way) as client:
            closing = POST.replace(b"Host", b"Connection: close\r\nHost")
            await client.ask(closing)
            await client.is_closed.wait()
            await wait_all_tasks_blocked()
            assert [exchange() for exchange in exchanges] == [None]


async def test_only_one_task_may_send(autojump_clock: MockClock) -> None:
    """Two at once would mix their pieces; the second one is told of its mistake."""
    errors: list[Exception] = []

    async def app(scope: Message, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        message = {"type": "http.response.body", "body": bytes(1 << 20), "more_body": True}
        async with trio.open_nursery() as nursery:
            nursery.start_soon(send, message)
            await wait_all_tasks_blocked()
            try:
                await send(message)
            except trio.BusyResourceError as error:
                errors.append(error)
            nursery.cancel_scope.cancel()

    with capture_logs():
        async with connected(app, "socket") as client:
            await client.send(GET)
            await client.is_closed.wait()

    assert len(errors) == 1


async def test_a_connection_can_be_ended_from_outside(way: Way, autojump_clock: MockClock) -> None:
    """Its cancel scope ends the request where it is; an answer that is not whole is cut off."""
    ended: list[str] = []

    async def app(scope: Message, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"half", "more_body": True})
        scope["extensions"]["lsd.exchange"].cancel_scope.cancel()
        try:
            await trio.sleep(1000)
        finally:
            ended.append(scope["path"])

    with capture_logs() as logged:
        async with connected(app, way) as client:
            data = await client.ask(GET + GET)

    assert ended == ["/"]
    assert data.endswith(b"\r\n\r\n4\r\nhalf\r\n")
    assert logged == []


async def test_last_words_arrive_before_a_connection_is_ended(
    way: Way, autojump_clock: MockClock
) -> None:
    """An answer that was completed under a shield is whole; what comes after it is not read."""
    paths: list[str] = []

    async def app(scope: Message, receive: Receive, send: Send) -> None:
        paths.append(scope["path"])
        scope["extensions"]["lsd.exchange"].cancel_scope.cancel()
        try:
            await trio.sleep(1000)
        finally:
            with trio.CancelScope(shield=True):
                await answer(send, b"stop", status=503, headers=[(b"content-length", b"4")])

    async with connected(app, way) as client:
        data = await client.ask(POST + GET)

    (only,) = answers(data, "POST")
    assert (only.status, only.body) == (503, b"stop")
    assert paths == ["/"]
    assert autojump_clock.current_time() < 10
