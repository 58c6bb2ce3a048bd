"""Lists of live datapoints: what a query selects, in its order, out of one snapshot.

What the indexes answer (dataset, function, tags that must be there, times) costs as much as it
gives; the rest is checked datapoint by datapoint.
"""

import sys
from collections.abc import Iterator
from itertools import groupby, islice
from typing import Any, assert_never

import attrs

from lsd.conversation import reread_json
from lsd.store import _encoding as encoding
from lsd.store._candidate import COMPARE, occurrences_in, searched_text
from lsd.store._datapoint_writes import TIME_BYTES
from lsd.store._postings import IndexPostings, Postings, meet, next_id
from lsd.store._query_plan import Bounds
from lsd.store.filters import (
    AllOf,
    AnyOf,
    ByRelevance,
    ByTime,
    Filter,
    Not,
    TagIs,
    TimeIs,
    conditions_of,
)
from lsd.store.layout import (
    BY_DATASET,
    BY_DATASET_AND_FUNCTION,
    BY_DATASET_AND_TAG,
    DATAPOINT_BODIES,
    DATAPOINTS,
    ID_MAX,
    ID_MIN,
    UNSIGNED,
    id_text,
    tag_key,
)
from lsd.store.names import DATASET, FUNCTION, Names
from lsd.store.records import Datapoint
from lsd.store.transaction import Transaction

_NS_PER_US = 1_000
_TIME_END = 1 << 64


@attrs.frozen(kw_only=True)
class DatapointQuery:
    """A list of live datapoints of one dataset.

    `filter` speaks of tags and of the time of the last change; `search` is text in input or output,
    in any letter case. `order`'s terms apply in turn, without any newest come first, and equal ones
    are always by id, the greatest first. A `limit` of None is none.
    """

    dataset_name: str
    function_name: str | None = None
    filter: Filter | None = None
    search: str | None = None
    order: tuple[ByTime | ByRelevance, ...] = ()
    offset: int = 0
    limit: int | None = None


def list_datapoints(
    transaction: Transaction, names: Names, query: DatapointQuery
) -> list[Datapoint]:
    """The datapoints of a query with their bodies, in its order."""
    if query.limit == 0:
        return []
    listing = _Listing.of(transaction, names, query)
    if listing is None:
        return []
    stop = sys.maxsize if query.limit is None else query.offset + query.limit
    places = islice(listing.in_order(query.order or (ByTime(),)), query.offset, stop)
    return [read_at(transaction, place[TIME_BYTES:]) for place in places]


def read_at(transaction: Transaction, key: bytes) -> Datapoint:
    """A datapoint that is there, with its body."""
    head = transaction.get(DATAPOINTS, key)
    body = transaction.get(DATAPOINT_BODIES, key)
    assert head is not None, "an index has a datapoint that is not stored"
    assert body is not None, "a datapoint is stored without its body"
    return encoding.read_datapoint(id_text(key), head, body)


@attrs.frozen(kw_only=True)
class _Listing:
    """What is meant: places that are in all indexes, between two times, and pass the checks.

    An index is the database and the prefix of its keys.
    """

    _transaction: Transaction
    _indexes: list[tuple[str, bytes]]
    _bounds: Bounds
    _checks: list[Filter]
    _needle: str | None

    @classmethod
    def of(cls, transaction: Transaction, names: Names, query: DatapointQuery) -> "_Listing | None":
        """None: there can be nothing."""
        dataset = names.find(transaction, DATASET, query.dataset_name)
        if dataset is None:
            return None
        indexes = [(BY_DATASET, dataset)]
        if query.function_name is not None:
            function = names.find(transaction, FUNCTION, query.function_name)
            if function is None:
                return None
            indexes = [(BY_DATASET_AND_FUNCTION, dataset + function)]
        bounds = _between(0, None)
        checks: list[Filter] = []
        for condition in conditions_of(query.filter):
            match condition:
                case TagIs(key=key, value=value, equal=True):
                    indexes.append((BY_DATASET_AND_TAG, dataset + tag_key(key, value)))
                case TimeIs() if condition.comparison != "!=":
                    bounds = bounds.meets(_between(*condition.span(_NS_PER_US)))
                case _:
                    checks.append(condition)
        return cls(
            transaction=transaction,
            indexes=indexes,
            bounds=bounds,
            checks=checks,
            needle=None if query.search is None else searched_text(query.search),
        )

    def in_order(self, order: tuple[ByTime | ByRelevance, ...]) -> Iterator[bytes]:
        """All places."""
        first = order[0]
        if not isinstance(first, ByTime) or any(isinstance(term, ByRelevance) for term in order):
            return iter(self._sorted(order))
        if not first.ascending:
            return self._places(descending=True)
        by_time = groupby(self._places(descending=False), key=lambda place: place[:TIME_BYTES])
        return (place for _, equal in by_time for place in reversed([*equal]))

    def _sorted(self, order: tuple[ByTime | ByRelevance, ...]) -> list[bytes]:
        """Sorts are stable, so the last term comes first."""
        places = [*self._places(descending=True)]
        places.sort(key=lambda place: place[TIME_BYTES:], reverse=True)
        for term in reversed(order):
            match term:
                case ByTime():
                    places.sort(key=lambda place: place[:TIME_BYTES], reverse=not term.ascending)
                case ByRelevance():
                    places.sort(key=self._occurrences, reverse=not term.ascending)
                case never:
                    assert_never(never)
        return places

    def _places(self, *, descending: bool) -> Iterator[bytes]:
        streams: list[Postings] = [
            IndexPostings(self._transaction.seeker(database), prefix, descending)
            for database, prefix in self._indexes
        ]
        following: bytes | None = self._bounds.start(descending=descending)
        while following is not None:
            step = meet(streams, following)
            if step is None or not self._bounds.holds(step[0]):
                return
            following, is_common = step
            if is_common:
                if self._is_meant(following):
                    yield following
                following = next_id(following, descending=descending)

    def _is_meant(self, place: bytes) -> bool:
        if self._checks:
            encoded = self._transaction.get(DATAPOINTS, place[TIME_BYTES:])
            assert encoded is not None, "an index has a datapoint that is not stored"
            head = reread_json(encoded)
            if not all(_holds(check, head) for check in self._checks):
                return False
        return not self._needle or self._occurrences(place) > 0

    def _occurrences(self, place: bytes) -> int:
        body = self._transaction.get(DATAPOINT_BODIES, place[TIME_BYTES:])
        assert body is not None, "a datapoint is stored without its body"
        return occurrences_in(body, self._needle or "")


def _between(from_us: int, below_us: int | None) -> Bounds:
    """The places of these times."""
    last = _TIME_END - 1 if below_us is None else min(below_us, _TIME_END) - 1
    if last < from_us or from_us >= _TIME_END or last < 0:
        return Bounds(low=b"\xff" * (TIME_BYTES + len(ID_MAX)), high=b"")
    return Bounds(low=UNSIGNED.pack(max(from_us, 0)) + ID_MIN, high=UNSIGNED.pack(last) + ID_MAX)


def _holds(condition: Filter, head: dict[str, Any]) -> bool:
    match condition:
        case TagIs():
            found = head["tags"].get(condition.key)
            return found is not None and (found == condition.value) == condition.equal
        case TimeIs():
            time_ns = head["updated_at_us"] * _NS_PER_US
            return COMPARE[condition.comparison](time_ns, condition.time_ns)
        case AllOf(children):
            return all(_holds(child, head) for child in children)
        case AnyOf(children):
            return any(_holds(child, head) for child in children)
        case Not(child):
            return not _holds(child, head)
        case _:
            raise AssertionError("feedback is about inferences; datapoints have none")
