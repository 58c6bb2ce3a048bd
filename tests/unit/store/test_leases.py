"""Leases: one worker process at a time does the work, and another goes on when it cannot."""

import time
from collections.abc import Callable

import attrs
import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from lsd.store import Leases, Store, work_alone
from lsd.store.leases import LEASE_S, RENEW_EVERY_S
from tests.unit.store.makers import HandClock

NAME = "sweeping"


@attrs.define(eq=False)
class TrioClock(HandClock):
    """The clock of the test's event loop."""

    token: trio.lowlevel.TrioToken = attrs.field(factory=trio.lowlevel.current_trio_token)

    def monotonic(self) -> float:
        return trio.from_thread.run_sync(trio.current_time, trio_token=self.token)


@pytest.fixture
def first(store: Store, clock: HandClock) -> Leases:
    """As the first worker sees them."""
    return Leases(state=store.state, clock=clock, shard=1)


@pytest.fixture
def second(store: Store, clock: HandClock) -> Leases:
    """As the second worker sees them."""
    return Leases(state=store.state, clock=clock, shard=2)


def test_a_lease_has_one_holder(first: Leases, second: Leases) -> None:
    """Who has it may take it again; different work has a lease of its own."""
    assert [first.take(NAME), second.take(NAME), first.take(NAME)] == [True, False, True]
    assert second.take("polling")


def test_a_lease_that_is_not_renewed_ends(first: Leases, second: Leases, clock: HandClock) -> None:
    """Whoever asks then has it."""
    first.take(NAME)
    clock.advance_s(LEASE_S - 1)
    first.take(NAME)
    clock.advance_s(LEASE_S - 1)
    before = second.take(NAME)
    clock.advance_s(1)

    assert [before, second.take(NAME), first.take(NAME)] == [False, True, False]


def test_a_lease_can_be_given_up(first: Leases, second: Leases) -> None:
    """By its holder alone."""
    first.take(NAME)
    second.give_up(NAME)
    kept = second.take(NAME)
    first.give_up(NAME)

    assert [kept, second.take(NAME)] == [False, True]


@pytest.mark.parametrize(("forgotten", "is_free"), [(1, True), (2, False), (None, True)])
def test_the_leases_of_the_dead_are_forgotten(
    first: Leases, second: Leases, forgotten: int | None, is_free: bool
) -> None:
    """Of one process, or, when the server begins anew, of all."""
    first.take(NAME)
    second.forget(forgotten)

    assert second.take(NAME) is is_free


def test_a_successor_is_another_holder(store: Store, first: Leases, clock: HandClock) -> None:
    """The number is the same, the process is not: what it had begun is not going on."""
    first.take(NAME)

    assert not Leases(state=store.state, clock=clock, shard=1).take(NAME)


@attrs.define(eq=False)
class Work:
    """Work that goes on until the test ends it; tells when it begins and when it is cancelled."""

    begun: int = 0
    cancelled: int = 0
    has_begun: trio.Event = attrs.field(factory=trio.Event)
    may_end: trio.Event = attrs.field(factory=trio.Event)

    async def do(self) -> None:
        self.begun += 1
        self.has_begun.set()
        try:
            await self.may_end.wait()
        except trio.Cancelled:
            self.cancelled += 1
            raise


Pair = Callable[[], tuple[Leases, Leases]]


@pytest.fixture
async def jumps(mock_clock: MockClock, nursery: trio.Nursery) -> None:
    """The clock jumps to what all wait for, but never while a thread works."""
    threads = trio.to_thread.current_default_thread_limiter()

    async def jump() -> None:
        while True:
            await wait_all_tasks_blocked()
            if threads.borrowed_tokens > 0:
                await trio.to_thread.run_sync(time.sleep, 0.001, limiter=trio.CapacityLimiter(1))
                continue
            wait_s = trio.lowlevel.current_statistics().seconds_to_next_deadline
            mock_clock.jump(wait_s if wait_s < float("inf") else 0)

    nursery.start_soon(jump)


@pytest.fixture
def pair(store: Store) -> Pair:
    """Two workers by the clock of the event loop."""

    def make() -> tuple[Leases, Leases]:
        clock = TrioClock()
        one, two = (Leases(state=store.state, clock=clock, shard=shard) for shard in (1, 2))
        return one, two

    return make


async def test_work_is_done_by_one_at_a_time(
    pair: Pair, mock_clock: MockClock, jumps: None
) -> None:
    """As long as it takes; when it is done, the next one does it."""
    one, two = pair()
    first, second = Work(), Work()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(work_alone, one, NAME, first.do)
        await first.has_begun.wait()
        nursery.start_soon(work_alone, two, NAME, second.do)
        await trio.sleep(1.5 * LEASE_S)
        during = (first.begun, second.begun)
        first.may_end.set()
        await second.has_begun.wait()
        second.may_end.set()

    assert during == (1, 0)
    assert (first.begun, second.begun, first.cancelled) == (1, 1, 0)


async def test_another_goes_on_with_cancelled_work(
    pair: Pair, mock_clock: MockClock, jumps: None
) -> None:
    """It need not wait for the lease to end by itself."""
    one, two = pair()
    first, second = Work(), Work()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(work_alone, one, NAME, first.do)
        await first.has_begun.wait()
        nursery.cancel_scope.cancel()
    async with trio.open_nursery() as nursery:
        began = trio.current_time()
        nursery.start_soon(work_alone, two, NAME, second.do)
        await second.has_begun.wait()
        took_s = trio.current_time() - began
        second.may_end.set()

    assert (first.cancelled, second.begun) == (1, 1)
    assert took_s < LEASE_S / 2


async def test_work_whose_lease_is_lost_is_cancelled(
    pair: Pair, mock_clock: MockClock, jumps: None
) -> None:
    """A process that was thought dead must not go on beside its successor."""
    one, two = pair()
    first, second = Work(), Work()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(work_alone, one, NAME, first.do)
        await first.has_begun.wait()

        def take_over() -> None:
            while not two.take(NAME):  # the other may have renewed it in between
                two.forget(1)

        await trio.to_thread.run_sync(take_over)
        nursery.start_soon(work_alone, two, NAME, second.do)
        await second.has_begun.wait()
        await trio.sleep(2 * RENEW_EVERY_S)
        counts = (first.begun, first.cancelled, second.begun)
        nursery.cancel_scope.cancel()

    assert counts == (1, 1, 1)


async def test_what_the_work_raises_is_raised(pair: Pair) -> None:
    """As it is, and the lease is free then."""
    one, two = pair()

    async def failing() -> None:
        await wait_all_tasks_blocked()
        raise ValueError("a bug")

    with pytest.raises(ValueError, match="a bug"):
        await work_alone(one, NAME, failing)

    assert await trio.to_thread.run_sync(two.take, NAME)
