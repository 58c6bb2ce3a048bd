"""The front: who may enter, which endpoint answers, and what becomes of it when a side leaves."""

import gzip
from collections.abc import Callable
from typing import Any, Literal
from weakref import ref

import attrs
import orjson
import pytest
import trio
from structlog.testing import capture_logs
from trio.testing import MockClock, wait_all_tasks_blocked

from lsd import __version__
from lsd.api import Answer, Edge, Endpoint, Front, InFlight, Request
from lsd.api.errors import Refused
from lsd.api.exchange import Start
from lsd.telemetry import CURRENT_REQUEST
from tests.unit.api.endpoints import (
    Gate,
    endpoint,
    failing,
    failing_midway,
    front_of,
    repeating,
    streaming,
)
from tests.unit.api.in_memory import Exchange, ask, exchange
from tests.unit.captured_log import Log
from tests.unit.collector import Burden, without_collector

MakeFront = Callable[..., Front]

STOPPING = "the daemon is stopping; the answer is not complete"


@pytest.fixture(params=["direct", "routed"])
def front(request: pytest.FixtureRequest) -> MakeFront:
    """Makes fronts that serve their endpoints directly, and such that leave them to the app."""
    is_hot = request.param == "direct"

    def make(*endpoints: Endpoint, **options: Any) -> Front:
        return front_of(*(attrs.evolve(each, is_hot=is_hot) for each in endpoints), **options)

    return make


async def test_an_endpoint_sees_the_request(front: MakeFront) -> None:
    """Headers and body are what the client has sent."""
    app = front(endpoint(repeating))

    asked = await ask(app, "POST", "/work", b"hi", headers={"x-trace": "7"})

    assert asked.status == 200
    assert asked.json() == {
        "query": {},
        "headers": {"host": "127.0.0.1:3000", "x-trace": "7"},
        "body": "hi",
    }


async def test_a_stream_is_passed_on_as_it_is_made(front: MakeFront, nursery: trio.Nursery) -> None:
    """An event leaves when it is there, and not with the next one."""
    gate = Gate(streams=True)
    asked = exchange(front(endpoint(gate)), "POST", "/work")

    nursery.start_soon(asked.run)
    await asked.wait_for(b"data: one\n\n")
    was_complete = asked.is_complete
    gate.may_go_on.set()
    await asked.has_ended.wait()

    assert not was_complete
    assert asked.body == b"data: one\n\ndata: two\n\n"
    assert asked.headers["content-type"] == "text/event-stream"
    assert asked.headers["cache-control"] == "no-cache"
    assert asked.faults == []


@pytest.mark.parametrize("base_path", ["/", "/llm", "/llm/v9"])
@pytest.mark.parametrize("slash", ["", "/"])
async def test_routes_lie_below_the_base_path(front: MakeFront, base_path: str, slash: str) -> None:
    """An endpoint is where the base path leads to it; one trailing slash is nothing."""
    app = front(endpoint(repeating), base_path=base_path)

    asked = await ask(app, "POST", f"{base_path.rstrip('/')}/work{slash}")

    assert asked.status == 200


NOWHERE = (
    "/work /absent / /llm /llm/ /llmwork /llm/absent /other/llm/work /LLM/work /llm/work//"
    " /llm//work //llm/work /llm/work/x /llm/../llm/work /llm/wörk"
)


@pytest.mark.parametrize("path", NOWHERE.split())
async def test_there_is_nothing_beside_the_routes(front: MakeFront, path: str) -> None:
    """404 in JSON, never a redirect."""
    app = front(endpoint(repeating), base_path="/llm")

    asked = await ask(app, "POST", path)

    assert asked.status == 404
    assert asked.error().startswith("Route not found: POST /")
    assert "location" not in asked.headers


@pytest.mark.parametrize("base", ["/llm", "/%6Clm"])
@pytest.mark.parametrize(("sent", "seen"), [("b", "b"), ("%25", "%"), ("é", "é")])
async def test_names_in_paths_are_decoded_once(
    front: MakeFront, base: str, sent: str, seen: str
) -> None:
    """However the base path is written."""
    app = front(endpoint(repeating, "GET", "/of/{name}"), base_path="/llm")

    assert (await ask(app, "GET", f"{base}/of/{sent}")).json()["query"] == {"name": seen}


async def test_names_in_paths_keep_their_slashes(front: MakeFront) -> None:
    """Those are encoded; the slash at the end is none of the name."""
    app = front(endpoint(repeating, "GET", "/of/{name}"), base_path="/llm")

    for path in ("/llm/of/a%2Fb", "/llm/of/a%2Fb/"):
        assert (await ask(app, "GET", path)).json()["query"] == {"name": "a/b"}


async def test_a_path_outside_of_the_base_path_is_told_as_it_is(front: MakeFront) -> None:
    """The message shows what was asked for."""
    app = front(endpoint(repeating), base_path="/llm")

    assert (await ask(app, "GET", "/status")).error() == "Route not found: GET /status"


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "PATCH", "BREW"])
async def test_a_wrong_method_is_told_the_right_ones(front: MakeFront, method: str) -> None:
    """405 with Allow."""
    app = front(endpoint(repeating))

    asked = await ask(app, method, "/work")

    assert asked.status == 405
    assert asked.headers["allow"] == "POST"
    if method != "HEAD":
        assert asked.error() == f"Method not allowed: {method} /work"


async def test_a_route_that_is_read_can_be_asked_for_its_head(front: MakeFront) -> None:
    """HEAD is GET without the body; Allow names both."""
    app = front(endpoint(repeating, "GET", "/thing"))

    got = await ask(app, "GET", "/thing")
    head = await ask(app, "HEAD", "/thing")
    refused = await ask(app, "POST", "/thing")

    assert (head.status, head.body) == (200, b"")
    assert head.headers == got.headers
    assert refused.headers["allow"] == "GET, HEAD"


@pytest.mark.parametrize("path", ["/work", "/absent", "/work//"])
@pytest.mark.parametrize(
    "headers", [{}, {"origin": "https://evil.example"}, {"host": "evil.example"}]
)
async def test_options_are_answered_on_every_route(
    front: MakeFront, path: str, headers: dict[str, str]
) -> None:
    """204 without a body, for anybody, which allows nothing to anybody."""
    gate = Gate()

    asked = await ask(front(endpoint(gate)), "OPTIONS", path, headers=headers)

    assert (asked.status, asked.body) == (204, b"")
    assert dict(asked.headers) == {"x-lsd-gateway-version": __version__}
    assert not gate.begun.is_set()


ANYTHING: list[tuple[str, str, dict[str, str], int]] = [
    ("POST", "/work", {}, 200),
    ("POST", "/stream", {}, 200),
    ("POST", "/bug", {}, 500),
    ("POST", "/midway", {}, 200),
    ("POST", "/refused", {}, 418),
    ("GET", "/work", {}, 405),
    ("HEAD", "/work", {}, 405),
    ("POST", "/absent", {}, 404),
    ("POST", "/work//", {}, 404),
    ("POST", "/work", {"content-length": "9999"}, 413),
    ("POST", "/work", {"content-encoding": "br"}, 415),
    ("POST", "/work", {"content-encoding": "gzip"}, 400),
    ("POST", "/work", {"origin": "https://evil.example"}, 403),
    ("POST", "/work", {"host": "evil.example"}, 403),
]


@pytest.mark.parametrize(("method", "path", "headers", "status"), ANYTHING)
async def test_every_answer_tells_the_version(
    front: MakeFront, method: str, path: str, headers: dict[str, str], status: int
) -> None:
    """Answers, streams and refusals of all kinds, once each."""
    app = front(
        endpoint(repeating),
        endpoint(streaming, path="/stream"),
        endpoint(failing(ValueError()), path="/bug"),
        endpoint(failing_midway(ValueError()), path="/midway"),
        endpoint(failing(Refused(418, "a teapot")), path="/refused"),
    )

    asked = await ask(app, method, path, headers=headers)

    assert asked.status == status
    assert asked.headers["x-lsd-gateway-version"] == __version__


@pytest.mark.parametrize(("coding", "body"), [("identity", b"hi"), ("gzip", gzip.compress(b"hi"))])
async def test_bodies_are_inflated_before_endpoints_see_them(
    front: MakeFront, coding: str, body: bytes
) -> None:
    """Compression is no endpoint's concern."""
    app = front(endpoint(repeating))

    asked = await ask(app, "POST", "/work", body, headers={"content-encoding": coding})

    assert asked.json()["body"] == "hi"


@pytest.mark.parametrize(
    ("pieces", "headers", "status"),
    [
        ([b"x" * 1000], {}, 200),
        ([b"x" * 1001], {}, 413),
        ([b"x" * 600, b"x" * 401], {}, 413),
        ([b""], {"content-length": "1001"}, 413),
        ([gzip.compress(b"x" * 1001)], {"content-encoding": "gzip"}, 413),
        ([b"no gzip"], {"content-encoding": "gzip"}, 400),
        ([b"hi"], {"content-encoding": "br"}, 415),
    ],
)
async def test_bodies_have_a_limit(
    front: MakeFront, pieces: list[bytes], headers: dict[str, str], status: int
) -> None:
    """The limit counts what comes out of a body, however it comes in."""
    app = front(endpoint(repeating))

    asked = await ask(app, "POST", "/work", pieces, headers=headers)

    assert asked.status == status
    if status == 413:
        assert "1000 bytes" in asked.error()


@pytest.mark.parametrize(
    "headers", [{"origin": "https://evil.example"}, {"host": "evil.example"}], ids=str
)
async def test_a_foreign_page_is_refused_before_its_body_is_read(
    front: MakeFront, log: Log, headers: dict[str, str]
) -> None:
    """It costs the daemon nothing, and its endpoint hears of nothing."""
    gate = Gate()
    app = front(endpoint(gate))

    asked = await ask(app, "POST", "/work", [b"x"] * 10, headers=headers)

    assert asked.status == 403
    assert asked.received == 0
    assert not gate.begun.is_set()
    assert [entry["log_level"] for entry in log] == ["warning"]


async def test_a_listed_origin_is_let_in(front: MakeFront) -> None:
    """The edge that the front was given decides."""
    edge = Edge.of("127.0.0.1", allow_origins=["https://app.example"], auth_is_on=False)
    app = front(endpoint(repeating), edge=edge)

    asked = await ask(app, "POST", "/work", headers={"origin": "https://app.example"})

    assert asked.status == 200


@pytest.mark.parametrize("host", ["a b", "", "é", "x" * 300, "a..b", "[::1", "a,b", "host:99999"])
async def test_a_strange_host_is_no_reason_to_fail(front: MakeFront, host: str) -> None:
    """Where hosts are not checked, nothing depends on them."""
    edge = Edge.of("0.0.0.0", allow_origins=(), auth_is_on=False)
    app = front(endpoint(repeating), edge=edge)

    assert (await ask(app, "POST", "/work", headers={"host": host})).status == 200


async def test_an_unexpected_error_is_told_by_an_id(front: MakeFront, log: Log) -> None:
    """The id is in the log beside the traceback, of which the client sees nothing."""
    error = ValueError("sk-secret")
    app = front(endpoint(failing(error)))

    asked = await ask(app, "POST", "/work")

    (entry,) = log
    assert asked.status == 500
    assert asked.error() == f"internal error; the log tells more under {entry['request_id']}"
    assert entry["exc_info"] is error


async def test_a_request_has_one_id_in_the_log(front: MakeFront, log: Log) -> None:
    """Whatever is logged on its behalf can be found by what the client was told."""
    ids: list[str] = []

    async def handle(_request: Request, _start: Start) -> Answer:
        context = CURRENT_REQUEST.get()
        assert context is not None
        ids.append(context.request_id)
        assert context.fields() == {
            "request_id": ids[0],
            "method": "POST",
            "path": "/llm/work/",
            "x_amzn_trace_id": "Root=1-2",
        }
        raise ValueError("sk-secret")

    app = front(endpoint(handle), base_path="/llm")
    asked = await ask(app, "POST", "/llm/work/", headers={"x-amzn-trace-id": "Root=1-2"})

    assert asked.error().endswith(f" under {ids[0]}")
    assert log[0]["request_id"] == ids[0]
    assert CURRENT_REQUEST.get() is None


async def test_requests_are_told_for_debugging(front: MakeFront) -> None:
    """When they begin, and how they end, at the door, too; a stream ends with its last event."""
    app = front(endpoint(streaming), endpoint(failing(Refused(418, "a teapot")), path="/refused"))

    with capture_logs() as entries:
        await ask(app, "POST", "/work")
        await ask(app, "POST", "/refused")
        await ask(app, "POST", "/work", headers={"origin": "http://elsewhere.example"})

    told = [entry for entry in entries if entry["log_level"] == "debug"]
    assert [entry["event"] for entry in told] == ["request started", "request finished"] * 3
    assert [entry["status"] for entry in told[1::2]] == [200, 418, 403]
    assert [entry["latency_ms"] for entry in told[1::2]] == [0, 0, 0]


async def test_an_expected_error_is_told_as_it_is(front: MakeFront, log: Log) -> None:
    """With its own status and sentence; the log has the route, too."""
    app = front(endpoint(failing(Refused(418, "a teapot"))))

    asked = await ask(app, "POST", "/work/")

    assert (asked.status, asked.error()) == (418, "a teapot")
    assert [(entry["log_level"], entry["route"]) for entry in log] == [("warning", "POST /work")]


async def test_an_error_after_the_beginning_is_the_last_event(front: MakeFront, log: Log) -> None:
    """A stream that fails still ends in order, with what is wrong."""
    app = front(
        endpoint(failing_midway(Refused(503, "the store is full")), path="/expected"),
        endpoint(failing_midway(ValueError("sk-secret")), path="/bug"),
    )

    expected = await ask(app, "POST", "/expected")
    bug = await ask(app, "POST", "/bug")

    assert expected.body == b'data: one\n\ndata: {"error":"the store is full"}\n\n'
    assert bug.body.startswith(b'data: one\n\ndata: {"error":"internal error; ')
    assert (expected.is_complete, bug.is_complete) == (True, True)
    assert [entry["log_level"] for entry in log] == ["error", "error"]


async def test_the_tree_of_causes_can_be_had(front: MakeFront) -> None:
    """The same from all endpoints."""
    app = front(endpoint(failing(Refused(418, "a teapot"))), shows_tree=True)

    assert (await ask(app, "POST", "/work")).json() == {
        "error": "a teapot",
        "error_json": {"kind": "Refused"},
    }


async def failing_in_a_group(_request: Request, _start: Start) -> Answer:
    """Fails in two tasks at once."""
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_fail, "sk-secret")
        nursery.start_soon(_fail, "sk-other")
    raise AssertionError("never reached")


async def _fail(text: str) -> None:
    raise ValueError(text)


async def test_several_errors_at_once_are_one_answer(front: MakeFront, log: Log) -> None:
    """Whatever fails side by side, the client gets one answer, and the server no exception."""
    app = front(endpoint(failing_in_a_group))

    asked = await ask(app, "POST", "/work")

    assert asked.status == 500
    assert asked.error().startswith("internal error; ")
    assert len(log) == 1


@attrs.define(eq=False)
class FailingAtItsEnd:
    """Waits beside another task, and fails when it is cancelled."""

    begun: trio.Event = attrs.field(factory=trio.Event, init=False)

    async def __call__(self, _request: Request, _start: Start) -> Answer:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(trio.sleep_forever)
            self.begun.set()
            try:
                await trio.sleep_forever()
            finally:
                raise ValueError("sk-secret")


@pytest.mark.parametrize("ending", ["the client leaves", "the daemon stops"])
async def test_an_error_of_cancelled_work_goes_no_further_than_the_log(
    front: MakeFront, log: Log, nursery: trio.Nursery, calls: bool, ending: str
) -> None:
    """The server goes on with its other connections."""
    in_flight = InFlight()
    work = FailingAtItsEnd()
    app = front(endpoint(work, "GET", when_client_leaves="cancel"), in_flight=in_flight)
    asked = exchange(app, "GET", "/work", calls=calls)

    nursery.start_soon(asked.run)
    await work.begun.wait()
    if ending == "the client leaves":
        asked.leave()
    else:
        in_flight.cut_off()
    await asked.has_ended.wait()

    assert [entry["event"] for entry in log if entry["log_level"] == "error"] == ["internal error"]
    assert asked.faults == []


@pytest.fixture(params=["by a message", "by a call"])
def calls(request: pytest.FixtureRequest) -> bool:
    """How servers tell that a client has left."""
    return bool(request.param == "by a call")


async def left(
    app: Callable[[Gate], Front], method: str, *, calls: bool, streams: bool = False
) -> tuple[Exchange, Gate]:
    """A request whose client leaves in the middle, and that then may go on if it still can."""
    gate = Gate(streams=streams)
    asked = exchange(app(gate), method, "/work", calls=calls)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(asked.run)
        await gate.begun.wait()
        asked.leave()
        await wait_all_tasks_blocked()
        gate.may_go_on.set()
    return asked, gate


@pytest.mark.parametrize("streams", [False, True], ids=["plain", "stream"])
@pytest.mark.parametrize(
    ("of_endpoint", "configured", "outcome"),
    [
        (None, "cancel", "cancelled"),
        (None, "finish", "finished"),
        ("cancel", "finish", "cancelled"),
        ("finish", "cancel", "finished"),
    ],
)
async def test_a_leaving_client_ends_the_work_or_not(
    log: Log,
    calls: bool,
    streams: bool,
    of_endpoint: Literal["cancel", "finish"] | None,
    configured: str,
    outcome: str,
) -> None:
    """The endpoint decides, or else the configuration; either way nothing more is sent."""
    asked, gate = await left(
        lambda gate: front_of(
            endpoint(gate, when_client_leaves=of_endpoint, is_hot=True),
            when_client_leaves=configured,
        ),
        "POST",
        calls=calls,
        streams=streams,
    )

    assert gate.outcome == outcome
    assert asked.faults == []
    assert len(asked.messages) == (2 if streams else 0)
    assert [(entry["event"], entry["log_level"]) for entry in log] == [("client left", "warning")]
    assert {key: log[0][key] for key in ("method", "path", "latency_ms")} == {
        "method": "POST",
        "path": "/work",
        "latency_ms": 0,
    }


async def test_what_the_work_held_is_freed_when_its_client_has_left(calls: bool) -> None:
    """At once, though several tasks were cancelled: a stream may have collected much."""
    held: list[ref[Burden]] = []
    begun = trio.Event()

    async def work(_request: Request, _start: Start) -> Answer:
        collected = Burden()
        held.append(ref(collected))
        async with trio.open_nursery() as nursery:
            nursery.start_soon(trio.sleep_forever)
            begun.set()
            await trio.sleep_forever()
        raise AssertionError(collected)

    app = front_of(endpoint(work, when_client_leaves="cancel", is_hot=True))
    asked = exchange(app, "POST", "/work", calls=calls)
    with without_collector(), capture_logs():
        async with trio.open_nursery() as nursery:
            nursery.start_soon(asked.run)
            await begun.wait()
            asked.leave()
        assert [each() for each in held] == [None]


async def test_nobody_minds_a_leaving_head(log: Log, calls: bool) -> None:
    """Whoever only looks whether all is well does not always wait."""
    _, gate = await left(lambda gate: front_of(endpoint(gate, "GET")), "HEAD", calls=calls)

    assert gate.outcome == "cancelled"
    assert log == []


@pytest.mark.parametrize(("method", "outcome"), [("GET", "cancelled"), ("POST", "finished")])
async def test_behind_the_app_only_reading_needs_its_client(
    calls: bool, method: str, outcome: str
) -> None:
    """What was fully sent is done; what is read is read for somebody."""
    asked, gate = await left(lambda gate: front_of(endpoint(gate, method)), method, calls=calls)

    assert gate.outcome == outcome
    assert asked.faults == []
    assert not asked.is_answered


async def test_a_stream_goes_on_without_its_client_from_before_its_beginning(calls: bool) -> None:
    """Work that is to be finished may begin its stream when nobody is there any more."""
    may_begin, begun = trio.Event(), trio.Event()

    async def handle(request: Request, start: Start) -> None:
        begun.set()
        await may_begin.wait()
        await streaming(request, start)

    asked = exchange(
        front_of(endpoint(handle, when_client_leaves="finish", is_hot=True)),
        "POST",
        "/work",
        calls=calls,
    )
    async with trio.open_nursery() as nursery:
        nursery.start_soon(asked.run)
        await begun.wait()
        asked.leave()
        await wait_all_tasks_blocked()
        may_begin.set()

    assert asked.messages == []
    assert asked.faults == []


async def test_a_client_that_has_its_answer_may_leave(
    front: MakeFront, log: Log, calls: bool
) -> None:
    """That is no early leave, and nothing to log."""
    app = front(endpoint(repeating), endpoint(streaming, path="/stream"))

    for path in ("/work", "/stream"):
        asked = await ask(app, "POST", path, calls=calls)
        asked.leave()
        assert asked.is_complete

    assert log == []


@pytest.mark.parametrize("pieces", [[], [b"half"]])
async def test_a_client_that_leaves_within_its_body_has_not_asked(
    front: MakeFront, log: Log, pieces: list[bytes]
) -> None:
    """The endpoint hears of nothing, and nothing is answered; the log hears of it."""
    gate = Gate()
    app = front(endpoint(gate))

    asked = await ask(app, "POST", "/work", pieces, cut_short=True)

    assert not gate.begun.is_set()
    assert not asked.is_answered
    assert app.in_flight.by_route() == {}
    assert [(entry["event"], entry["log_level"]) for entry in log] == [("client left", "warning")]


@pytest.mark.parametrize("streams", [False, True], ids=["plain", "stream"])
async def test_a_stop_tells_those_who_wait(
    front: MakeFront, nursery: trio.Nursery, calls: bool, streams: bool
) -> None:
    """503 where nothing was sent, or else a last event; the work is cancelled."""
    gate = Gate(streams=streams)
    app = front(endpoint(gate))
    asked = exchange(app, "POST", "/work", calls=calls)

    nursery.start_soon(asked.run)
    await gate.begun.wait()
    running = app.in_flight.by_route()
    app.in_flight.cut_off()
    await asked.has_ended.wait()

    told = orjson.dumps({"error": STOPPING})
    assert running == {"POST /work": 1}
    assert gate.outcome == "cancelled"
    assert asked.is_complete
    assert asked.faults == []
    if streams:
        assert asked.body == b"data: one\n\ndata: " + told + b"\n\n"
    else:
        assert (asked.status, asked.body) == (503, told)


async def test_after_a_stop_nothing_begins(front: MakeFront) -> None:
    """A request that still gets in is told at once."""
    gate = Gate()
    app = front(endpoint(gate))
    app.in_flight.cut_off()

    asked = await ask(app, "POST", "/work")

    assert (asked.status, asked.error()) == (503, STOPPING)
    assert not gate.begun.is_set()


async def test_a_stop_waits_for_no_reader(
    front: MakeFront, nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    """A client that does not take its events cannot hold up the end."""
    gate = Gate(streams=True)
    app = front(endpoint(gate))
    asked = exchange(app, "POST", "/work")

    nursery.start_soon(asked.run)
    await gate.begun.wait()
    asked.reading = False
    gate.may_go_on.set()
    await wait_all_tasks_blocked()
    app.in_flight.cut_off()
    await asked.has_ended.wait()

    assert asked.body == b"data: one\n\n"
    assert asked.faults == []


async def test_a_stop_leaves_clients_alone_that_are_gone(
    nursery: trio.Nursery, calls: bool
) -> None:
    """Work that goes on without its client is cut off in silence."""
    gate = Gate()
    app = front_of(endpoint(gate, when_client_leaves="finish", is_hot=True))
    asked = exchange(app, "POST", "/work", calls=calls)

    nursery.start_soon(asked.run)
    await gate.begun.wait()
    asked.leave()
    await wait_all_tasks_blocked()
    was_in_flight = app.in_flight.by_route()
    app.in_flight.cut_off()
    await asked.has_ended.wait()

    assert was_in_flight == {"POST /work": 1}
    assert gate.outcome == "cancelled"
    assert asked.faults == []


async def test_the_lifespan_begins_and_ends() -> None:
    """Servers that announce start and stop get their answers."""
    heard: list[str] = []
    events = iter(["lifespan.startup", "lifespan.shutdown"])

    async def receive() -> Any:
        return {"type": next(events)}

    async def send(message: Any) -> None:
        heard.append(message["type"])

    await front_of()({"type": "lifespan"}, receive, send)

    assert heard == ["lifespan.startup.complete", "lifespan.shutdown.complete"]


async def test_websockets_are_closed() -> None:
    """There is no endpoint for them."""
    heard: list[str] = []

    async def receive() -> Any:
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        heard.append(message["type"])

    await front_of()({"type": "websocket", "path": "/inference", "headers": []}, receive, send)

    assert heard == ["websocket.close"]
