"""What has expired is swept away from time to time."""

import attrs
import trio
from trio.testing import MockClock

from lsd.server.sweeper import sweep_forever
from lsd.store import StoreFull
from tests.unit.captured_log import Log
from tests.unit.store.makers import HandClock


@attrs.define(eq=False)
class FakeCache:
    """Counts its sweeps, each of two parts; the first ones fail."""

    failures: int = 0
    sweeps_wanted: int = 3
    swept_at: list[tuple[float, int]] = attrs.field(factory=list, init=False)
    is_done: trio.Event = attrs.field(factory=trio.Event, init=False)
    is_clean: bool = attrs.field(default=False, init=False)

    def sweep(self, *, now_ms: int) -> int:
        if self.is_clean:
            self.is_clean = False
            return 0
        self.swept_at.append((trio.from_thread.run_sync(trio.current_time), now_ms))
        if len(self.swept_at) == self.sweeps_wanted:
            trio.from_thread.run_sync(self.is_done.set)
        if len(self.swept_at) <= self.failures:
            raise StoreFull("/data", "disk", 1)
        self.is_clean = True
        return 7


async def swept(cache: FakeCache) -> list[tuple[float, int]]:
    """When the cache was swept, by trio's clock and by the one that was handed in."""
    async with trio.open_nursery() as nursery:
        nursery.start_soon(
            sweep_forever, lambda: {"inference cache": cache}, HandClock(5000), 3600.0
        )
        await cache.is_done.wait()
        await trio.testing.wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()
    return cache.swept_at


async def test_sweeps_come_at_their_interval(autojump_clock: MockClock) -> None:
    """The first one after it, too: a start has other things to do."""
    times = await swept(FakeCache())

    assert [round(at / 3600) for at, _ in times[:3]] == [1, 2, 3]
    assert {now_ms for _, now_ms in times} == {5000}


async def test_a_failed_sweep_waits_for_the_next(autojump_clock: MockClock, log: Log) -> None:
    """A full disk is told, and tried again."""
    times = await swept(FakeCache(failures=2))

    assert len(times) >= 3
    warnings = [entry for entry in log if entry["log_level"] == "warning"]
    assert len(warnings) == 2
    assert (warnings[0]["event"], warnings[0]["what"]) == ("not swept", "inference cache")
    assert "the disk is full" in warnings[0]["reason"]
