"""The quart app alone: it serves every endpoint, as the front before it would."""

import pytest
import trio

from lsd import __version__
from lsd.api import Answer, Request
from lsd.api.errors import Refused
from lsd.api.exchange import Start
from tests.unit.api.endpoints import (
    Gate,
    endpoint,
    failing,
    failing_midway,
    quart_of,
    repeating,
    streaming,
)
from tests.unit.api.in_memory import ask, exchange
from tests.unit.captured_log import Log


async def test_an_endpoint_sees_the_request() -> None:
    """Headers and body are what the client has sent, and nothing is added."""
    asked = await ask(quart_of(endpoint(repeating)), "POST", "/work/", b"hi", headers={"x-t": "7"})

    assert asked.status == 200
    assert asked.headers["x-lsd-gateway-version"] == __version__
    assert asked.json() == {
        "query": {},
        "headers": {"host": "127.0.0.1:3000", "x-t": "7"},
        "body": "hi",
    }


async def test_hot_endpoints_are_routes_too() -> None:
    """The app needs no front to be complete."""
    app = quart_of(endpoint(repeating, is_hot=True), endpoint(streaming, path="/stream"))

    assert (await ask(app, "POST", "/work", b"hi")).json()["body"] == "hi"
    assert (await ask(app, "POST", "/stream")).body == b"data: one\n\ndata: two\n\n"


async def test_an_answer_keeps_its_type_status_and_headers() -> None:
    """They are the endpoint's business."""

    async def teapot(_request: Request, _start: Start) -> Answer:
        return Answer(status=418, body=b"tea", media_type="text/plain", headers=((b"x-pot", b"1"),))

    asked = await ask(quart_of(endpoint(teapot)), "POST", "/work")

    assert (asked.status, asked.body) == (418, b"tea")
    assert asked.headers["content-type"] == "text/plain"
    assert asked.headers["x-pot"] == "1"
    assert asked.headers["content-length"] == "3"


async def test_a_stream_is_passed_on_as_it_is_made(nursery: trio.Nursery) -> None:
    """An event leaves when it is there, and not with the next one."""
    gate = Gate(streams=True)
    asked = exchange(quart_of(endpoint(gate)), "POST", "/work")

    nursery.start_soon(asked.run)
    await asked.wait_for(b"data: one\n\n")
    was_complete = asked.is_complete
    gate.may_go_on.set()
    await asked.has_ended.wait()

    assert not was_complete
    assert asked.body == b"data: one\n\ndata: two\n\n"
    assert asked.headers["content-type"] == "text/event-stream"
    assert asked.faults == []


@pytest.mark.parametrize(
    ("target", "query"),
    [
        ("/thing/a", {"name": "a"}),
        ("/thing/a/", {"name": "a"}),
        ("/thing/ä ö", {"name": "ä ö"}),
        ("/thing/a?limit=5&after=x%20y", {"limit": "5", "after": "x y", "name": "a"}),
        ("/thing/a?empty=&bare", {"empty": "", "bare": "", "name": "a"}),
        ("/thing/a?limit=1&limit=2", {"limit": "2", "name": "a"}),
        ("/thing/a?name=b", {"name": "a"}),
        ("/thing/a?x=%ff&&=", {"x": "\N{REPLACEMENT CHARACTER}", "": "", "name": "a"}),
        ("/thing/a?", {"name": "a"}),
    ],
)
async def test_parameters_of_path_and_query_come_together(
    target: str, query: dict[str, str]
) -> None:
    """Those of the path cannot be overruled by the query."""
    asked = await ask(quart_of(endpoint(repeating, "GET", "/thing/{name}")), "GET", target)

    assert asked.json()["query"] == query


@pytest.mark.parametrize(
    ("sent", "seen"),
    [("a%2Fb", "a/b"), ("a%2fb%2F", "a/b/"), ("a%252Fb", "a%2Fb"), ("%C3%A9%3A%3A%25", "é::%")],
)
async def test_a_name_in_a_path_may_have_slashes(sent: str, seen: str) -> None:
    """They are encoded, so that they do not part segments; everything is decoded once."""
    app = quart_of(endpoint(repeating, "GET", "/of/{name}/all"))

    assert (await ask(app, "GET", f"/of/{sent}/all")).json()["query"] == {"name": seen}


async def test_a_fixed_path_wins_over_a_parameter() -> None:
    """A name that is a route of its own is never taken for an id."""

    async def fixed(_request: Request, _start: Start) -> Answer:
        return Answer(body=b'"fixed"')

    app = quart_of(
        endpoint(repeating, "GET", "/thing/{name}"), endpoint(fixed, "GET", "/thing/all")
    )

    assert (await ask(app, "GET", "/thing/all")).json() == "fixed"
    assert (await ask(app, "GET", "/thing/al")).json()["query"] == {"name": "al"}


@pytest.mark.parametrize(
    "path",
    ["/", "/absent", "/thing", "/thing/", "/thing/a/b", "/work//", "/thing//a", "/wörk"],
)
async def test_there_is_nothing_beside_the_routes(path: str, log: Log) -> None:
    """404 in JSON, never a redirect; the log hears of it."""
    app = quart_of(endpoint(repeating), endpoint(repeating, "GET", "/thing/{name}"))

    asked = await ask(app, "GET", path)

    assert (asked.status, asked.error()) == (404, f"Route not found: GET {path}")
    assert [(entry["log_level"], entry["status"]) for entry in log] == [("warning", 404)]


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "BREW"])
async def test_a_wrong_method_is_told_the_right_ones(method: str) -> None:
    """405 with Allow."""
    asked = await ask(quart_of(endpoint(repeating)), method, "/work")

    assert (asked.status, asked.headers["allow"]) == (405, "POST")


async def test_several_methods_of_a_path_are_all_allowed() -> None:
    """Each leads to its own endpoint."""
    app = quart_of(endpoint(repeating), endpoint(streaming, "GET"))

    assert (await ask(app, "GET", "/work")).body == b"data: one\n\ndata: two\n\n"
    assert (await ask(app, "POST", "/work", b"hi")).json()["body"] == "hi"
    assert (await ask(app, "PUT", "/work")).headers["allow"] == "GET, HEAD, POST"


async def test_head_is_get_without_a_body() -> None:
    """With the same head, also for what is not there."""
    app = quart_of(endpoint(repeating, "GET", "/thing/{name}"))

    got = await ask(app, "GET", "/thing/a")
    head = await ask(app, "HEAD", "/thing/a")
    absent = await ask(app, "HEAD", "/absent")

    assert (head.status, head.body, head.headers) == (200, b"", got.headers)
    assert (absent.status, absent.body) == (404, b"")


@pytest.mark.parametrize(
    ("pieces", "headers"),
    [
        ([b"x" * 1001], {}),
        ([b"x" * 600, b"x" * 401], {}),
        ([b""], {"content-length": "1001"}),
    ],
)
async def test_bodies_have_a_limit(pieces: list[bytes], headers: dict[str, str]) -> None:
    """413, which names the key."""
    asked = await ask(quart_of(endpoint(repeating)), "POST", "/work", pieces, headers=headers)

    assert asked.status == 413
    assert asked.error().endswith("wanted at most gateway.max_request_bytes")


async def test_an_error_before_the_answer_is_the_answer(log: Log) -> None:
    """Expected ones by their own status, others by an id."""
    app = quart_of(
        endpoint(failing(Refused(418, "a teapot")), path="/expected"),
        endpoint(failing(ValueError("sk-secret")), path="/bug"),
        endpoint(failing(ExceptionGroup("g", [ValueError("sk-secret")])), path="/group"),
    )

    expected = await ask(app, "POST", "/expected")
    bug = await ask(app, "POST", "/bug")
    group = await ask(app, "POST", "/group")

    assert (expected.status, expected.error()) == (418, "a teapot")
    for asked, entry in zip((bug, group), log[1:], strict=True):
        assert asked.status == 500
        assert asked.error() == f"internal error; the log tells more under {entry['request_id']}"


async def test_an_error_after_the_beginning_is_the_last_event() -> None:
    """A stream that fails still ends in order, with what is wrong."""
    app = quart_of(endpoint(failing_midway(Refused(503, "the store is full"))))

    asked = await ask(app, "POST", "/work")

    assert asked.body == b'data: one\n\ndata: {"error":"the store is full"}\n\n'
    assert asked.is_complete


@pytest.mark.parametrize("host", ["a b", "", "é", "x" * 300, "a..b", "[::1", "host:99999"])
async def test_a_strange_host_is_no_reason_to_fail(host: str) -> None:
    """Routes are found by path and method alone."""
    app = quart_of(endpoint(repeating))

    assert (await ask(app, "POST", "/work", headers={"host": host})).status == 200


async def test_a_leaving_client_ends_the_work(nursery: trio.Nursery) -> None:
    """Without the front, whoever leaves takes the work along."""
    gate = Gate(streams=True)
    asked = exchange(quart_of(endpoint(gate)), "POST", "/work")

    nursery.start_soon(asked.run)
    await gate.begun.wait()
    asked.leave()
    await asked.has_ended.wait()

    assert gate.outcome == "cancelled"
    assert asked.faults == []
