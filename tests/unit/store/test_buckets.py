"""Token buckets: what they hold, when they are refilled, and that nothing is given out twice."""

from collections.abc import Callable

import attrs
import pytest
import trio
from hypothesis import given, settings
from hypothesis import strategies as st

from lsd.store import BucketLimit, Buckets, Shortage, Store, WriteFailed
from tests.unit.store.makers import HandClock, open_store

MINUTE_MS = 60_000

LIMIT = BucketLimit(key=b"k" * 16, capacity=10, refill=3, interval_ms=MINUTE_MS)
OTHER = attrs.evolve(LIMIT, key=b"o" * 16)


@pytest.fixture
async def buckets(store: Store, clock: HandClock, nursery: trio.Nursery) -> Buckets:
    """The buckets of a store, with a writer at work."""
    writer = store.state_writer(clock)
    await nursery.start(writer.run)
    return store.buckets(writer)


@attrs.define(eq=False)
class Customer:
    """Takes from the buckets at the time of a clock."""

    buckets: Buckets
    clock: HandClock

    async def take(self, amount: int, *limits: BucketLimit) -> list[Shortage]:
        wanted = [(limit, amount) for limit in limits or (LIMIT,)]
        return list(await self.buckets.reserve(wanted, now_ms=self.clock.now_ms()))

    async def change(self, amount: int, limit: BucketLimit = LIMIT) -> None:
        await self.buckets.change([(limit, amount)], now_ms=self.clock.now_ms())

    def balance(self, limit: BucketLimit = LIMIT) -> int:
        return self.buckets.balance(limit, now_ms=self.clock.now_ms())


@pytest.fixture
async def customer(buckets: Buckets, clock: HandClock) -> Customer:
    """Somebody who takes from the buckets."""
    return Customer(buckets, clock)


async def test_a_new_bucket_is_full(customer: Customer) -> None:
    """What is taken is gone, until nothing is left."""
    assert customer.balance() == 10
    assert [bool(await customer.take(4)) for _ in range(3)] == [False, False, True]
    assert customer.balance() == 2


async def test_refills_come_in_whole_steps_from_the_first_use_on(
    customer: Customer, clock: HandClock
) -> None:
    """Case 60: at the end of each interval, and never above the capacity."""
    await customer.take(10)

    seen = []
    for _ in range(9):
        clock.advance_s(30)
        seen.append(customer.balance())

    assert seen == [0, 3, 3, 6, 6, 9, 9, 10, 10]


async def test_touching_a_bucket_does_not_move_its_steps(
    customer: Customer, clock: HandClock
) -> None:
    """Case 60: the steps stay where the first use has put them."""
    await customer.take(10)
    clock.advance_s(90)
    await customer.take(3)

    clock.advance_s(30)

    assert customer.balance() == 3


async def test_a_clock_that_is_set_back_refills_nothing(
    customer: Customer, clock: HandClock
) -> None:
    """Case 60: and is no error."""
    await customer.take(8)
    clock.advance_s(-3600)

    assert customer.balance() == 2
    assert await customer.take(2) == []
    assert customer.balance() == 0


async def test_all_buckets_give_or_none(customer: Customer) -> None:
    """Case 53: the one that has enough keeps it."""
    await customer.take(9, OTHER)

    short = await customer.take(5, LIMIT, OTHER)

    assert [each.limit for each in short] == [OTHER]
    assert (customer.balance(), customer.balance(OTHER)) == (10, 1)


async def test_a_shortage_tells_what_is_there_and_when_there_will_be_enough(
    customer: Customer, clock: HandClock
) -> None:
    """Three steps of three make nine, with one that is left ten."""
    await customer.take(9)
    clock.advance_s(20)

    (short,) = await customer.take(8)

    assert short == Shortage(limit=LIMIT, requested=8, balance=1, wait_ms=3 * MINUTE_MS - 20_000)


async def test_what_a_bucket_cannot_hold_is_never_given(customer: Customer) -> None:
    """Case 48: nor what is not refilled, nor anything by a bucket of no capacity."""
    closed = attrs.evolve(LIMIT, key=b"c" * 16, capacity=0)
    once = attrs.evolve(LIMIT, key=b"1" * 16, refill=0)
    await customer.take(10, once)

    shortages = [
        *await customer.take(11),
        *await customer.take(1, closed),
        *await customer.take(0, closed),
        *await customer.take(1, once),
    ]

    assert [each.wait_ms for each in shortages] == [None] * 4


async def test_a_debt_is_paid_by_refills(customer: Customer, clock: HandClock) -> None:
    """Case 51: until then nothing is given, not even nothing."""
    await customer.change(-15)
    assert customer.balance() == -5

    (short,) = await customer.take(0)
    clock.advance_s(120)

    assert (short.balance, short.wait_ms) == (-5, 2 * MINUTE_MS)
    assert customer.balance() == 1
    assert await customer.take(1) == []


async def test_nothing_is_given_back_above_the_capacity(customer: Customer) -> None:
    """Whoever gives back more than he has taken gains nothing."""
    await customer.take(2)

    await customer.change(50)

    assert customer.balance() == 10


async def test_a_lowered_capacity_clamps_and_a_raised_one_keeps(customer: Customer) -> None:
    """Case 31: the bucket is the same one, and not full again."""
    await customer.take(4)
    low, high = attrs.evolve(LIMIT, capacity=3), attrs.evolve(LIMIT, capacity=100)

    assert customer.balance(high) == 6
    assert customer.balance(low) == 3
    await customer.take(1, low)
    assert customer.balance(high) == 2


async def test_balances_outlive_the_process(
    customer: Customer, buckets: Buckets, store: Store, clock: HandClock
) -> None:
    """Case 58: another writer on the same store finds what is left."""
    await customer.take(7)

    again = store.buckets(store.state_writer(clock))

    assert again.balance(LIMIT, now_ms=clock.now_ms()) == 3


async def test_a_cancelled_reservation_leaves_nothing_taken(
    customer: Customer, buckets: Buckets, clock: HandClock
) -> None:
    """Wherever it was cancelled: nothing was or will be sent for it."""
    with trio.CancelScope() as scope:
        scope.cancel()
        await customer.take(4)

    assert scope.cancelled_caught
    await customer.take(0)  # committed behind everything
    assert customer.balance() == 10


async def test_what_nobody_waits_for_comes_before_what_is_asked_next(
    customer: Customer, buckets: Buckets, clock: HandClock
) -> None:
    """A client that comes back at once finds it done."""
    await customer.take(10)

    buckets.change_nowait([(LIMIT, 4)], now_ms=clock.now_ms())

    assert await customer.take(4) == []
    assert customer.balance() == 0


async def test_a_closed_store_gives_nothing(store: Store, clock: HandClock) -> None:
    """Nobody knows then what is left."""
    writer = store.state_writer(clock)
    await writer.close()

    with pytest.raises(WriteFailed, match="the writer is closed"):
        await Customer(store.buckets(writer), clock).take(1)


HOURS = 3600
DAYS = 24 * HOURS


@pytest.mark.parametrize(
    ("limit", "taken", "kept_s"),
    [
        (LIMIT, 0, 48 * HOURS),
        (LIMIT, 10, 48 * HOURS),
        (attrs.evolve(LIMIT, interval_ms=1000 * DAYS), 10, 8 * DAYS),
        (attrs.evolve(LIMIT, interval_ms=1000 * DAYS), 100, 34 * DAYS),
    ],
    ids=["untouched", "quick", "slow", "in debt"],
)
async def test_an_unused_bucket_is_removed_when_nobody_would_see_it(
    customer: Customer,
    buckets: Buckets,
    clock: HandClock,
    limit: BucketLimit,
    taken: int,
    kept_s: int,
) -> None:
    """After two days, or twice the time in which it would have been full."""
    await customer.take(0, limit)
    await customer.change(-taken, limit)

    removed = []
    for seconds in (kept_s - 1, 1):
        clock.advance_s(seconds)
        removed.append(await trio.to_thread.run_sync(sweep(buckets, clock)))

    assert removed == [0, 1]
    assert customer.balance(limit) == 10


async def test_a_bucket_that_is_never_refilled_stays_for_ever(
    customer: Customer, buckets: Buckets, clock: HandClock
) -> None:
    """Case 48: or it would be full again."""
    once = attrs.evolve(LIMIT, refill=0)
    await customer.take(10, once)

    clock.advance_s(1000 * DAYS)

    assert await trio.to_thread.run_sync(sweep(buckets, clock)) == 0
    assert customer.balance(once) == 0


async def test_a_sweep_goes_through_all_buckets(
    customer: Customer, buckets: Buckets, clock: HandClock
) -> None:
    """In parts; those that are in use stay."""
    limits = [attrs.evolve(LIMIT, key=number.to_bytes(16, "big")) for number in range(1500)]
    await customer.take(1, *limits)
    clock.advance_s(47 * HOURS)
    await customer.take(1, *limits[::2])
    clock.advance_s(1 * HOURS)

    removed = [await trio.to_thread.run_sync(sweep(buckets, clock)) for _ in range(2)]

    assert removed == [750, 0]


def sweep(buckets: Buckets, clock: HandClock) -> Callable[[], int]:
    """A sweep at the time of the clock."""
    return lambda: buckets.sweep(now_ms=clock.now_ms())


@attrs.define(eq=False)
class Plain:
    """What a bucket should do, said as plainly as possible: one step after the other."""

    capacity: int
    refill: int
    balance: int
    last_s: int

    def wait(self, seconds: int) -> None:
        self.last_s += seconds
        while self.last_s >= 60:
            self.last_s -= 60
            self.balance = min(self.capacity, self.balance + self.refill)


@settings(max_examples=40, deadline=None)
@given(
    capacity=st.integers(1, 20),
    refill=st.integers(0, 5),
    steps=st.lists(st.tuples(st.integers(0, 200), st.integers(-8, 8)), max_size=12),
)
def test_a_bucket_does_what_a_plain_one_does(
    tmp_path_factory: pytest.TempPathFactory,
    capacity: int,
    refill: int,
    steps: list[tuple[int, int]],
) -> None:
    """Whatever is taken and given back, and whenever."""
    limit = attrs.evolve(LIMIT, capacity=capacity, refill=refill)
    clock = HandClock()
    plain = Plain(capacity, refill, capacity, 0)
    store = open_store(tmp_path_factory.mktemp("store"))

    async def play() -> None:
        async with trio.open_nursery() as nursery:
            writer = store.state_writer(clock)
            await nursery.start(writer.run)
            customer = Customer(store.buckets(writer), clock)
            await customer.take(0, limit)
            for seconds, amount in steps:
                clock.advance_s(seconds)
                plain.wait(seconds)
                if amount >= 0:
                    short = await customer.take(amount, limit)
                    assert bool(short) == (plain.balance < amount)
                    plain.balance -= 0 if short else amount
                else:
                    await customer.change(-amount, limit)
                    plain.balance = min(capacity, plain.balance - amount)
                assert customer.balance(limit) == plain.balance
            await writer.close()

    trio.run(play)
    store.close()
