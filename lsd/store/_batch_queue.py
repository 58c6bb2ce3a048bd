"""Which items run next: a turn for each batch in which something is due, the earliest item first.

All of it happens within a write, so that two processes never take the same item, and all together
never more than there is room for.
"""

from collections.abc import Iterator

import attrs

from lsd.store._batch_rows import (
    HELD,
    LATER,
    PLACE_BYTES,
    READY,
    SUSPECT,
    put_item,
    read_batch,
    read_item,
)
from lsd.store.batch_records import BatchItem, ClaimedItem
from lsd.store.layout import (
    BATCH_ITEM_REQUESTS,
    BATCH_ITEMS,
    BATCH_QUEUE,
    BATCH_RUNNING,
    BATCHES,
    ID_BYTES,
    INDEX,
    SHARD,
    UNSIGNED,
    end_of,
    id_text,
)
from lsd.store.transaction import Transaction

_PROMOTED_MAX = 1_000
"""Items whose time has come that one claim puts back in line: some milliseconds."""


@attrs.define(eq=False, kw_only=True)
class Claim:
    """What a process asks for, and what it gets.

    `running_max` bounds the items that run at once in all processes together. `after_batch` had
    the last turn, or the first batch has the next one.
    """

    shard: int
    items_max: int
    running_max: int
    now_ms: int
    after_batch: bytes = b""
    items: list[ClaimedItem] = attrs.field(factory=list, init=False)

    def apply(self, transaction: Transaction) -> None:
        """Takes items; may be called again if its transaction was taken back."""
        self.items = []
        _promote(transaction, self.now_ms)
        room = min(self.items_max, self.running_max - transaction.count(BATCH_RUNNING))
        turn = self.after_batch
        if room > 0 and not _suspect_runs(transaction):
            for key, _ in _first(transaction, SUSPECT, b""):
                self.items.append(self._take(transaction, key[1:]))
        lanes = (READY, HELD + SHARD.pack(self.shard))
        while len(self.items) < room and (place := _next(transaction, lanes, turn)) is not None:
            self.items.append(self._take(transaction, place))
            turn = place[:ID_BYTES]
        self.after_batch = turn

    def _take(self, transaction: Transaction, place: bytes) -> ClaimedItem:
        row = transaction.get(BATCH_ITEMS, place)
        request = transaction.get(BATCH_ITEM_REQUESTS, place)
        batch = transaction.get(BATCHES, place[:ID_BYTES])
        assert row, "the queue holds stored items only"
        assert batch, "an item is one of a stored batch"
        assert request is not None, "an item that has not ended has its request"
        before = read_item(row)
        after = attrs.evolve(
            before,
            state="running",
            runner=self.shard,
            run=before.run + 1,
            attempts=before.attempts + 1,
            started_ms=self.now_ms,
        )
        put_item(transaction, place, before, after)
        batch_id = id_text(place[:ID_BYTES])
        return ClaimedItem(
            batch_id=batch_id,
            index=INDEX.unpack(place[ID_BYTES:])[0],
            item=after,
            request=request,
            api_key_public_id=read_batch(batch_id, batch, None).api_key_public_id,
        )


def is_something_due(transaction: Transaction, shard: int, now_ms: int) -> bool:
    """Whether a claim may find something, if there is room."""
    lanes = (READY, SUSPECT, HELD + SHARD.pack(shard))
    if any(transaction.has(BATCH_QUEUE, lane) for lane in lanes):
        return True
    next_ms = next_time_ms(transaction)
    return next_ms is not None and next_ms <= now_ms


def next_time_ms(transaction: Transaction) -> int | None:
    """When the first of the items that are to run later is due."""
    for key, _ in _first(transaction, LATER, b""):
        return int(UNSIGNED.unpack_from(key, len(LATER))[0])
    return None


def _promote(transaction: Transaction, now_ms: int) -> None:
    """Puts the items in line whose time has come."""
    stop = LATER + UNSIGNED.pack(now_ms + 1)
    due = [key for key, _ in transaction.range(BATCH_QUEUE, LATER, stop, limit=_PROMOTED_MAX)]
    for key in due:
        place = key[-PLACE_BYTES:]
        row = transaction.get(BATCH_ITEMS, place)
        assert row, "the queue holds stored items only"
        item: BatchItem = read_item(row)
        put_item(transaction, place, item, attrs.evolve(item, not_before_ms=0))


def _suspect_runs(transaction: Transaction) -> bool:
    return any(value == b"s" for _, value in transaction.range(BATCH_RUNNING))


def _next(transaction: Transaction, lanes: tuple[bytes, ...], after_batch: bytes) -> bytes | None:
    """The place of the first item of the batch whose turn it is."""
    behind = end_of(after_batch) if after_batch else b""
    for start in (behind, b""):
        if start is None:  # there is no batch behind the one with the greatest id
            continue
        found = [key[len(lane) :] for lane in lanes for key, _ in _first(transaction, lane, start)]
        if found:
            return min(found)
    return None


def _first(transaction: Transaction, lane: bytes, start: bytes) -> Iterator[tuple[bytes, bytes]]:
    return transaction.range(BATCH_QUEUE, lane + start, end_of(lane), limit=1)
