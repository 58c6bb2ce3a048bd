"""Batches: their items, the durable queue, and the end of an item together with its inference.

What gives a `Write` is committed by the writer. Reads of single rows are quick; `results` scans.
"""

from collections.abc import Iterable, Sequence

import attrs

from lsd.conversation import reread_json
from lsd.store._batch_queue import AskTurn, Claim, is_something_due, next_time_ms
from lsd.store._batch_recovery import Recovery, running_items
from lsd.store._batch_rows import (
    cancelled,
    encode_part,
    put_asked,
    put_batch,
    put_item,
    put_unless_cancelled,
    read_item,
    read_part,
    stored_batch,
    stored_item,
)
from lsd.store._group_commit import Write
from lsd.store.batch_records import (
    TERMINAL_STATES,
    BatchItem,
    BatchPart,
    BatchRecord,
    ClaimedItem,
    EndedItem,
    ItemError,
    ItemResult,
    NewItem,
)
from lsd.store.engine import Environment
from lsd.store.errors import WriteRefused
from lsd.store.layout import (
    BATCH_ITEM_REQUESTS,
    BATCH_ITEMS,
    BATCH_ITEMS_BY_INFERENCE,
    BATCH_PARTS,
    ID_BYTES,
    INDEX,
    INFERENCE_BODIES,
    INFERENCES,
    end_of,
    id_key,
    id_text,
)
from lsd.store.transaction import Transaction


@attrs.frozen
class ItemNotHeld(WriteRefused):
    """An item is not running any more, or another claim of it is."""

    batch_id: str
    index: int

    def __str__(self) -> str:
        return f"item {self.index} of batch {self.batch_id}: not running under this claim"


@attrs.define(eq=False)
class Batches:
    """The batches of a store. `shard` is this process's place among the workers."""

    _data: Environment
    shard: int

    def submit(
        self,
        batch: BatchRecord,
        items: Sequence[NewItem],
        parts: Sequence[BatchPart] = (),
        beside: Sequence[Write] = (),
    ) -> Write:
        """The write of a whole batch with what goes along: all of it, or nothing."""
        key = id_key(batch.batch_id)

        def apply(transaction: Transaction) -> None:
            put_batch(transaction, key, batch)
            for index, new in enumerate(items):
                place = key + INDEX.pack(index)
                transaction.put(BATCH_ITEM_REQUESTS, place, new.request)
                transaction.put(BATCH_ITEMS_BY_INFERENCE, id_key(new.item.inference_id), place)
                put_item(transaction, place, None, new.item)
            for number, part in enumerate(parts):
                transaction.put(BATCH_PARTS, key + INDEX.pack(number), encode_part(part))
            for other in beside:
                other.apply(transaction)

        return Write(apply=apply, rows=1 + len(items) + len(beside))

    def parts(self, batch_id: str) -> list[BatchPart]:
        """The native parts of a batch, by their number. A get for most."""
        key = id_key(batch_id)
        with self._data.read() as transaction:
            rows = transaction.range(BATCH_PARTS, key, end_of(key))
            return [read_part(row) for _, row in rows]

    def with_native_parts(self) -> list[str]:
        """The batches of which a native part is not over yet. Scans."""
        found: dict[str, None] = {}
        with self._data.read() as transaction:
            for key, row in transaction.range(BATCH_PARTS):
                if not read_part(row).is_over:
                    found[id_text(key[:ID_BYTES])] = None
        return list(found)

    def note_part(self, batch_id: str, number: int, part: BatchPart) -> Write:
        """The write of what is known of a native part now."""
        key = id_key(batch_id) + INDEX.pack(number)
        return Write(apply=lambda transaction: transaction.put(BATCH_PARTS, key, encode_part(part)))

    def ask_turn(self, batch_id: str, number: int, *, now_ms: int, every_ms: int) -> AskTurn:
        """A turn to commit: it tells then whether this process is to ask for a job."""
        return AskTurn(id_key(batch_id) + INDEX.pack(number), now_ms, every_ms)

    def end_native(self, batch_id: str, items: Sequence[EndedItem], *, now_ms: int) -> Write:
        """The write that ends items of native parts; what has ended before stays as it is.

        The parts count as asked for at `now_ms`: while one process collects results, no other
        takes a turn to fetch the same.
        """
        key = id_key(batch_id)
        numbers = {each.after.part for each in items if each.after.part is not None}

        def apply(transaction: Transaction) -> None:
            for each in items:
                place = key + INDEX.pack(each.index)
                before = stored_item(transaction, place)
                if before.state in TERMINAL_STATES:
                    continue
                if each.records is not None:
                    each.records.apply(transaction)
                put_item(transaction, place, before, each.after)
            for number in numbers:
                put_asked(transaction, key + INDEX.pack(number), now_ms)

        rows = sum(1 if each.records is None else 1 + each.records.rows for each in items)
        return Write(apply=apply, rows=rows)

    def claim(
        self,
        *,
        items_max: int,
        running_max: int,
        model_running_max: int | None = None,
        now_ms: int,
        after_batch: bytes = b"",
        resting: Iterable[str] = (),
    ) -> Claim:
        """A claim to commit: after that it holds the items, which this process runs then.

        It takes none of the batches that are `resting`.
        """
        return Claim(
            shard=self.shard,
            items_max=items_max,
            running_max=running_max,
            model_running_max=model_running_max,
            now_ms=now_ms,
            after_batch=after_batch,
            resting=frozenset(map(id_key, resting)),
        )

    def finish(self, claimed: ClaimedItem, after: BatchItem, records: Write | None) -> Write:
        """The write that ends a run: the item's new state, with what its inference leaves.

        It refuses an item that is not running under this claim. An item to be run again becomes
        cancelled instead if its batch was cancelled.
        """
        place = id_key(claimed.batch_id) + INDEX.pack(claimed.index)

        def apply(transaction: Transaction) -> None:
            before = stored_item(transaction, place)
            if before.state != "running" or before.run != claimed.item.run:
                raise ItemNotHeld(claimed.batch_id, claimed.index)
            if records is not None:
                records.apply(transaction)
            put_unless_cancelled(transaction, place, before, attrs.evolve(after, runner=None))

        return Write(apply=apply, rows=1 + (0 if records is None else records.rows))

    def put_back(self) -> Write:
        """The write that ends all runs of this process as if they had never begun."""

        def apply(transaction: Transaction) -> None:
            for place, item in running_items(transaction, self.shard):
                after = attrs.evolve(item, state="pending", runner=None, attempts=item.attempts - 1)
                put_unless_cancelled(transaction, place, item, after)

        return Write(apply=apply)

    def recover(
        self,
        shard: int | None,
        *,
        crash_limit: int,
        now_ms: int,
        on_crash_limit: ItemError,
        on_credentials_lost: ItemError,
    ) -> Write:
        """The write that makes good for a process that has died; None: for all.

        What it was running is put back, but fails with `on_crash_limit` at its so-many-th crash;
        what only it had the credentials for fails with `on_credentials_lost`.
        """
        recovery = Recovery(
            shard=shard,
            crash_limit=crash_limit,
            now_ms=now_ms,
            on_crash_limit=on_crash_limit,
            on_credentials_lost=on_credentials_lost,
        )
        return Write(apply=recovery.apply)

    def cancel(self, batch_id: str) -> Write:
        """The write that cancels all items of a batch that are pending; running ones go on."""
        key = id_key(batch_id)

        def apply(transaction: Transaction) -> None:
            batch = stored_batch(transaction, batch_id)
            if batch is None or batch.cancel_requested or not batch.is_under_way:
                return
            put_batch(transaction, key, attrs.evolve(batch, cancel_requested=True))
            for place, row in list(transaction.range(BATCH_ITEMS, key, end_of(key))):
                item = read_item(row)
                if item.state == "pending":
                    put_item(transaction, place, item, cancelled(item))

        return Write(apply=apply)

    def get(self, batch_id: str) -> BatchRecord | None:
        """A batch with its present counts. Gets."""
        with self._data.read() as transaction:
            return stored_batch(transaction, batch_id)

    def item(self, batch_id: str, inference_id: str) -> ItemResult | None:
        """The item with this inference in this batch. Gets."""
        with self._data.read() as transaction:
            place = transaction.get(BATCH_ITEMS_BY_INFERENCE, id_key(inference_id))
            if place is None or not place.startswith(id_key(batch_id)):
                return None
            return _result(transaction, place, stored_item(transaction, place))

    def results(self, batch_id: str, start: int, stop: int) -> list[ItemResult]:
        """The items from one index to another, with what their inferences left. Scans."""
        key = id_key(batch_id)
        with self._data.read() as transaction:
            rows = transaction.range(BATCH_ITEMS, key + INDEX.pack(start), key + INDEX.pack(stop))
            return [_result(transaction, place, read_item(row)) for place, row in rows]

    def requests(self, batch_id: str, start: int, stop: int) -> dict[int, bytes]:
        """The requests of items that have not ended, from one index to another. Scans."""
        key = id_key(batch_id)
        with self._data.read() as transaction:
            rows = transaction.range(
                BATCH_ITEM_REQUESTS, key + INDEX.pack(start), key + INDEX.pack(stop)
            )
            return {INDEX.unpack(place[ID_BYTES:])[0]: request for place, request in rows}

    def is_something_due(self, now_ms: int) -> bool:
        """Whether a claim may find something, if there is room. Gets."""
        with self._data.read() as transaction:
            return is_something_due(transaction, self.shard, now_ms)

    def next_time_ms(self) -> int | None:
        """When the first of the items that are to run later is due. A get."""
        with self._data.read() as transaction:
            return next_time_ms(transaction)


def _result(transaction: Transaction, place: bytes, item: BatchItem) -> ItemResult:
    index = INDEX.unpack(place[ID_BYTES:])[0]
    if item.state != "completed":
        return ItemResult(index=index, item=item)
    inference = id_key(item.inference_id)
    body = transaction.get(INFERENCE_BODIES, inference)
    return ItemResult(
        index=index,
        item=item,
        output=None if body is None else reread_json(body)["output"],
        has_record=transaction.get(INFERENCES, inference) is not None,
    )
