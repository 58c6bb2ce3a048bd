"""Pages of ids: the ids next to a cursor, out of keys that are a prefix and an id."""

from collections.abc import Iterator

from lsd.store.layout import ID_BYTES, end_of
from lsd.store.transaction import Database, Transaction


def ids_from(
    transaction: Transaction,
    database: Database,
    prefix: bytes,
    *,
    before: bytes | None = None,
    after: bytes | None = None,
) -> Iterator[tuple[bytes, bytes]]:
    """The ids under `prefix` with the values of their keys, beginning next to the cursor.

    Descending from `before` (or from the newest); with `after` ascending from there. Both bounds
    are exclusive.
    """
    start = prefix if after is None else prefix + after + b"\0"
    stop = end_of(prefix) if before is None else prefix + before
    entries = transaction.range(database, start, stop, reverse=after is None)
    for key, value in entries:
        yield key[-ID_BYTES:], value
