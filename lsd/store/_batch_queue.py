"""Which items run next: a turn for each batch in which something is due, the earliest item first.

All of it happens within a write, so that two processes never take the same item, and all together
never more than there is room for. So it is with the question how a provider's job stands.
"""

from collections import Counter
from collections.abc import Iterator

import attrs

from lsd.store._batch_rows import (
    HELD,
    LATER,
    PLACE_BYTES,
    READY,
    SUSPECT,
    model_mark,
    put_asked,
    put_item,
    read_batch,
    read_item,
    read_part,
)
from lsd.store.batch_records import BatchItem, ClaimedItem
from lsd.store.layout import (
    BATCH_ITEM_REQUESTS,
    BATCH_ITEMS,
    BATCH_PARTS,
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


PASSED_OVER_MAX = 1_000
"""Items of busy models that are passed over at a time: a millisecond."""


@attrs.define(eq=False, kw_only=True)
class Claim:
    """What a process asks for, and what it gets.

    `running_max` bounds the items that run at once in all processes together, `model_running_max`
    those of one model, if it is not None. `after_batch` had the last turn, or the first batch has
    the next one. Of the batches that are `resting`, by their keys, no item is taken.
    """

    shard: int
    items_max: int
    running_max: int
    model_running_max: int | None = None
    now_ms: int
    after_batch: bytes = b""
    resting: frozenset[bytes] = frozenset()
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
        busy = _Busy.of(transaction, self.model_running_max)
        while len(self.items) < room:
            place = _next(transaction, lanes, turn, busy.models, self.resting)
            if place is None:
                break
            self.items.append(self._take(transaction, place))
            busy.add(self.items[-1].item)
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


@attrs.define(eq=False)
class AskTurn:
    """What a process commits before it asks for a native part, which others may do as well.

    `is_mine` unless one of them has begun to do so less than `every_ms` ago.
    """

    _place: bytes
    _now_ms: int
    _every_ms: int
    is_mine: bool = attrs.field(default=False, init=False)

    def apply(self, transaction: Transaction) -> None:
        """Takes the turn; may be called again if its transaction was taken back."""
        row = transaction.get(BATCH_PARTS, self._place)
        assert row, "whoever asks has seen the part"
        part = read_part(row)
        # Who has read the clock first may commit last; and one that was set back stops nobody.
        self.is_mine = abs(self._now_ms - part.asked_ms) >= self._every_ms
        if self.is_mine:
            put_asked(transaction, self._place, self._now_ms)


@attrs.define(eq=False)
class _Busy:
    """The models that have enough to do, by their marks, while items are being taken."""

    _running_max: int | None
    _running: Counter[bytes]
    models: set[bytes] = attrs.field(factory=set, init=False)

    @classmethod
    def of(cls, transaction: Transaction, running_max: int | None) -> "_Busy":
        """Those at the moment; None bounds nothing."""
        if running_max is None:
            return cls(None, Counter())
        running = Counter(value[1:] for _, value in transaction.range(BATCH_RUNNING))
        busy = cls(running_max, running)
        for mark in running:
            busy._note(mark)
        return busy

    def add(self, item: BatchItem) -> None:
        """One more runs."""
        if self._running_max is not None:
            mark = model_mark(item)
            self._running[mark] += 1
            self._note(mark)

    def _note(self, mark: bytes) -> None:
        assert self._running_max is not None, "it is asked for with a bound only"
        if mark and self._running[mark] >= self._running_max:
            self.models.add(mark)


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
    return any(value[:1] == SUSPECT for _, value in transaction.range(BATCH_RUNNING))


def _next(
    transaction: Transaction,
    lanes: tuple[bytes, ...],
    after_batch: bytes,
    busy: set[bytes],
    resting: frozenset[bytes],
) -> bytes | None:
    """The place of the first item of the batch whose turn it is, of a model that is not busy."""
    behind = end_of(after_batch) if after_batch else b""
    for start in (behind, b""):
        if start is None:  # there is no batch behind the one with the greatest id
            continue
        found = [_first_idle(transaction, lane, start, busy, resting) for lane in lanes]
        places = [place for place in found if place is not None]
        if places:
            return min(places)
    return None


def _first_idle(
    transaction: Transaction,
    lane: bytes,
    start: bytes,
    busy: set[bytes],
    resting: frozenset[bytes],
) -> bytes | None:
    """The place of the first item in a lane whose model is not busy, from a place on.

    Of a batch with many items of busy models in front, only so many are passed over; then it is the
    turn of the batch behind it.
    """
    stop = end_of(lane)
    from_place: bytes | None = start
    while from_place is not None:
        place = None
        for key, mark in transaction.range(
            BATCH_QUEUE, lane + from_place, stop, limit=PASSED_OVER_MAX
        ):
            place = key[len(lane) :]
            if place[:ID_BYTES] in resting:
                break
            if mark not in busy:
                return place
        if place is None:
            return None
        from_place = end_of(place[:ID_BYTES])
    return None


def _first(transaction: Transaction, lane: bytes, start: bytes) -> Iterator[tuple[bytes, bytes]]:
    return transaction.range(BATCH_QUEUE, lane + start, end_of(lane), limit=1)
