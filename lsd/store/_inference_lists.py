"""Lists of inferences: which index a selection is read from, and what is checked besides."""

import attrs

from lsd.store import _encoding as encoding
from lsd.store._pages import ids_from
from lsd.store.engine import Environment
from lsd.store.layout import (
    BY_EPISODE,
    BY_FUNCTION,
    BY_TAG,
    BY_VARIANT,
    INFERENCES,
    id_key,
    id_text,
    tag_key,
)
from lsd.store.names import FUNCTION, VARIANT, Names
from lsd.store.records import InferenceRecord
from lsd.store.transaction import Database, Transaction

KEYS_PER_READ_MAX = 2_000
"""Keys that one snapshot is held for, some 20 ms: an open snapshot keeps old pages in the file."""


@attrs.frozen(kw_only=True)
class Selection:
    """Which inferences are meant. What is None does not matter."""

    function_name: str | None = None
    variant_name: str | None = None
    episode_id: str | None = None
    tag: tuple[str, str] | None = None
    """Key and value."""

    def holds(self, record: InferenceRecord) -> bool:
        """Whether the record is one of those meant; looks at the head only."""
        return (
            (self.function_name is None or record.function_name == self.function_name)
            and (self.variant_name is None or record.variant_name == self.variant_name)
            and (self.episode_id is None or record.episode_id == self.episode_id)
            and (self.tag is None or record.tags.get(self.tag[0]) == self.tag[1])
        )


def list_heads(
    data: Environment,
    names: Names,
    selection: Selection,
    *,
    before: str | None,
    after: str | None,
    limit: int,
) -> list[InferenceRecord]:
    """The `limit` heads next to the cursor, newest first."""
    assert before is None or after is None, "a page lies on one side of one cursor"
    found: list[InferenceRecord] = []
    low = None if after is None else id_key(after)
    high = None if before is None else id_key(before)
    while len(found) < limit:
        with data.read() as transaction:
            read_to = _read_some(transaction, names, selection, (low, high), limit, found)
        if read_to is None:
            break
        low, high = (read_to, None) if after is not None else (None, read_to)
    return found if after is None else found[::-1]


def _read_some(
    transaction: Transaction,
    names: Names,
    selection: Selection,
    bounds: tuple[bytes | None, bytes | None],
    limit: int,
    found: list[InferenceRecord],
) -> bytes | None:
    """Adds to `found` from one snapshot; gives the id to go on from, None at the end."""
    source = _source(transaction, names, selection)
    if source is None:
        return None
    database, prefix = source
    low, high = bounds
    entries = ids_from(transaction, database, prefix, before=high, after=low)
    for keys_read, (inference, value) in enumerate(entries, start=1):
        head = value if database == INFERENCES else transaction.get(INFERENCES, inference)
        assert head is not None, "an index key has no record"
        record = encoding.read_inference(id_text(inference), head)
        if selection.holds(record):
            found.append(record)
        if len(found) == limit or keys_read == KEYS_PER_READ_MAX:
            return inference
    return None


def _source(
    transaction: Transaction, names: Names, selection: Selection
) -> tuple[Database, bytes] | None:
    """The narrowest index for a selection, and the prefix in it; None: nothing can match."""
    if selection.episode_id is not None:
        return BY_EPISODE, id_key(selection.episode_id)
    if selection.tag is not None:
        return BY_TAG, tag_key(*selection.tag)
    if selection.function_name is None:
        return INFERENCES, b""
    function = names.find(transaction, FUNCTION, selection.function_name)
    if function is None:
        return None
    if selection.variant_name is None:
        return BY_FUNCTION, function
    variant = names.find(transaction, VARIANT, selection.variant_name)
    return None if variant is None else (BY_VARIANT, function + variant)
