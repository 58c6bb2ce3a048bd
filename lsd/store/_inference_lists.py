"""Pages of inferences: the records next to a cursor, or from a place in some other order.

No more is read than the page takes, and every read is a short one.
"""

import sys
from collections.abc import Iterable
from itertools import islice
from typing import Final

from lsd.store import _encoding as encoding
from lsd.store._inference_order import Ordering
from lsd.store._matching import matching
from lsd.store._postings import next_id
from lsd.store._query_plan import EVERYTHING, NOTHING, Bounds
from lsd.store.engine import Environment
from lsd.store.filters import InferenceQuery
from lsd.store.layout import INFERENCE_BODIES, INFERENCES, id_key, id_text
from lsd.store.names import Names
from lsd.store.records import InferenceRecord

_RECORDS_PER_READ: Final = 500
"""Records that are read from one snapshot."""


def list_inferences(
    data: Environment, names: Names, query: InferenceQuery, *, with_bodies: bool
) -> list[InferenceRecord]:
    """The records of a query, in its order."""
    limit = sys.maxsize if query.limit is None else query.limit
    if query.has_cursor:
        found = _page(data, names, query, limit, with_bodies=with_bodies)
        is_ascending = bool(query.order) and query.order[0].ascending
        return found if is_ascending == (query.after is not None) else found[::-1]
    ordering = Ordering(data=data, names=names, expected=query.offset + limit)
    ids = islice(ordering.ids(query.selection, query.order), query.offset, None)
    return _records(data, ids, limit, with_bodies=with_bodies)


def _page(
    data: Environment, names: Names, query: InferenceQuery, limit: int, *, with_bodies: bool
) -> list[InferenceRecord]:
    """The `limit` records next to the cursor, beginning there."""
    assert query.before is None or query.after is None, "a page lies on one side of one cursor"
    ids = matching(
        data,
        names,
        query.selection,
        _bounds(query.before, query.after),
        descending=query.after is None,
        expected=limit,
    )
    return _records(data, ids, limit, with_bodies=with_bodies)


def _bounds(before: str | None, after: str | None) -> Bounds:
    """The ids beyond the cursor."""
    if before is not None:
        high = next_id(id_key(before), descending=True)
        return NOTHING if high is None else Bounds(high=high)
    if after is not None:
        low = next_id(id_key(after), descending=False)
        return NOTHING if low is None else Bounds(low=low)
    return EVERYTHING


def _records(
    data: Environment, ids: Iterable[bytes], limit: int, *, with_bodies: bool
) -> list[InferenceRecord]:
    """The records of the first `limit` ids; one that was deleted meanwhile is passed over."""
    found: list[InferenceRecord] = []
    remaining = iter(ids)
    while len(found) < limit:
        some = list(islice(remaining, min(limit - len(found), _RECORDS_PER_READ)))
        if not some:
            break
        with data.read() as transaction:
            for inference in some:
                head = transaction.get(INFERENCES, inference)
                if head is not None:
                    body = transaction.get(INFERENCE_BODIES, inference) if with_bodies else None
                    found.append(encoding.read_inference(id_text(inference), head, body))
    return found
