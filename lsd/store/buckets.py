"""Token buckets of rate limits, in the environment that all processes share.

What a reservation takes it takes from all of its buckets or from none, in one transaction; as only
one process can be in a write transaction, no ticket is given out twice.
"""

from collections.abc import Sequence
from functools import partial
from typing import Final

import attrs
import trio

from lsd.store._group_commit import Write
from lsd.store.engine import Environment
from lsd.store.layout import BUCKET, BUCKETS
from lsd.store.transaction import Transaction
from lsd.store.writer import Writer

AMOUNT_MAX: Final = 1 << 62
"""Of a capacity, and of a debt. In billionths of a dollar that is 4.6 billion dollars."""

KEPT_MS_MIN: Final = 48 * 3600 * 1000
"""How long an unused bucket stays: even those of slow days are found again."""

_FOREVER_MS: Final = (1 << 63) - 1

_SWEPT_PER_WRITE_MAX: Final = 1_000
"""Rows of one transaction of a sweep; reservations are made in between."""


@attrs.frozen(kw_only=True)
class BucketLimit:
    """A bucket's place and its limit. Amounts are integers of any unit, at most AMOUNT_MAX.

    After each interval since its first use, `refill` is added, up to `capacity`.
    """

    key: bytes
    capacity: int
    refill: int
    interval_ms: int


@attrs.frozen(kw_only=True)
class Shortage:
    """Why an amount was not given: the bucket holds only `balance`, which may be below zero.

    `wait_ms`: until it will hold enough; None if it never will.
    """

    limit: BucketLimit
    requested: int
    balance: int
    wait_ms: int | None


@attrs.define(eq=False)
class Buckets:
    """The buckets of a store. `writer` is one of the environment `state`."""

    _state: Environment
    _writer: Writer

    async def reserve(
        self, wanted: Sequence[tuple[BucketLimit, int]], *, now_ms: int
    ) -> Sequence[Shortage]:
        """Takes these amounts, all or none; with any shortage nothing was taken.

        Each bucket stands in `wanted` once. When cancelled, nothing stays taken. Raises StoreFull,
        StoreFailed or WriteFailed.
        """
        reservation = _Reservation(wanted, now_ms)
        try:
            await self._writer.commit(Write(apply=reservation.take))
        except trio.Cancelled:
            # It is committed all the same; this comes behind it.
            self._writer.queue_nowait(Write(apply=reservation.give_back))
            raise
        return reservation.shortages

    async def change(self, changes: Sequence[tuple[BucketLimit, int]], *, now_ms: int) -> None:
        """Adds to balances, up to their capacities, or takes off, which may leave a debt.

        When cancelled, it is done all the same. Raises as `reserve`.
        """
        await self._writer.commit(_changing(changes, now_ms))

    def change_nowait(self, changes: Sequence[tuple[BucketLimit, int]], *, now_ms: int) -> None:
        """The same soon, and before whatever this process asks for next; the log tells failures."""
        self._writer.queue_nowait(_changing(changes, now_ms))

    def balance(self, limit: BucketLimit, *, now_ms: int) -> int:
        """What a bucket holds now. A get."""
        with self._state.read() as transaction:
            return _touched(transaction, limit, now_ms).balance

    def sweep(self, *, now_ms: int) -> int:
        """Removes buckets that nobody has used for long; tells how many. Scans: in a thread."""
        removed = 0
        start = b""
        while True:
            with self._state.read() as transaction:
                rows = list(transaction.range(BUCKETS, start, limit=_SWEPT_PER_WRITE_MAX))
            old = [key for key, row in rows if BUCKET.unpack(row)[2] <= now_ms]
            if old:
                removed += self._state.write(partial(_remove_old, keys=old, now_ms=now_ms))
            if len(rows) < _SWEPT_PER_WRITE_MAX:
                return removed
            start = rows[-1][0] + b"\0"


@attrs.frozen
class _Bucket:
    balance: int
    refilled_ms: int


@attrs.define(eq=False)
class _Reservation:
    """Amounts that somebody wants from several buckets, and what has come of it."""

    _wanted: Sequence[tuple[BucketLimit, int]]
    _now_ms: int
    shortages: Sequence[Shortage] = attrs.field(default=(), init=False)

    def take(self, transaction: Transaction) -> None:
        found = [
            (limit, amount, _touched(transaction, limit, self._now_ms))
            for limit, amount in self._wanted
        ]
        self.shortages = [
            _shortage(limit, amount, bucket, self._now_ms)
            for limit, amount, bucket in found
            if bucket.balance < amount or limit.capacity == 0
        ]
        for limit, amount, bucket in found:
            taken = 0 if self.shortages else amount
            _store(transaction, limit, bucket, -taken, self._now_ms)

    def give_back(self, transaction: Transaction) -> None:
        if not self.shortages:
            _change(transaction, self._wanted, self._now_ms)


def _changing(changes: Sequence[tuple[BucketLimit, int]], now_ms: int) -> Write:
    return Write(apply=partial(_change, changes=changes, now_ms=now_ms))


def _change(
    transaction: Transaction, changes: Sequence[tuple[BucketLimit, int]], now_ms: int
) -> None:
    for limit, amount in changes:
        _store(transaction, limit, _touched(transaction, limit, now_ms), amount, now_ms)


def _touched(transaction: Transaction, limit: BucketLimit, now_ms: int) -> _Bucket:
    """The bucket with the refills that are due; a new one is full. The row stays as it is."""
    row = transaction.get(BUCKETS, limit.key)
    if row is None:
        return _Bucket(limit.capacity, now_ms)
    balance, refilled_ms, _ = BUCKET.unpack(row)
    # A clock that was set back refills nothing.
    steps = max(0, now_ms - refilled_ms) // limit.interval_ms
    return _Bucket(
        min(balance + steps * limit.refill, limit.capacity),
        refilled_ms + steps * limit.interval_ms,
    )


def _store(
    transaction: Transaction, limit: BucketLimit, bucket: _Bucket, change: int, now_ms: int
) -> None:
    balance = max(-AMOUNT_MAX, min(bucket.balance + change, limit.capacity))
    kept_until_ms = now_ms + _kept_for_ms(limit, balance)
    row = BUCKET.pack(balance, bucket.refilled_ms, min(kept_until_ms, _FOREVER_MS))
    transaction.put(BUCKETS, limit.key, row)


def _kept_for_ms(limit: BucketLimit, balance: int) -> int:
    """How long an unused bucket must stay so that nobody sees that it has gone."""
    if balance == limit.capacity:
        return KEPT_MS_MIN
    if limit.refill == 0:
        return _FOREVER_MS
    steps = max(
        2 * -(-limit.capacity // limit.refill), -(-(limit.capacity - balance) // limit.refill)
    )
    return max(KEPT_MS_MIN, steps * limit.interval_ms)


def _shortage(limit: BucketLimit, requested: int, bucket: _Bucket, now_ms: int) -> Shortage:
    wait_ms = None
    if limit.refill > 0 and 0 < limit.capacity >= requested:
        steps = -(-(requested - bucket.balance) // limit.refill)
        wait_ms = max(0, bucket.refilled_ms + steps * limit.interval_ms - now_ms)
    return Shortage(limit=limit, requested=requested, balance=bucket.balance, wait_ms=wait_ms)


def _remove_old(transaction: Transaction, keys: Sequence[bytes], now_ms: int) -> int:
    """Those that are still old: somebody may have used one since it was seen."""
    rows = ((key, transaction.get(BUCKETS, key)) for key in keys)
    old = [key for key, row in rows if row is not None and BUCKET.unpack(row)[2] <= now_ms]
    for key in old:
        transaction.delete(BUCKETS, key)
    return len(old)
