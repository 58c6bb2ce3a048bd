"""The main process: whom it starts anew, when it gives up, how it ends. Real ones: tests/api."""

import signal
import socket
from collections.abc import Iterator
from typing import Any, ClassVar

import attrs
import pytest
import trio
from trio.testing import MockClock

from lsd.config import Address, Loaded
from lsd.server import supervisor as supervisor_module
from lsd.server.channel import ChannelClosed
from lsd.server.listening import listen
from lsd.server.refusals import ReloadRefused
from lsd.server.stop_signals import Stop
from lsd.server.supervisor import KILL_AFTER_S, LONG_LIFE_S, Supervisor
from lsd.telemetry import LogSettings
from tests.unit.captured_log import Log
from tests.unit.config.folder import Folder


@attrs.define(eq=False)
class FakeWorker:
    """A process that obeys, until the test ends it."""

    crew: ClassVar[list["FakeWorker"]] = []
    refusals: ClassVar[dict[str, str]] = {}

    number: int
    pid: int
    born: float = attrs.field(factory=trio.current_time)
    orders: list[str] = attrs.field(factory=list)
    code: int | None = None
    hangs: bool = False
    _ended: trio.Event = attrs.field(factory=trio.Event)

    @classmethod
    async def spawn(cls, number: int, _listener: socket.socket) -> "FakeWorker":
        cls.crew.append(cls(number, 1000 + len(cls.crew)))
        return cls.crew[-1]

    async def ask(self, order: str, **_more: Any) -> str | None:
        await trio.lowlevel.checkpoint()
        self.orders.append(order)
        if self.code is not None:
            raise ChannelClosed
        return self.refusals.get(order)

    async def tell_to_stop(self, number: int, *, insists: bool) -> None:
        await trio.lowlevel.checkpoint()
        self.orders.append("insist" if insists else "stop")
        if not self.hangs:
            self.end(128 + number if insists else 0)

    async def wait(self) -> int:
        await self._ended.wait()
        assert self.code is not None
        return self.code

    def kill(self) -> None:
        self.end(-9)

    def end(self, code: int) -> None:
        """The process ends, once."""
        if self.code is None:
            self.code = code
            self._ended.set()


@pytest.fixture(autouse=True)
def crew(monkeypatch: pytest.MonkeyPatch) -> list[FakeWorker]:
    """All workers that were ever started, in order."""
    monkeypatch.setattr(supervisor_module, "WorkerProcess", FakeWorker)
    monkeypatch.setattr(FakeWorker, "crew", [])
    monkeypatch.setattr(FakeWorker, "refusals", {})
    return FakeWorker.crew


@pytest.fixture
def loaded(folder: Folder) -> Loaded:
    """A configuration that gives requests ten seconds to finish."""
    return folder.load("gateway.shutdown_timeout_ms = 10_000")


@pytest.fixture
def supervisor(loaded: Loaded) -> Iterator[Supervisor]:
    """Has two workers, and no store."""
    with listen(Address("127.0.0.1", 0)) as listener:
        yield Supervisor(
            loaded=loaded, logs=LogSettings(), workers=2, listener=listener, stop=Stop()
        )


async def exit_code(supervisor: Supervisor) -> int:
    """How it ends when it is asked to."""
    supervisor.stop.ask(signal.SIGTERM)
    return await supervisor.run()


async def test_nobody_serves_before_all_are_ready(
    supervisor: Supervisor, crew: list[FakeWorker]
) -> None:
    """Then each of them may."""
    assert await supervisor.start() is None
    assert sorted(each.number for each in crew) == [1, 2]
    assert [each.orders for each in crew] == [["start", "serve"]] * 2
    assert await exit_code(supervisor) == 0


async def test_a_worker_that_refuses_ends_the_start(
    supervisor: Supervisor, crew: list[FakeWorker]
) -> None:
    """With its reason; none is left over."""
    FakeWorker.refusals["start"] = "no room"

    assert await supervisor.start() == "no room"
    assert [each.code for each in crew] == [-9, -9]


async def test_the_dead_are_replaced_later_and_later(
    supervisor: Supervisor, crew: list[FakeWorker], autojump_clock: MockClock
) -> None:
    """At once, then after a second, then after two; after a long life at once again."""
    await supervisor.start()
    delays = []
    async with trio.open_nursery() as nursery:
        nursery.start_soon(supervisor.run)
        for lived_s in (0.0, 0.0, 0.0, LONG_LIFE_S + 1):
            await trio.sleep(lived_s)
            count, died_at = len(crew), trio.current_time()
            next(each for each in reversed(crew) if each.number == 1).end(-9)
            while len(crew) == count:  # noqa: ASYNC110 (a list tells nobody)
                await trio.sleep(0.01)
            delays.append(round(crew[-1].born - died_at))
        supervisor.stop.ask(signal.SIGTERM)

    assert delays == [0, 1, 2, 0]
    assert crew[-1].orders == ["start", "serve", "stop"]


async def test_too_many_deaths_are_the_end(
    supervisor: Supervisor, crew: list[FakeWorker], autojump_clock: MockClock, log: Log
) -> None:
    """Whichever workers they were: the fifth within a minute."""
    await supervisor.start()
    codes: list[int] = []

    async def run() -> None:
        codes.append(await supervisor.run())

    async with trio.open_nursery() as nursery:
        nursery.start_soon(run)
        while not codes:
            for each in [each for each in crew if each.code is None][:1]:
                each.end(-9)
            await trio.sleep(0.5)

    assert codes == [3]
    assert [entry["event"] for entry in log].count("worker died") == 5
    assert all(each.code is not None for each in crew)


@pytest.mark.parametrize("insists", [False, True])
async def test_a_worker_that_hangs_is_killed(
    supervisor: Supervisor, crew: list[FakeWorker], autojump_clock: MockClock, insists: bool
) -> None:
    """After all the time that it may take; the exit tells that the stop was forced."""
    await supervisor.start()
    crew[0].hangs = True
    began = trio.current_time()
    if insists:
        supervisor.stop.ask(signal.SIGTERM)
        supervisor.stop.insist(signal.SIGINT)

    code = await exit_code(supervisor)

    waited_s = trio.current_time() - began
    assert round(waited_s) == KILL_AFTER_S + (0 if insists else 10)
    assert crew[0].code == -9
    assert code == (130 if insists else 143)


async def test_a_configuration_is_in_force_in_all_or_in_none(
    supervisor: Supervisor, crew: list[FakeWorker], folder: Folder, loaded: Loaded
) -> None:
    """All have built it before any uses it."""
    await supervisor.start()
    other = folder.load("gateway.debug = true")
    FakeWorker.refusals["prepare"] = "no"
    with pytest.raises(ReloadRefused, match="no"):
        await supervisor.put_in_force(other)
    refused = supervisor.loaded
    FakeWorker.refusals.clear()

    await supervisor.put_in_force(other)

    assert (refused, supervisor.loaded) == (loaded, other)
    expected = ["start", "serve", "prepare", "prepare", "activate"]
    assert [each.orders for each in crew] == [expected] * 2
    assert await exit_code(supervisor) == 0


async def test_a_worker_that_dies_during_a_reload_holds_up_nobody(
    supervisor: Supervisor, crew: list[FakeWorker], folder: Folder
) -> None:
    """Its successor begins with what is in force."""
    await supervisor.start()
    crew[0].code = -9
    other = folder.load("gateway.debug = true")

    await supervisor.put_in_force(other)

    assert supervisor.loaded is other
    assert crew[1].orders[-1] == "activate"
