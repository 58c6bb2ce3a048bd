"""What a process that has died leaves of batches, made good in one transaction."""

import attrs

from lsd.store._batch_rows import (
    HELD,
    LATER,
    PLACE_BYTES,
    SUSPECT,
    encode_part,
    put_item,
    put_unless_cancelled,
    read_part,
    stored_item,
)
from lsd.store.batch_records import BatchItem, ItemError
from lsd.store.layout import BATCH_PARTS, BATCH_QUEUE, BATCH_RUNNING, SHARD, end_of
from lsd.store.transaction import Transaction


@attrs.frozen(kw_only=True)
class Recovery:
    """Puts back what the process `shard` was running; None: what any process was.

    An item fails with `on_crash_limit` at its so-many-th crash, and with `on_credentials_lost` if
    only that process had its credentials. What providers run for it goes on without them.
    """

    shard: int | None
    crash_limit: int
    now_ms: int
    on_crash_limit: ItemError
    on_credentials_lost: ItemError

    def apply(self, transaction: Transaction) -> None:
        """Does so."""
        for place, item in running_items(transaction, self.shard):
            put_unless_cancelled(transaction, place, item, self._put_back(item))
        for place, item in self._held(transaction):
            failed = attrs.evolve(item, not_before_ms=0)
            put_item(transaction, place, item, self._failed(failed, self.on_credentials_lost))
        for place, row in list(transaction.range(BATCH_PARTS)):
            part = read_part(row)
            if part.holder is not None and self.shard in (None, part.holder):
                left = attrs.evolve(part, holder=None, lost_credentials=True)
                transaction.put(BATCH_PARTS, place, encode_part(left))

    def _put_back(self, item: BatchItem) -> BatchItem:
        crashes = item.crashes + 1
        put_back = attrs.evolve(
            item, state="pending", runner=None, attempts=item.attempts - 1, crashes=crashes
        )
        if crashes >= self.crash_limit:
            return self._failed(put_back, self.on_crash_limit)
        return put_back

    def _failed(self, item: BatchItem, error: ItemError) -> BatchItem:
        return attrs.evolve(item, state="failed", finished_ms=self.now_ms, error=error)

    def _held(self, transaction: Transaction) -> list[tuple[bytes, BatchItem]]:
        """The pending items whose credentials only that process has had.

        What anybody may run, which may be a hundred thousand items, is not among them.
        """
        places = [
            key[-PLACE_BYTES:]
            for lane in (HELD, SUSPECT, LATER)
            for key, _ in transaction.range(BATCH_QUEUE, lane, end_of(lane))
        ]
        items = ((place, stored_item(transaction, place)) for place in places)
        return [
            (place, item)
            for place, item in items
            if item.holder is not None and self.shard in (None, item.holder)
        ]


def running_items(transaction: Transaction, shard: int | None) -> list[tuple[bytes, BatchItem]]:
    """What a process runs; None: what all of them run."""
    prefix = b"" if shard is None else SHARD.pack(shard)
    keys = [key for key, _ in transaction.range(BATCH_RUNNING, prefix, end_of(prefix))]
    places = [key[-PLACE_BYTES:] for key in keys]
    return [(place, stored_item(transaction, place)) for place in places]
