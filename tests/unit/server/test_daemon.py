"""A daemon's life, in this process: it serves on a real socket, and ends by real signals."""

import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import attrs
import orjson
import pytest
import trio

from lsd import __version__
from lsd.api import Endpoint
from lsd.config import Address
from lsd.server import StartRefused, run_daemon
from lsd.server import daemon as daemon_module
from lsd.server.assembly import assemble
from lsd.server.daemon import Daemon
from lsd.server.kept import Kept, open_kept
from lsd.server.listening import listen, shown_address
from lsd.server.pid_file import PidFile
from lsd.store import Store, StoreSettings
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

    def life(
        *endpoints: Endpoint, gateway: str = "", text: str = "", pid_file: Path | None = None
    ) -> Life:
        table = f'[gateway]\nserver = "{request.param}"\n{gateway}\n'
        loaded, clock, metrics = folder.load(SMALL + table + text), SystemClock(), Metrics(())
        kept = open_kept(loaded, clock, metrics)
        assembled = assemble(loaded, kept, None, clock, metrics)
        if endpoints:
            front = front_of(
                *endpoints, *assembled.operations.endpoints(), in_flight=assembled.in_flight
            )
            assembled = attrs.evolve(assembled, front=front)
        shown = None if pid_file is None else PidFile.prepare(pid_file)
        daemon = Daemon(loaded=loaded, kept=kept, assembled=assembled, pid_file=shown)
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
    assert events_of(log) == ["serving", "draining", "stopped"]
    assert log[-1]["exit_code"] == 0


async def test_what_serves_is_announced(make: MakeLife, nursery: trio.Nursery, log: Log) -> None:
    """Where, what, from which files, and where the records go."""
    life = make()
    address = shown_address(life.listener)
    nursery.start_soon(life.run)
    await life.wait_until_serving()
    signal.raise_signal(signal.SIGTERM)
    await life.exit_code()

    entry = log[0]
    assert life.kept is not None
    assert {key: entry[key] for key in ("event", "log_level", "address", "version")} == {
        "event": "serving",
        "log_level": "info",
        "address": address,
        "version": __version__,
    }
    assert entry["config_hash"] == life.daemon.loaded.hash
    assert entry["config_files"] == [str(life.daemon.loaded.files[0])]
    assert entry["base_path"] == "/"
    assert entry["store"] == str(life.kept.store.path)
    assert entry["store_bytes"] > 0
    assert (entry["writes"], entry["auth"], entry["workers"]) == ("async", False, 1)


@pytest.mark.parametrize(
    ("text", "mode"),
    [
        ("async_writes = false", "sync"),
        ("async_writes = false\nbatch_writes.enabled = true", "batch"),
        ("enabled = false", "off"),
    ],
)
async def test_the_mode_of_writing_is_announced(
    make: MakeLife, nursery: trio.Nursery, log: Log, text: str, mode: str
) -> None:
    """Before somebody wonders where his records are."""
    life = make(text=f"[gateway.observability]\n{text}\n")
    nursery.start_soon(life.run)
    await life.wait_until_serving()
    signal.raise_signal(signal.SIGTERM)
    await life.exit_code()

    assert log[0]["writes"] == mode


@pytest.mark.parametrize(
    ("address", "count"), [("0.0.0.0:0", 1), ("[::]:0", 1), ("127.0.0.1:0", 0), ("[::1]:0", 0)]
)
async def test_an_open_address_is_warned_of_once(
    make: MakeLife, nursery: trio.Nursery, log: Log, address: str, count: int
) -> None:
    """The configuration's own warning tells that anybody may ask; serving adds no other."""
    life = make(gateway=f'bind_address = "{address}"')
    nursery.start_soon(life.run)
    await life.wait_until_serving()
    signal.raise_signal(signal.SIGTERM)
    await life.exit_code()

    assert len(life.daemon.loaded.warnings) == count
    assert [entry["event"] for entry in log if entry["log_level"] != "info"] == []


async def test_without_a_store_nothing_is_written(
    make: MakeLife, nursery: trio.Nursery, folder: Folder, log: Log
) -> None:
    """The announcement says so, after the warning."""
    folder.write("lsd-data", "a file where a folder should be")
    life = make()
    nursery.start_soon(life.run)
    await life.wait_until_serving()
    signal.raise_signal(signal.SIGTERM)

    assert await life.exit_code() == 0
    assert events_of(log)[:2] == ["nothing will be recorded", "serving"]
    assert (log[1]["store"], log[1]["writes"]) == (None, "off")


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
    await wait_until(lambda: life.daemon.assembled.operations.is_draining)

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
    assert events_of(log)[-2:] == ["requests are cut off", "stopped"]


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


async def test_the_pid_is_shown_while_serving(
    make: MakeLife, nursery: trio.Nursery, tmp_path: Path
) -> None:
    """And gone with the daemon."""
    path = tmp_path / "lsd.pid"
    life = make(pid_file=path)
    before = path.exists()
    nursery.start_soon(life.run)
    await life.wait_until_serving()
    during = path.read_text()

    signal.raise_signal(signal.SIGTERM)
    await life.exit_code()

    assert (before, during, path.exists()) == (False, f"{os.getpid()}\n", False)


def refusal(folder: Folder, text: str = "", pid_file: Path | None = None) -> str:
    """Why a daemon with this configuration does not start."""
    loaded = folder.load(SMALL + text, bind_address="127.0.0.1:0")
    with pytest.raises(StartRefused) as refused:
        run_daemon(loaded, pid_file=pid_file)
    return str(refused.value)


def reopened(folder: Folder) -> None:
    """Proves that nobody holds the data folder any more."""
    settings = StoreSettings(map_size=4 << 20)
    Store.open(folder.path / "lsd-data", settings, is_server=True).close()


def test_a_port_in_use_keeps_nothing_open(folder: Folder) -> None:
    """The next start finds everything free."""
    with listen(Address("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        loaded = folder.load(SMALL, bind_address=f"127.0.0.1:{port}")
        with pytest.raises(StartRefused, match="it is in use"):
            run_daemon(loaded)

    reopened(folder)


def test_a_pid_file_that_cannot_be_written_keeps_nothing_open(folder: Folder) -> None:
    """It is found out before anything is served."""
    told = refusal(folder, pid_file=folder.path / "absent" / "lsd.pid")

    assert told.startswith(f"--pid-file {folder.path}/absent/lsd.pid: ")
    reopened(folder)


def test_objects_that_cannot_be_kept_keep_nothing_open(folder: Folder) -> None:
    """The refusal names the folder."""
    folder.write("lsd-data/objects", "a file where a folder should be")

    assert "object storage at " in refusal(folder)
    reopened(folder)


def test_certificates_that_cannot_be_read_keep_nothing_open(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The refusal names the variable or the file."""
    missing = folder.path / "missing.pem"
    monkeypatch.setenv("SSL_CERT_FILE", str(missing))

    assert str(missing) in refusal(folder)
    reopened(folder)


def test_a_store_that_is_insisted_on_must_be_there(folder: Folder) -> None:
    """Nothing is served without it."""
    folder.write("lsd-data", "a file where a folder should be")

    told = refusal(folder, "[gateway.observability]\nenabled = true\n")

    assert "gateway.observability.enabled = true needs the store" in told


def test_a_whole_life(folder: Folder, log: Log) -> None:
    """From the configuration to the exit code, and everything is free again."""
    path = folder.path / "lsd.pid"
    loaded = folder.load(SMALL, bind_address="127.0.0.1:0")

    def end_when_serving() -> None:
        while not path.exists():
            threading.Event().wait(0.001)
        os.kill(os.getpid(), signal.SIGTERM)

    watcher = threading.Thread(target=end_when_serving, daemon=True)
    watcher.start()
    code = run_daemon(loaded, pid_file=path)
    watcher.join()

    assert code == 0
    assert events_of(log) == ["serving", "draining", "stopped"]
    assert not path.exists()
    reopened(folder)
