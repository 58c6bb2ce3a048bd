"""Datapoints to the keys that are written for them, and that go when they are live no longer."""

from collections.abc import Iterator

import attrs

from lsd.store import _encoding as encoding
from lsd.store._writing import Writing
from lsd.store.layout import (
    BY_DATASET,
    BY_DATASET_AND_FUNCTION,
    BY_DATASET_AND_TAG,
    DATAPOINT_BODIES,
    DATAPOINT_COUNTS,
    DATAPOINTS,
    UNSIGNED,
    end_of,
    id_key,
    tag_key,
)
from lsd.store.names import DATASET, FUNCTION
from lsd.store.records import Datapoint
from lsd.store.transaction import Database, Transaction

NUMBER_BYTES = 4
TIME_BYTES = 8


def place_of(datapoint: Datapoint) -> bytes:
    """What stands for a live datapoint in the indexes: sorted by its last change, then by id."""
    return UNSIGNED.pack(datapoint.updated_at_us) + id_key(datapoint.id)


def moment(transaction: Transaction, dataset: bytes, now_us: int) -> int:
    """The time of a change of a dataset: now, or right after the change before it.

    So no two changes have one time, and a clock that steps back does not turn their order around.
    """
    last = transaction.range(BY_DATASET, dataset, end_of(dataset), reverse=True, limit=1)
    for key, _ in last:
        latest: int = UNSIGNED.unpack_from(key, NUMBER_BYTES)[0]
        return max(now_us, latest + 1)
    return now_us


def put_datapoint(writing: Writing, datapoint: Datapoint) -> None:
    """Puts a datapoint that was not there before."""
    assert datapoint.body is not None, "a datapoint is written whole"
    key = id_key(datapoint.id)
    transaction = writing.transaction
    transaction.put(DATAPOINTS, key, encoding.datapoint_head(datapoint))
    transaction.put(DATAPOINT_BODIES, key, encoding.datapoint_body(datapoint.body))
    _put_live_keys(writing, datapoint)


def change_datapoint(writing: Writing, before: Datapoint, after: Datapoint) -> None:
    """Puts `after` in the place of `before`, which is live; the body stays."""
    for database, key in live_keys(writing, before):
        writing.transaction.delete(database, key)
    _count(writing, before).number -= 1
    head = encoding.datapoint_head(after)
    writing.transaction.put(DATAPOINTS, id_key(after.id), head)
    _put_live_keys(writing, after)


def stale_datapoint(writing: Writing, datapoint: Datapoint, at_us: int) -> None:
    """A live datapoint is none any more."""
    after = attrs.evolve(datapoint, updated_at_us=at_us, staled_at_us=at_us)
    change_datapoint(writing, datapoint, after)


def live_keys(writing: Writing, datapoint: Datapoint) -> Iterator[tuple[Database, bytes]]:
    """The keys in the indexes of a datapoint while it is live."""
    dataset = writing.number(DATASET, datapoint.dataset_name)
    function = writing.number(FUNCTION, datapoint.function_name)
    place = place_of(datapoint)
    yield BY_DATASET, dataset + place
    yield BY_DATASET_AND_FUNCTION, dataset + function + place
    for name, value in datapoint.tags.items():
        yield BY_DATASET_AND_TAG, dataset + tag_key(name, value) + place


def _put_live_keys(writing: Writing, datapoint: Datapoint) -> None:
    if datapoint.staled_at_us is None:
        for database, key in live_keys(writing, datapoint):
            writing.transaction.put(database, key, b"")
        _count(writing, datapoint).number += 1


@attrs.define(eq=False)
class _Count:
    """The row that counts the live datapoints of a function in a dataset."""

    number: int

    @classmethod
    def read(cls, row: bytes | None) -> "_Count":
        """The inverse of `encode`."""
        return cls(0 if row is None else UNSIGNED.unpack(row)[0])

    def encode(self) -> bytes | None:
        """None: a dataset without live datapoints of a function is not one of it."""
        return UNSIGNED.pack(self.number) if self.number else None


def _count(writing: Writing, datapoint: Datapoint) -> _Count:
    key = writing.number(DATASET, datapoint.dataset_name)
    key += writing.number(FUNCTION, datapoint.function_name)
    return writing.transaction.row(DATAPOINT_COUNTS, key, _Count.read)
