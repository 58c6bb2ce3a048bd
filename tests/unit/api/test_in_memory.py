"""The client of the tests: it behaves as servers do, and sees what they would not accept."""

from typing import Any

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from tests.unit.api.in_memory import exchange

START = {"type": "http.response.start", "status": 200, "headers": [(b"a", b"1"), (b"a", b"2")]}
BODY = {"type": "http.response.body", "body": b"hi"}


def sending(*messages: Any) -> Any:
    """An application that sends these messages."""

    async def app(_scope: Any, _receive: Any, send: Any) -> None:
        for message in messages:
            await send(message)

    return app


async def test_an_answer_can_be_read() -> None:
    """Status, headers and body are those that were sent."""
    asked = exchange(sending(START, {**BODY, "more_body": True}, BODY), "GET", "/")

    await asked.run()

    assert (asked.status, dict(asked.headers), asked.body) == (200, {"a": "1, 2"}, b"hihi")
    assert asked.is_complete
    assert asked.faults == []


@pytest.mark.parametrize(
    "messages",
    [
        [BODY],
        [START, START],
        [START, BODY, BODY],
        [START, {**BODY, "body": "text"}],
    ],
    ids=["no head", "two heads", "after the end", "text"],
)
async def test_what_a_server_refuses_is_a_fault(messages: list[Any]) -> None:
    """Tests see it, whatever else they look at."""
    asked = exchange(sending(*messages), "GET", "/")

    await asked.run()

    assert len(asked.faults) == 1


async def test_the_end_of_an_answer_looks_like_a_leaving_client(nursery: trio.Nursery) -> None:
    """Servers tell both in the same way; before either of them, nothing more comes."""
    heard: list[Any] = []

    async def app(_scope: Any, receive: Any, _send: Any) -> None:
        while True:
            heard.append(await receive())

    asked = exchange(app, "POST", "/?q=1", [b"a", b"b"])
    nursery.start_soon(asked.run)
    await wait_all_tasks_blocked()
    before = len(heard)
    asked.leave()
    while len(heard) < 3:
        await trio.lowlevel.checkpoint()
    nursery.cancel_scope.cancel()

    assert before == 2
    assert heard[:3] == [
        {"type": "http.request", "body": b"a", "more_body": True},
        {"type": "http.request", "body": b"b", "more_body": False},
        {"type": "http.disconnect"},
    ]
    assert asked.scope["query_string"] == b"q=1"


async def test_a_server_may_call_when_the_client_leaves(nursery: trio.Nursery) -> None:
    """Beside telling it by a message."""
    heard: list[str] = []
    waits = trio.Event()

    async def app(scope: Any, _receive: Any, _send: Any) -> None:
        scope["extensions"]["lsd.exchange"].when_gone(lambda: heard.append("left"))
        waits.set()
        await trio.sleep_forever()

    asked = exchange(app, "POST", "/", calls=True)
    nursery.start_soon(asked.run)
    await waits.wait()
    before = list(heard)
    asked.leave()
    nursery.cancel_scope.cancel()

    assert (before, heard) == ([], ["left"])
