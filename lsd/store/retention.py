"""Retention: bodies and whole records that are too old leave the store, the oldest first."""

from typing import Final

import attrs

from lsd.store._inference_removal import remove_calls, remove_inference
from lsd.store._writing import Writing
from lsd.store.engine import Environment
from lsd.store.layout import (
    ID_BYTES,
    INFERENCE_BODIES,
    INFERENCES,
    MODEL_INFERENCE_BODIES,
    MODEL_INFERENCES,
)
from lsd.store.names import Names
from lsd.store.transaction import Database, Transaction

MS_PER_DAY: Final = 86_400_000

_REMOVED_PER_COMMIT: Final = 100
"""Records of one transaction: some ten milliseconds, for which other writers wait."""

_ID_RANDOM_BITS: Final = 80
"""Below the 48 bits of milliseconds."""


@attrs.define(eq=False, kw_only=True)
class Retention:
    """Removes what is older than some days; None keeps it for ever. The time is the id's.

    A judgement stays when the feedback that it came with is gone.
    """

    _data: Environment
    _names: Names
    _shard: int
    _bodies_days: int | None
    _records_days: int | None

    def sweep(self, *, now_ms: int) -> int:
        """Removes some of what is too old, in one transaction; tells how much, 0 for nothing left.

        Blocks. A crash leaves a whole store, and the rest for the next time.
        """
        for days, act in (
            (self._records_days, self._remove_inferences),
            (self._records_days, self._remove_others),
            (self._bodies_days, self._remove_bodies),
        ):
            removed = 0 if days is None else act(_bound(now_ms - days * MS_PER_DAY))
            if removed:
                return removed
        return 0

    def _remove_inferences(self, bound: bytes) -> int:
        old = self._old(INFERENCES, bound)

        def apply(transaction: Transaction) -> None:
            writing = Writing(transaction, self._names, self._shard)
            for inference in old:
                remove_inference(writing, inference)

        if old:
            self._data.write(apply)
        return len(old)

    def _remove_others(self, bound: bytes) -> int:
        """Calls of embeddings and of inferences that failed as a whole."""
        owners = list(dict.fromkeys(key[:ID_BYTES] for key in self._old(MODEL_INFERENCES, bound)))

        def apply(transaction: Transaction) -> None:
            writing = Writing(transaction, self._names, self._shard)
            for owner in owners:
                remove_calls(writing, owner)

        if owners:
            self._data.write(apply)
        return len(owners)

    def _remove_bodies(self, bound: bytes) -> int:
        old = [
            (database, key)
            for database in (INFERENCE_BODIES, MODEL_INFERENCE_BODIES)
            for key in self._old(database, bound)
        ]

        def apply(transaction: Transaction) -> None:
            for database, key in old:
                transaction.delete(database, key)

        if old:
            self._data.write(apply)
        return len(old)

    def _old(self, database: Database, bound: bytes) -> list[bytes]:
        """The oldest keys before the bound."""
        with self._data.read() as transaction:
            some = transaction.range(database, b"", bound, limit=_REMOVED_PER_COMMIT)
            return [key for key, _ in some]


def _bound(time_ms: int) -> bytes:
    """What is less than this key is older than the time."""
    return (max(0, time_ms) << _ID_RANDOM_BITS).to_bytes(ID_BYTES, "big")
