"""Batches on their way to providers: noted before anybody is asked, so that a crash loses no job.

The note goes in the transaction that stores the batch. One that is left behind belongs to a batch
that was never promised to anybody; providers may run jobs for it all the same.
"""

import attrs

from lsd.conversation import encode_json, reread_json
from lsd.store._group_commit import Write
from lsd.store.engine import Environment
from lsd.store.layout import BATCH_STARTS, id_key, id_text
from lsd.store.transaction import Transaction


@attrs.frozen(kw_only=True)
class BatchStart:
    """One that is being started. `models`: those whose providers may be asked to run jobs for it.

    `starter`: the process (its shard) that is at it; None: nobody is any more.
    """

    created_ms: int
    models: tuple[str, ...]
    starter: int | None


@attrs.define(eq=False)
class BatchStarts:
    """The starts of a store. `shard` is this process's place among the workers."""

    _data: Environment
    shard: int

    def begin(self, batch_id: str, created_ms: int, models: tuple[str, ...]) -> Write:
        """The write of a start; a second one for the same batch replaces the first."""
        start = BatchStart(created_ms=created_ms, models=models, starter=self.shard)
        return Write(apply=lambda transaction: _put(transaction, id_key(batch_id), start))

    def end(self, batch_id: str) -> Write:
        """The write after which no job is unknown."""
        return Write(apply=lambda transaction: _delete(transaction, id_key(batch_id)))

    def leave(self, batch_id: str) -> Write:
        """The write after which nobody is at it: there may be a job that nobody knows."""
        key = id_key(batch_id)

        def apply(transaction: Transaction) -> None:
            row = transaction.get(BATCH_STARTS, key)
            if row is not None:
                _put(transaction, key, attrs.evolve(_read(row), starter=None))

        return Write(apply=apply)

    def recover(self, shard: int | None) -> Write:
        """The write that leaves what a dead process was starting; None: all of them."""

        def apply(transaction: Transaction) -> None:
            for key, row in list(transaction.range(BATCH_STARTS)):
                start = _read(row)
                if start.starter is not None and shard in (None, start.starter):
                    _put(transaction, key, attrs.evolve(start, starter=None))

        return Write(apply=apply)

    def left(self) -> list[tuple[str, BatchStart]]:
        """What is left behind, by the id of the batch. A get, mostly."""
        with self._data.read() as transaction:
            rows = [(id_text(key), _read(row)) for key, row in transaction.range(BATCH_STARTS)]
        return [(batch_id, start) for batch_id, start in rows if start.starter is None]


def _put(transaction: Transaction, key: bytes, start: BatchStart) -> None:
    transaction.put(BATCH_STARTS, key, encode_json(attrs.asdict(start)))


def _delete(transaction: Transaction, key: bytes) -> None:
    transaction.delete(BATCH_STARTS, key)


def _read(row: bytes) -> BatchStart:
    fields = reread_json(row)
    return BatchStart(**{**fields, "models": tuple(fields["models"])})
