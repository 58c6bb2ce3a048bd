"""The inference cache: answers of models under the hash of what was asked."""

import attrs

from lsd.store.engine import Environment
from lsd.store.layout import CACHE, CACHE_BY_AGE, CACHE_SIZE, CACHE_TIMES, SHARD, SIGNED, UNSIGNED
from lsd.store.transaction import Transaction

_ROW_EXTRA_BYTES = 128
"""What a row costs beside its entry: two keys, headers, and its part of the pages above."""

_EXPIRED_PER_PUT_MAX = 16
"""Old rows that one put takes away: more than it adds, so that expiry never falls behind."""

_EXPIRED_PER_SWEEP_MAX = 1_000
"""Rows of one transaction of a sweep; others write in between."""


@attrs.define(eq=False)
class InferenceCache:
    """Entries in the environment that is cheap to lose.

    An entry is gone once it is `ttl_s` old, or when more than `max_bytes` are kept and it is the
    oldest. `shard` is this process's place in the count of bytes.
    """

    _state: Environment
    _ttl_s: int
    _max_bytes: int
    _shard: int = 0

    def get(self, key: bytes, *, max_age_s: int | None, now_ms: int) -> bytes | None:
        """The entry under `key` if it is younger than `max_age_s` seconds; 0 never hits.

        A get: quick enough for the event loop.
        """
        with self._state.read() as transaction:
            row = transaction.get(CACHE, key)
        if row is None:
            return None
        written_at_ms, _ = CACHE_TIMES.unpack_from(row)
        age_ms = max(0, now_ms - written_at_ms)
        age_max_s = self._ttl_s if max_age_s is None else min(max_age_s, self._ttl_s)
        return row[CACHE_TIMES.size :] if age_ms < 1000 * age_max_s else None

    def put(self, key: bytes, entry: bytes, *, now_ms: int) -> None:
        """Stores `entry` in place of an older one; the next `get` of any process sees it.

        Waits for other writers, so it belongs into a thread. Raises StoreFull and StoreFailed.
        """
        if len(entry) + _ROW_EXTRA_BYTES > self._max_bytes:
            return

        def apply(transaction: Transaction) -> None:
            turn = _next_turn(transaction, now_ms)
            row = CACHE_TIMES.pack(now_ms, turn) + entry
            self._remove(transaction, key)
            transaction.put(CACHE, key, row)
            size = len(row) + _ROW_EXTRA_BYTES
            transaction.put(CACHE_BY_AGE, UNSIGNED.pack(turn) + key, UNSIGNED.pack(size))
            self._count(transaction, size)
            self._remove_expired(transaction, now_ms, _EXPIRED_PER_PUT_MAX)
            self._remove_beyond_bound(transaction)

        self._state.write(apply)

    def sweep(self, *, now_ms: int) -> int:
        """Removes what has expired, in small transactions; tells how many entries. In a thread."""
        removed = 0
        while True:
            some = self._state.write(
                lambda transaction: self._remove_expired(
                    transaction, now_ms, _EXPIRED_PER_SWEEP_MAX
                )
            )
            removed += some
            if some < _EXPIRED_PER_SWEEP_MAX:
                return removed

    def size_bytes(self) -> int:
        """Bytes of all entries, with what they cost beside."""
        with self._state.read() as transaction:
            return _size(transaction)

    def _remove_expired(self, transaction: Transaction, now_ms: int, limit: int) -> int:
        newest_expired = max(0, now_ms - 1000 * self._ttl_s + 1)
        stop = UNSIGNED.pack(newest_expired)
        keys = [key for key, _ in transaction.range(CACHE_BY_AGE, b"", stop, limit=limit)]
        for key in keys:
            self._remove(transaction, key[UNSIGNED.size :])
        return len(keys)

    def _remove_beyond_bound(self, transaction: Transaction) -> None:
        """Evicts the oldest until the rest fits."""
        excess = _size(transaction) - self._max_bytes
        oldest = []
        for key, size in transaction.range(CACHE_BY_AGE) if excess > 0 else ():
            oldest.append(key)
            excess -= UNSIGNED.unpack(size)[0]
            if excess <= 0:
                break
        for key in oldest:
            self._remove(transaction, key[UNSIGNED.size :])

    def _remove(self, transaction: Transaction, key: bytes) -> None:
        row = transaction.get(CACHE, key)
        if row is None:
            return
        _, turn = CACHE_TIMES.unpack_from(row)
        transaction.delete(CACHE, key)
        transaction.delete(CACHE_BY_AGE, UNSIGNED.pack(turn) + key)
        self._count(transaction, -len(row) - _ROW_EXTRA_BYTES)

    def _count(self, transaction: Transaction, change: int) -> None:
        own = SHARD.pack(self._shard)
        row = transaction.get(CACHE_SIZE, own)
        before = SIGNED.unpack(row)[0] if row else 0
        transaction.put(CACHE_SIZE, own, SIGNED.pack(before + change))


def _next_turn(transaction: Transaction, now_ms: int) -> int:
    """The place of a new entry behind all others: its time, unless the clock has stepped back.

    By its time alone it would then be the oldest, and the first to make room.
    """
    turn = now_ms
    for key, _ in transaction.range(CACHE_BY_AGE, reverse=True, limit=1):
        turn = max(turn, UNSIGNED.unpack_from(key)[0] + 1)
    return turn


def _size(transaction: Transaction) -> int:
    """The sum over all processes; one that removes what another has put counts below zero."""
    return sum(SIGNED.unpack(row)[0] for _, row in transaction.range(CACHE_SIZE))
