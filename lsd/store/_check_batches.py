"""What must be in the store for each batch, according to the states of its items."""

from collections import Counter
from collections.abc import Iterator

from lsd.store import layout
from lsd.store._batch_rows import (
    CountsRow,
    model_mark,
    queue_key,
    read_item,
    running_key,
    running_value,
)
from lsd.store._check_list import CheckList
from lsd.store.batch_records import TERMINAL_STATES
from lsd.store.layout import ID_BYTES, id_key
from lsd.store.transaction import Database, Transaction


def check_batches(check: CheckList) -> None:
    """Items, and what follows from their states."""
    for database, key, value in _expected(check.transaction):
        check.expect(database, key, value)


def _expected(transaction: Transaction) -> Iterator[tuple[Database, bytes, bytes | None]]:
    """All keys that follow from the items, each with its value; None: with any."""
    counts: dict[bytes, Counter[str]] = {}
    for place, row in transaction.range(layout.BATCH_ITEMS):
        item = read_item(row)
        counts.setdefault(place[:ID_BYTES], Counter())[item.state] += 1
        yield layout.BATCH_ITEMS_BY_INFERENCE, id_key(item.inference_id), place
        running = running_key(place, item)
        if running is not None:
            yield layout.BATCH_RUNNING, running, running_value(item)
        if item.state == "pending":
            yield layout.BATCH_QUEUE, queue_key(place, item), model_mark(item)
        if item.state not in TERMINAL_STATES:
            yield layout.BATCH_ITEM_REQUESTS, place, None
    for place, _ in transaction.range(layout.BATCH_PARTS):
        counts.setdefault(place[:ID_BYTES], Counter())
    for batch, by_state in counts.items():
        row_of_counts = CountsRow.read(None)
        for state in row_of_counts.by_state:
            row_of_counts.by_state[state] = by_state[state]
        yield layout.BATCH_COUNTS, batch, row_of_counts.encode()
        yield layout.BATCHES, batch, None
