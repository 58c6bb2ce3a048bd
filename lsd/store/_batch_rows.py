"""One item of a batch in the store: its row, and all keys that follow from it.

The queue is one database of four *lanes*, told apart by the first byte of the key: `r` items that
anybody may run, `h` + holder those of one process, `s` suspects, which were running when a process
died, and `l` + time those that are to run later. The value is the *mark* of the model that is asked
first, so that items whose model has enough to do are passed over at a glance.
"""

from hashlib import blake2b
from struct import Struct
from typing import Any, Final

import attrs

from lsd.conversation import encode_json, reread_json
from lsd.store.batch_records import (
    TERMINAL_STATES,
    BatchItem,
    BatchPart,
    BatchRecord,
    ItemCounts,
    ItemError,
    ItemState,
)
from lsd.store.layout import (
    BATCH_COUNTS,
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
    id_key,
    id_text,
)
from lsd.store.transaction import Transaction

READY: Final = b"r"
HELD: Final = b"h"
SUSPECT: Final = b"s"
LATER: Final = b"l"

PLACE_BYTES: Final = ID_BYTES + INDEX.size
"""A place is a batch's id and an item's index: the key of the item's row."""

MARK_BYTES: Final = 8
"""Two models of a configuration will not have the same eight."""

_COUNTS = Struct(">QQQQQ")
_OPTIONAL = tuple(
    (field.name, field.default)
    for field in attrs.fields(BatchItem)
    if field.default is not attrs.NOTHING
)


@attrs.define(eq=False)
class CountsRow:
    """The counts of a batch while items change."""

    by_state: dict[ItemState, int]

    @classmethod
    def read(cls, row: bytes | None) -> "CountsRow":
        """The inverse of `encode`."""
        counts = read_counts(row)
        return cls(
            {
                "pending": counts.pending,
                "running": counts.running,
                "completed": counts.completed,
                "failed": counts.failed,
                "cancelled": counts.cancelled,
            }
        )

    def encode(self) -> bytes:
        """The row as it is stored."""
        return _COUNTS.pack(*self.by_state.values())


def read_counts(row: bytes | None) -> ItemCounts:
    """The counts of a row."""
    if row is None:
        return ItemCounts()
    pending, running, completed, failed, cancelled = _COUNTS.unpack(row)
    return ItemCounts(
        pending=pending,
        running=running,
        completed=completed,
        failed=failed,
        cancelled=cancelled,
    )


def put_batch(transaction: Transaction, key: bytes, record: BatchRecord) -> None:
    """Stores the record of a batch, without its counts."""
    fields = {
        "created_ms": record.created_ms,
        "shape": record.shape,
        "api_key_public_id": record.api_key_public_id,
        "snapshot_hash": record.snapshot_hash,
        "cancel_requested": record.cancel_requested,
    }
    transaction.put(BATCHES, key, encode_json(fields))


def read_batch(batch_id: str, row: bytes, counts: bytes | None) -> BatchRecord:
    """The record of a batch, with its counts where they were read."""
    return BatchRecord(batch_id=batch_id, counts=read_counts(counts), **reread_json(row))


def encode_part(part: BatchPart) -> bytes:
    """The row of a native part."""
    return encode_json(attrs.asdict(part))


def read_part(row: bytes) -> BatchPart:
    """The inverse of `encode_part`."""
    return BatchPart(**reread_json(row))


def put_asked(transaction: Transaction, place: bytes, now_ms: int) -> None:
    """Notes when a native part was asked for."""
    row = transaction.get(BATCH_PARTS, place)
    assert row is not None, "parts are stored with their batch"
    part = attrs.evolve(read_part(row), asked_ms=now_ms)
    transaction.put(BATCH_PARTS, place, encode_part(part))


def encode_item(item: BatchItem) -> bytes:
    """The row of an item; what has its default is left out."""
    fields: dict[str, Any] = {
        "inference_id": item.inference_id,
        "episode_id": item.episode_id,
        "function_name": item.function_name,
        "function_type": item.function_type,
    }
    for name, default in _OPTIONAL:
        value = getattr(item, name)
        if value != default:
            fields[name] = attrs.asdict(value) if isinstance(value, ItemError) else value
    return encode_json(fields)


def read_item(row: bytes) -> BatchItem:
    """The inverse of `encode_item`."""
    fields = reread_json(row)
    error = fields.pop("error", None)
    return BatchItem(error=None if error is None else ItemError(**error), **fields)


def stored_batch(transaction: Transaction, batch_id: str) -> BatchRecord | None:
    """A batch with its counts; None if there is none."""
    key = id_key(batch_id)
    row = transaction.get(BATCHES, key)
    return None if row is None else read_batch(batch_id, row, transaction.get(BATCH_COUNTS, key))


def stored_item(transaction: Transaction, place: bytes) -> BatchItem:
    """The item at a place that something leads to."""
    row = transaction.get(BATCH_ITEMS, place)
    assert row is not None, "items stay as long as anything that leads to them"
    return read_item(row)


def cancelled(item: BatchItem) -> BatchItem:
    """The item if nobody is to run it any more."""
    return attrs.evolve(item, state="cancelled", not_before_ms=0)


def queue_key(place: bytes, item: BatchItem) -> bytes:
    """Where a pending item stands in the queue."""
    if item.not_before_ms:
        return LATER + UNSIGNED.pack(item.not_before_ms) + place
    if item.crashes:
        return SUSPECT + place
    if item.holder is not None:
        return HELD + SHARD.pack(item.holder) + place
    return READY + place


def model_mark(item: BatchItem) -> bytes:
    """A few bytes for the model of an item; none if it is not known."""
    if item.model_name is None:
        return b""
    return blake2b(item.model_name.encode(), digest_size=MARK_BYTES).digest()


def running_value(item: BatchItem) -> bytes:
    """What stands by a running item: whether it is a suspect, and the mark of its model."""
    return (SUSPECT if item.crashes else READY) + model_mark(item)


def running_key(place: bytes, item: BatchItem) -> bytes | None:
    """Where an item stands among the running ones; None: no process of ours runs it."""
    if item.state != "running" or item.runner is None:
        return None
    return SHARD.pack(item.runner) + place


def put_item(
    transaction: Transaction, place: bytes, before: BatchItem | None, after: BatchItem
) -> None:
    """Stores an item in its new state: row, queue, counts, all that follows from it."""
    counts = transaction.row(BATCH_COUNTS, place[:ID_BYTES], CountsRow.read)
    counts.by_state[after.state] += 1
    if before is not None:
        counts.by_state[before.state] -= 1
        _take_out(transaction, place, before)
    transaction.put(BATCH_ITEMS, place, encode_item(after))
    running = running_key(place, after)
    if running is not None:
        transaction.put(BATCH_RUNNING, running, running_value(after))
    elif after.state == "pending":
        transaction.put(BATCH_QUEUE, queue_key(place, after), model_mark(after))
    elif after.state in TERMINAL_STATES:
        transaction.delete(BATCH_ITEM_REQUESTS, place)


def put_unless_cancelled(
    transaction: Transaction, place: bytes, before: BatchItem, after: BatchItem
) -> None:
    """Nothing of a cancelled batch is put in line again."""
    if after.state == "pending":
        batch = stored_batch(transaction, id_text(place[:ID_BYTES]))
        assert batch is not None, "batches stay as long as their items"
        if batch.cancel_requested:
            after = cancelled(after)
    put_item(transaction, place, before, after)


def _take_out(transaction: Transaction, place: bytes, item: BatchItem) -> None:
    """Removes the keys that an item has because of its state."""
    if item.state == "pending":
        transaction.delete(BATCH_QUEUE, queue_key(place, item))
    running = running_key(place, item)
    if running is not None:
        transaction.delete(BATCH_RUNNING, running)
