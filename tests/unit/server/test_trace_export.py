"""Traces on their way to a collector: together, again if need be, and never for ever."""

from collections.abc import Callable
from gzip import decompress

import attrs
import pytest
import trio
from trio.testing import MockClock

from lsd.conversation import WireRequest
from lsd.network import TransportFailed
from lsd.server import trace_export
from lsd.server.trace_collector import Collector
from lsd.server.trace_export import TraceExport
from lsd.telemetry import NO_EXTRAS, Trace, TraceExtras, Tracer
from tests.fakes.collector import Export
from tests.unit.captured_log import Log
from tests.unit.store.makers import HandClock

COLLECTOR = Collector(
    url="http://collector/v1/traces",
    encoding="http/protobuf",
    is_compressed=False,
    send_s_max=10.0,
    resource={"service.name": "lsd"},
    headers={"x-place": "environment", "x-own": "1"},
)


def trace_with(extras: TraceExtras = NO_EXTRAS) -> Trace:
    """A trace of one span."""
    tracer = Tracer(
        format="opentelemetry", include_content=False, clock=HandClock(), export=lambda _: None
    )
    trace = tracer.begin("POST", "/inference", "/inference", {}, extras)
    assert trace is not None
    return trace


@attrs.define(eq=False)
class Response:
    """An answer without a body."""

    status: int

    async def read(self, _bytes_max: int) -> bytes:
        return b""

    async def aclose(self) -> None:
        pass


@attrs.define(eq=False)
class FakeTransport:
    """Answers with one status after the other; 0 is no connection, -1 no answer."""

    statuses: list[int] = attrs.field(factory=list)
    sent: list[WireRequest] = attrs.field(factory=list)

    async def send(self, request: WireRequest) -> Response:
        self.sent.append(request)
        status = self.statuses.pop(0) if self.statuses else 200
        if status == 0:
            raise TransportFailed("connection refused", sent=False)
        if status < 0:
            await trio.sleep_forever()
        return Response(status)

    async def aclose(self) -> None:
        pass

    def spans(self) -> list[int]:
        """How many spans each request has."""
        return [
            len(Export(path="", headers=dict(each.headers), body=each.body).spans())
            for each in self.sent
        ]


Make = Callable[..., TraceExport]


@pytest.fixture
def transport() -> FakeTransport:
    """A way to the collector."""
    return FakeTransport()


async def exported(
    transport: FakeTransport,
    *traces: Trace,
    headers: dict[str, str],
    collector: Collector = COLLECTOR,
) -> None:
    """Puts traces and closes, as a stop does."""
    export = TraceExport(collector, transport)
    async with trio.open_nursery() as nursery:
        await nursery.start(export.run)
        for trace in traces:
            export.put_nowait(trace, extra_headers=headers)
        await export.close()
        nursery.cancel_scope.cancel()


async def test_traces_are_sent_together(transport: FakeTransport) -> None:
    """Those that go with the same headers."""
    other = trace_with(TraceExtras(headers={"x-place": "caller"}))

    await exported(
        transport, trace_with(), other, trace_with(), headers={"X-Place": "static", "X-Team": "t"}
    )

    assert transport.spans() == [2, 1]
    assert [(each.headers["x-place"], each.headers["x-team"]) for each in transport.sent] == [
        ("static", "t"),
        ("caller", "t"),
    ]
    assert [each.headers["x-own"] for each in transport.sent] == ["1", "1"]
    assert transport.sent[0].url == "http://collector/v1/traces"


async def test_a_busy_gateway_loses_no_traces(
    transport: FakeTransport, autojump_clock: MockClock
) -> None:
    """What fills an export does not wait for more to be sent with."""
    export = TraceExport(COLLECTOR, transport)
    for _ in range(3 * trace_export.BATCH_MAX):
        export.put_nowait(trace_with(), extra_headers={})
    began = trio.current_time()

    async with trio.open_nursery() as nursery:
        await nursery.start(export.run)
        while len(transport.sent) < 3:
            await trio.lowlevel.checkpoint()
        nursery.cancel_scope.cancel()

    assert transport.spans() == [trace_export.BATCH_MAX] * 3
    assert trio.current_time() == began


async def test_nothing_is_sent_when_nothing_happens(transport: FakeTransport) -> None:
    """A stop then waits for nothing."""
    await exported(transport, headers={})

    assert transport.sent == []


@pytest.mark.parametrize(
    ("statuses", "count"),
    [([503, 200], 2), ([0, 429, 200], 3), ([0, 0, 0, 200], 3), ([400], 1), ([-1, 200], 2)],
)
async def test_what_may_pass_is_sent_again(
    transport: FakeTransport,
    statuses: list[int],
    count: int,
    log: Log,
    autojump_clock: MockClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Some times, with pauses; the log tells once."""
    monkeypatch.setattr(trace_export, "FLUSH_S_MAX", 60.0)
    transport.statuses = statuses

    await exported(transport, trace_with(), headers={})

    assert len(transport.sent) == count
    assert [entry["event"] for entry in log] == ["traces not exported"]


async def test_a_stop_does_not_wait_for_a_collector_that_hangs(
    transport: FakeTransport, autojump_clock: MockClock
) -> None:
    """It has other things to do."""
    transport.statuses = [-1] * 5
    began = trio.current_time()

    await exported(transport, trace_with(), headers={})

    assert trio.current_time() - began <= trace_export.FLUSH_S_MAX + 0.1


async def test_what_waits_has_a_bound(
    transport: FakeTransport, monkeypatch: pytest.MonkeyPatch, log: Log
) -> None:
    """A collector that is down costs traces, not memory."""
    monkeypatch.setattr(trace_export, "WAITING_MAX", 3)

    await exported(transport, *[trace_with() for _ in range(10)], headers={})

    assert sum(transport.spans()) == 3
    assert "too many" in log[0]["reason"]


async def test_a_body_may_be_compressed(transport: FakeTransport) -> None:
    """If the collector takes it so."""
    collector = attrs.evolve(COLLECTOR, is_compressed=True)

    await exported(transport, trace_with(), headers={}, collector=collector)

    (sent,) = transport.sent
    assert sent.headers["content-encoding"] == "gzip"
    export = Export(path="", headers=dict(sent.headers), body=decompress(sent.body))
    assert [span["name"] for span in export.spans()] == ["POST /inference"]


async def test_a_collector_has_so_long_for_an_answer(
    transport: FakeTransport, autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch, log: Log
) -> None:
    """As the environment says."""
    monkeypatch.setattr(trace_export, "FLUSH_S_MAX", 60.0)
    transport.statuses = [-1, 200]
    collector = attrs.evolve(COLLECTOR, send_s_max=0.25)

    await exported(transport, trace_with(), headers={}, collector=collector)

    assert log[0]["reason"] == "no answer within 0.25 s"


async def test_requests_go_first_while_traces_are_encoded(transport: FakeTransport) -> None:
    """Other tasks run between any two of them."""
    turns = 0

    async def work() -> None:
        nonlocal turns
        while not transport.sent:
            await trio.lowlevel.checkpoint()
            turns += 1

    async with trio.open_nursery() as nursery:
        nursery.start_soon(work)
        await exported(transport, *[trace_with() for _ in range(50)], headers={})

    assert turns >= 50
