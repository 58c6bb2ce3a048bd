"""A daemon's life, in this process: it serves on a real socket, and ends by real signals."""

import signal
import socket
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import attrs
import orjson
import pytest
import trio

from lsd.api import Endpoint, Operations
from lsd.config import Address
from lsd.server import daemon as daemon_module
from lsd.server.daemon import Daemon
from lsd.server.equipment import Equipment
from lsd.server.generations import Generations
from lsd.server.kept import Kept, open_kept
from lsd.server.listening import listen
from lsd.server.stop_signals import Stop, watch_signals
from lsd.telemetry import Metrics, SystemClock
from tests.unit.api.endpoints import Gate, endpoint, front_of
from tests.unit.captured_log import Log
from tests.unit.config.folder import Folder
from tests.unit.server.wire import connect, read_all, read_until, talk

SMALL = '[storage]\nmap_size = "4 MiB"\nmax_map_size = "64 MiB"\ndurability = "none"\n'
STOPPING = b'{"error":"the daemon is stopping; the answer is not complete"}'
ECHO = {"model_name": "echo::demo", "input": {"messages": [{"role": "user", "content": "hi"}]}}


def sent(method: str, path: str, body: bytes = b"", *more: str) -> bytes:
    """A request with further header lines."""
    head = [f"{method} {path} HTTP/1.1", "Host: localhost", f"Content-Length: {len(body)}", *more]
    return "\r\n".join((*head, "", "")).encode() + body


@attrs.define(eq=False)
class Life:
    """A daemon at work, and what is left of it at its end."""

    daemon: Daemon
    kept: Kept | None
    listener: socket.socket
    code: int | None = None
    ended: trio.Event = attrs.field(factory=trio.Event, init=False)

    async def run(self) -> None:
        """Serves until a signal ends it."""
        self.code = await self.daemon.run(self.listener)
        self.ended.set()

    async def get(self, path: str) -> tuple[bytes, Any]:
        """The first line of the answer, and its body as JSON."""
        answer = await talk(self.listener, sent("GET", path, b"", "Connection: close"))
        head, _, body = answer.partition(b"\r\n\r\n")
        return head.split(b"\r\n")[0].strip(), orjson.loads(body)

    async def wait_until_serving(self) -> None:
        """Returns when requests are answered, and signals heard."""
        line, _ = await self.get("/status")
        assert line.startswith(b"HTTP/1.1 200")

    async def exit_code(self) -> int:
        """How it has ended; signals are sent before."""
        await self.ended.wait()
        assert self.code is not None
        return self.code


MakeLife = Callable[..., Life]


@pytest.fixture(params=["auto", "hypercorn"])
def make(folder: Folder, request: pytest.FixtureRequest) -> Iterator[MakeLife]:
    """Makes daemons that serve the endpoints of the test beside their own, on each server.

    `gateway` are lines of that table, `text` stands after it.
    """
    lives: list[Life] = []

    def life(*endpoints: Endpoint, gateway: str = "", text: str = "") -> Life:
        table = f'[gateway]\nserver = "{request.param}"\n{gateway}\n'
        loaded, clock, metrics = folder.load(SMALL + table + text), SystemClock(), Metrics(())
        kept = open_kept(loaded, clock, metrics)
        equipment = Equipment.of(loaded, kept, clock, metrics)
        generations = Generations.first(loaded, equipment)
        if endpoints:
            in_flight = equipment.in_flight
            own = Operations(loaded.hash, metrics, None, in_flight).endpoints()
            front = front_of(*endpoints, *own, in_flight=in_flight)
            generations.current = attrs.evolve(generations.current, front=front)
        stop = Stop()
        daemon = Daemon(
            generations=generations,
            stop=stop,
            tasks=(partial(watch_signals, stop, lambda: None),),
            on_serving=lambda: None,
        )
        lives.append(Life(daemon, kept, listen(Address("127.0.0.1", 0))))
        return lives[-1]

    yield life
    for each in lives:
        each.listener.close()
        if each.kept is not None:
            each.kept.store.close()


def events_of(log: Log) -> list[str]:
    """What was logged, in order."""
    return [entry["event"] for entry in log]


async def wait_until(is_so: Callable[[], bool]) -> None:
    """Returns when it is so; what a daemon does inside, it tells nobody."""
    while not is_so():
        await trio.lowlevel.checkpoint()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_a_daemon_in_order(
    make: MakeLife, nursery: trio.Nursery, log: Log, number: signal.Signals
) -> None:
    """With nothing left to do, it ends at once, with 0."""
    life = make()
    nursery.start_soon(life.run)
    await life.wait_until_serving()

    signal.raise_signal(number)

    assert await life.exit_code() == 0
    assert events_of(log) == ["draining"]


async def test_a_running_stream_is_finished(make: MakeLife, nursery: trio.Nursery) -> None:
    """New connections are refused; what has begun goes on to its end."""
    gate = Gate(streams=True)
    life = make(endpoint(gate))
    address = life.listener.getsockname()
    nursery.start_soon(life.run)
    await life.wait_until_serving()

    async with await connect(life.listener) as stream:
        await stream.send_all(sent("POST", "/work"))
        begun = await read_until(stream, b"data: one\n\n\r\n")
        signal.raise_signal(signal.SIGTERM)
        await wait_until(lambda: life.listener.fileno() < 0)
        with pytest.raises(OSError, match="all attempts to connect to"):
            await trio.open_tcp_stream(*address)
        gate.may_go_on.set()
        rest = await read_all(stream)

    assert begun.startswith(b"HTTP/1.1 200")
    assert b"data: two\n\n" in rest
    assert rest.endswith(b"0\r\n\r\n")
    assert await life.exit_code() == 0


async def test_a_load_balancer_has_time_to_look_away(make: MakeLife, nursery: trio.Nursery) -> None:
    """Health says so at once, while requests are still served."""
    life = make(gateway="shutdown_delay_ms = 3_600_000")
    nursery.start_soon(life.run)
    await life.wait_until_serving()
    signal.raise_signal(signal.SIGTERM)
    await wait_until(lambda: life.daemon.equipment.in_flight.is_draining)

    line, health = await life.get("/health")
    status_line, _ = await life.get("/status")
    signal.raise_signal(signal.SIGTERM)

    assert line.startswith(b"HTTP/1.1 503")
    assert health == {"gateway": "draining", "store": "ok"}
    assert status_line.startswith(b"HTTP/1.1 200")
    assert await life.exit_code() == 143


@pytest.mark.parametrize("streams", [False, True], ids=["plain", "stream"])
@pytest.mark.parametrize(("second", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
async def test_a_second_signal_cuts_off(
    make: MakeLife,
    nursery: trio.Nursery,
    log: Log,
    streams: bool,
    second: signal.Signals,
    code: int,
) -> None:
    """Whoever waits is told; the exit code names the signal."""
    gate = Gate(streams=streams)
    life = make(endpoint(gate))
    nursery.start_soon(life.run)
    await life.wait_until_serving()

    async with await connect(life.listener) as stream:
        await stream.send_all(sent("POST", "/work"))
        await gate.begun.wait()
        signal.raise_signal(signal.SIGTERM)
        await wait_until(lambda: "draining" in events_of(log))
        signal.raise_signal(second)
        answer = await read_all(stream)

    assert gate.outcome == "cancelled"
    assert STOPPING in answer
    assert answer.startswith(b"HTTP/1.1 200" if streams else b"HTTP/1.1 503")
    assert await life.exit_code() == code
    cut = log[events_of(log).index("requests are cut off")]
    assert (cut["log_level"], cut["by_route"]) == ("warning", {"POST /work": 1})


async def test_there_is_an_end_of_waiting(make: MakeLife, nursery: trio.Nursery, log: Log) -> None:
    """After the timeout, what still runs is cut off as by a second signal."""
    gate = Gate()
    life = make(endpoint(gate), gateway="shutdown_timeout_ms = 20")
    nursery.start_soon(life.run)
    await life.wait_until_serving()

    async with await connect(life.listener) as stream:
        await stream.send_all(sent("POST", "/work"))
        await gate.begun.wait()
        signal.raise_signal(signal.SIGINT)
        answer = await read_all(stream)

    assert STOPPING in answer
    assert gate.outcome == "cancelled"
    assert await life.exit_code() == 130
    assert events_of(log)[-1] == "requests are cut off"


async def test_work_that_outlives_its_client_is_finished(
    make: MakeLife, nursery: trio.Nursery
) -> None:
    """A stop waits for it as for any other."""
    gate = Gate()
    life = make(endpoint(gate, when_client_leaves="finish", is_hot=True))
    nursery.start_soon(life.run)
    await life.wait_until_serving()

    async with await connect(life.listener) as stream:
        await stream.send_all(sent("POST", "/work"))
        await gate.begun.wait()
    signal.raise_signal(signal.SIGTERM)
    await wait_until(lambda: life.listener.fileno() < 0)
    had_ended = life.ended.is_set()
    gate.may_go_on.set()

    assert await life.exit_code() == 0
    assert not had_ended
    assert gate.outcome == "finished"


async def test_waiting_is_told_from_time_to_time(
    make: MakeLife, nursery: trio.Nursery, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    """How many requests there are, and on which routes."""
    monkeypatch.setattr(daemon_module, "REPORT_EVERY_S", 0.001)
    gate = Gate()
    life = make(endpoint(gate))
    nursery.start_soon(life.run)
    await life.wait_until_serving()

    async with await connect(life.listener) as stream:
        await stream.send_all(sent("POST", "/work"))
        await gate.begun.wait()
        signal.raise_signal(signal.SIGTERM)
        await wait_until(lambda: "waiting for requests" in events_of(log))
        gate.may_go_on.set()
        await read_all(stream)

    assert await life.exit_code() == 0
    entry = log[events_of(log).index("waiting for requests")]
    assert (entry["log_level"], entry["total"]) == ("info", 1)
    assert entry["by_route"] == {"POST /work": 1}


async def test_an_orderly_stop_loses_no_record(make: MakeLife, nursery: trio.Nursery) -> None:
    """Not even those of a batch that was to wait for an hour."""
    life = make(
        text="[gateway.observability]\nasync_writes = false\n"
        "batch_writes = { enabled = true, flush_interval_ms = 3_600_000 }\n"
    )
    nursery.start_soon(life.run)
    await life.wait_until_serving()
    body = sent("POST", "/inference", orjson.dumps(ECHO), "Connection: close")
    answer = orjson.loads((await talk(life.listener, body)).partition(b"\r\n\r\n")[2])

    signal.raise_signal(signal.SIGTERM)

    assert await life.exit_code() == 0
    assert life.kept is not None
    assert life.kept.store.inferences.exists(answer["inference_id"])
