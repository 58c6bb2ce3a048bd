"""Signals: the first asks, the second insists."""

import signal

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from lsd.server.stop_signals import Stop, watch_signals


class Watched:
    """What the signals have asked for."""

    def __init__(self) -> None:
        self.signals = Stop()
        self.hangups = 0
        self.heard: list[str] = []

    async def watch(self, nursery: trio.Nursery) -> None:
        """Listens in `nursery` until it ends."""
        await nursery.start(watch_signals, self.signals, self._hang_up)
        nursery.start_soon(self._hear, "asked")
        nursery.start_soon(self._hear, "insisted")

    def _hang_up(self) -> None:
        self.hangups += 1

    async def raise_signal(self, number: signal.Signals) -> None:
        """Sends a signal to this process, and waits for what it does."""
        signal.raise_signal(number)
        await trio.lowlevel.checkpoint()
        await wait_all_tasks_blocked()

    async def _hear(self, what: str) -> None:
        wait = self.signals.wait_asked if what == "asked" else self.signals.wait_insisted
        await wait()
        self.heard.append(what)


@pytest.mark.parametrize(
    ("first", "second", "code"),
    [
        (signal.SIGTERM, signal.SIGTERM, 143),
        (signal.SIGINT, signal.SIGINT, 130),
        (signal.SIGTERM, signal.SIGINT, 130),
        (signal.SIGINT, signal.SIGTERM, 143),
    ],
)
async def test_the_first_signal_asks_and_the_second_insists(
    nursery: trio.Nursery, first: signal.Signals, second: signal.Signals, code: int
) -> None:
    """A forced stop is told to the parent process by the signal that forced it."""
    watched = Watched()
    await watched.watch(nursery)
    await wait_all_tasks_blocked()
    before = list(watched.heard)

    await watched.raise_signal(first)
    after_first = list(watched.heard)
    code_after_first = watched.signals.forced_exit_code
    await watched.raise_signal(second)

    assert (before, after_first) == ([], ["asked"])
    assert code_after_first == 128 + first
    assert watched.heard == ["asked", "insisted"]
    assert watched.signals.forced_exit_code == code
    nursery.cancel_scope.cancel()


async def test_further_signals_change_nothing(nursery: trio.Nursery) -> None:
    """Whoever is impatient may press the key again."""
    watched = Watched()
    await watched.watch(nursery)

    for _ in range(4):
        await watched.raise_signal(signal.SIGINT)

    assert watched.heard == ["asked", "insisted"]
    nursery.cancel_scope.cancel()


async def test_a_signal_to_reload_stops_nothing(nursery: trio.Nursery) -> None:
    """It is told to whoever reloads."""
    watched = Watched()
    await watched.watch(nursery)

    await watched.raise_signal(signal.SIGHUP)

    assert watched.heard == []
    assert watched.hangups == 1
    nursery.cancel_scope.cancel()


async def test_signals_are_given_back() -> None:
    """When the daemon has ended, they mean what they meant before."""
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)

    async with trio.open_nursery() as nursery:
        await nursery.start(watch_signals, Stop(), lambda: None)
        during = signal.getsignal(signal.SIGTERM)
        nursery.cancel_scope.cancel()

    assert during != before[0]
    assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)) == before
