"""The ids of a selection in an order: by time, by metrics, by relevance, or several in turn."""

from collections.abc import Iterator, Sequence
from typing import Any, Final, assert_never

import attrs

from lsd.store._candidate import Candidate, searched_text
from lsd.store._inference_counts import count_by_names
from lsd.store._matching import matching
from lsd.store.engine import Environment
from lsd.store.filters import (
    ByMetric,
    ByRelevance,
    ByTime,
    MetricGiven,
    MetricIs,
    Not,
    OrderTerm,
    Selection,
)
from lsd.store.layout import BY_VALUE, end_of, value_key, value_of_key
from lsd.store.names import METRIC, Names

_SORTED_MAX: Final = 10_000
"""Of up to so many inferences, all that are meant are sorted by a metric; of more, the values are
gone through in their order, and only as far as somebody reads."""

_KEYS_PER_READ: Final = 500
"""Sort keys that are read from one snapshot."""


@attrs.frozen(kw_only=True)
class Ordering:
    """Puts the inferences of a selection in order. `expected` as in `matching`."""

    _data: Environment
    _names: Names
    _expected: int

    def ids(self, selection: Selection, order: Sequence[OrderTerm]) -> Iterator[bytes]:
        """All ids; equal ones by id, newest first."""
        match order:
            case []:
                return self._by_time(selection, ByTime())
            case [ByTime() as term, *_]:
                return self._by_time(selection, term)
            case [ByMetric() as term, *following] if self._are_many(selection):
                return self._by_value(selection, term, following)
            case _:
                return iter(self._sorted(selection, order))

    def _by_time(self, selection: Selection, term: ByTime) -> Iterator[bytes]:
        return matching(
            self._data,
            self._names,
            selection,
            descending=not term.ascending,
            expected=self._expected,
        )

    def _are_many(self, selection: Selection) -> bool:
        return count_by_names(self._data, self._names, selection) > _SORTED_MAX

    def _by_value(
        self, selection: Selection, term: ByMetric, following: Sequence[OrderTerm]
    ) -> Iterator[bytes]:
        name, level = term.metric_name, term.level
        for value in self._values(term):
            equal = MetricIs(metric_name=name, level=level, value=value)
            yield from self._settled(selection.also(equal), following)
        missing = Not(MetricGiven(metric_name=name, level=level))
        yield from self._settled(selection.also(missing), following)

    def _settled(self, selection: Selection, order: Sequence[OrderTerm]) -> Iterator[bytes]:
        """Like `ids`, without going through values again: what is equal so far is not much."""
        if not order or isinstance(order[0], ByTime):
            return self.ids(selection, order)
        return iter(self._sorted(selection, order))

    def _values(self, term: ByMetric) -> Iterator[bool | float]:
        """The values that targets have at the moment, each once."""
        with self._data.read() as transaction:
            metric = self._names.find(transaction, METRIC, term.metric_name)
        if metric is None:
            return
        start, stop = metric, end_of(metric)
        while True:
            with self._data.read() as transaction:
                entries = transaction.range(
                    BY_VALUE, start, stop, reverse=not term.ascending, limit=1
                )
                key = next((key for key, _ in entries), None)
            if key is None:
                return
            value = value_of_key(key[len(metric) :])
            place = metric + value_key(value)
            yield value
            if term.ascending:
                start = end_of(place) or place
            else:
                stop = place

    def _sorted(self, selection: Selection, order: Sequence[OrderTerm]) -> list[bytes]:
        """All ids, sorted. Sorts are stable, so the last term comes first."""
        terms = list(order)
        times = [place for place, term in enumerate(terms) if isinstance(term, ByTime)]
        by_time = terms[times[0]] if times else ByTime()
        assert isinstance(by_time, ByTime), "it was found by its type"
        ids = list(self._by_time(selection, by_time))
        needle = searched_text(selection.search or "")
        for term in reversed(terms[: times[0]] if times else terms):
            keys = self._sort_keys(ids, term, needle)
            ids.sort(key=keys.__getitem__, reverse=not term.ascending)
        return ids

    def _sort_keys(self, ids: Sequence[bytes], term: OrderTerm, needle: str) -> dict[bytes, Any]:
        keys = {}
        for place in range(0, len(ids), _KEYS_PER_READ):
            with self._data.read() as transaction:
                for inference in ids[place : place + _KEYS_PER_READ]:
                    candidate = Candidate(transaction, self._names, inference)
                    keys[inference] = _sort_key(candidate, term, needle)
        return keys


def _sort_key(candidate: Candidate, term: OrderTerm, needle: str) -> Any:
    match term:
        case ByTime():
            return candidate.inference
        case ByMetric():
            value = candidate.value(term.metric_name, term.level)
            # In both directions, those without a value come last.
            is_last = value is None
            return is_last == term.ascending, b"" if value is None else value_key(value)
        case ByRelevance():
            return candidate.occurrences(needle)
        case never:
            assert_never(never)
