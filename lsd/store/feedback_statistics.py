"""What feedback says of variants: counts, means, variances, over all time and in periods. Scans.

Booleans count as 0 and 1. Feedback on an episode counts for each function of which one variant
alone served the episode; performances take it for every variant that served.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterator
from typing import Final

import attrs

from lsd.conversation import reread_json
from lsd.store._attribution import ALL_NAMESPACES, NAMESPACE_TAG, OF_EPISODE
from lsd.store._encoding import read_inference
from lsd.store._feedback_sums import FeedbackSums
from lsd.store.engine import Environment
from lsd.store.layout import (
    BY_EPISODE,
    DEMONSTRATED,
    EPISODE_VARIANTS,
    FEEDBACK_BY_VARIANT,
    FEEDBACK_SUMS,
    ID_BYTES,
    INFERENCES,
    LATEST_BY_VARIANT,
    SIGNED,
    end_of,
)
from lsd.store.moments import EMPTY, Moments
from lsd.store.names import FUNCTION, METRIC, NAMESPACE, VARIANT, Names
from lsd.store.periods import TimeWindow, Window, period_start, periods_later
from lsd.store.transaction import Transaction

_METRIC: Final = slice(4, 8)
_VARIANT: Final = slice(8, 12)
_NAMESPACE: Final = slice(12, 16)
"""Places in the keys of sums, entries and latest values; the function comes first."""


@attrs.frozen(kw_only=True)
class MetricCount:
    """How many entries of a metric, or demonstrations, count for a variant."""

    metric_name: str
    variant_name: str
    entries: int


@attrs.frozen(kw_only=True)
class VariantMoments:
    """Values that count for a variant, perhaps those of one period or up to its end.

    `time_ms` is when the period begins or ends.
    """

    variant_name: str
    moments: Moments
    time_ms: int = 0


@attrs.frozen(kw_only=True)
class FeedbackCount:
    """How many inferences have a latest value, and of how many that is good."""

    inferences: int
    good: int


@attrs.frozen(kw_only=True)
class FeedbackStatistics:
    """The feedback of a store, by variant."""

    _data: Environment
    _names: Names

    def metric_counts(self, function_name: str) -> list[MetricCount]:
        """The entries of each metric for each variant, demonstrations among them, no comments."""
        entries: Counter[bytes] = Counter()
        with self._data.read() as transaction:
            function = self._names.find(transaction, FUNCTION, function_name)
            if function is None:
                return []
            for key, row in transaction.range(FEEDBACK_SUMS, function, end_of(function)):
                if key[_NAMESPACE] == ALL_NAMESPACES:
                    entries[key[:12]] += FeedbackSums.read(row).entries
            return [
                MetricCount(
                    metric_name=self._names.name(transaction, METRIC, key[_METRIC]),
                    variant_name=self._names.name(transaction, VARIANT, key[_VARIANT]),
                    entries=count,
                )
                for key, count in entries.items()
                if count
            ]

    def by_variant(
        self,
        function_name: str,
        metric_name: str,
        *,
        namespace: str | None = None,
        max_samples: int | None = None,
    ) -> list[VariantMoments]:
        """The latest value of each target, by variant; variants without one are left out.

        With `namespace`, only of inferences in it; of each variant the `max_samples` newest values.
        """
        with self._data.read() as transaction:
            place = self._place(transaction, function_name, metric_name)
            wanted: bytes | None = ALL_NAMESPACES
            if namespace is not None:
                wanted = self._names.find(transaction, NAMESPACE, namespace)
            if place is None or wanted is None:
                return []
            sums: dict[bytes, FeedbackSums] = {}
            for key, row in transaction.range(FEEDBACK_SUMS, place, end_of(place)):
                if key[_NAMESPACE] == wanted:
                    sums.setdefault(key[:12], FeedbackSums()).merge(FeedbackSums.read(row))
            return [
                VariantMoments(
                    variant_name=self._names.name(transaction, VARIANT, key[_VARIANT]),
                    moments=found.moments
                    if max_samples is None or found.moments.count <= max_samples
                    else self._newest(transaction, key, wanted, max_samples),
                )
                for key, found in sums.items()
                if found.moments.count
            ]

    def performances(
        self,
        function_name: str,
        metric_name: str,
        window: TimeWindow,
        variant_name: str | None = None,
    ) -> list[VariantMoments]:
        """The latest value of each target, by variant and the period of the inferences.

        `time_ms` is the start of the period. What is said of an episode counts once in each period
        in which the variant served it. In no particular order.
        """
        periods: dict[tuple[bytes, int], Counter[bool | float]] = {}
        for transaction, key, row in self._latest(function_name, metric_name):
            value = reread_json(row[1:])
            for start_ms in _periods_of(transaction, key, row, window):
                periods.setdefault((key[_VARIANT], start_ms), Counter())[value] += 1
        with self._data.read() as transaction:
            found = [
                VariantMoments(
                    variant_name=self._names.name(transaction, VARIANT, variant),
                    time_ms=start_ms,
                    moments=Moments.of(values),
                )
                for (variant, start_ms), values in periods.items()
            ]
        return [each for each in found if variant_name in (None, each.variant_name)]

    def time_series(
        self,
        function_name: str,
        metric_name: str,
        window: Window,
        max_periods: int,
        variant_names: Collection[str] | None = None,
    ) -> list[VariantMoments]:
        """Every entry from the beginning to the end of a period, by variant; `time_ms` is that end.

        There are the periods in which the variant has entries, of the last `max_periods` and one;
        one that has only earlier ones has the end of the first period. In no particular order.
        """
        series: dict[str, dict[int, Counter[bool | float]]] = {}
        for transaction, key, row in self._entries(function_name, metric_name):
            name = self._names.name(transaction, VARIANT, key[_VARIANT])
            if variant_names is None or name in variant_names:
                time_ms = int.from_bytes(key[12:18], "big")
                end_ms = periods_later(window, period_start(window, time_ms), 1)
                ends = series.setdefault(name, {})
                ends.setdefault(end_ms, Counter())[reread_json(row[ID_BYTES:])] += 1
        last_ms = max((end_ms for ends in series.values() for end_ms in ends), default=0)
        first_ms = periods_later(window, last_ms, -max_periods)
        return [
            VariantMoments(variant_name=name, time_ms=end_ms, moments=moments)
            for name, ends in series.items()
            for end_ms, moments in _within(ends, first_ms)
        ]

    def count_good(
        self, function_name: str, metric_name: str, is_good: Callable[[bool | float], bool]
    ) -> FeedbackCount:
        """Of the inferences of a function; what is said of an episode is said of all in it."""
        inferences = good = 0
        for transaction, key, row in self._latest(function_name, metric_name):
            count = 1
            if row[:1] == OF_EPISODE:
                member = key[12:] + key[:4] + key[_VARIANT]
                counts = transaction.range(EPISODE_VARIANTS, member, end_of(member))
                count = sum(SIGNED.unpack(each)[0] for _, each in counts)
            inferences += count
            good += count if is_good(reread_json(row[1:])) else 0
        return FeedbackCount(inferences=inferences, good=good)

    def count_demonstrated(self, function_name: str) -> int:
        """How many inferences of a function have a demonstration."""
        with self._data.read() as transaction:
            function = self._names.find(transaction, FUNCTION, function_name)
        if function is None:
            return 0
        scanned = self._data.scan(DEMONSTRATED, function, end_of(function))
        return sum(len(some) for _, some in scanned)

    def _place(
        self, transaction: Transaction, function_name: str, metric_name: str
    ) -> bytes | None:
        """What the keys of a function and metric begin with."""
        function = self._names.find(transaction, FUNCTION, function_name)
        metric = self._names.find(transaction, METRIC, metric_name)
        return None if function is None or metric is None else function + metric

    def _latest(
        self, function_name: str, metric_name: str
    ) -> Iterator[tuple[Transaction, bytes, bytes]]:
        return self._scan(LATEST_BY_VARIANT, function_name, metric_name)

    def _entries(
        self, function_name: str, metric_name: str
    ) -> Iterator[tuple[Transaction, bytes, bytes]]:
        return self._scan(FEEDBACK_BY_VARIANT, function_name, metric_name)

    def _scan(
        self, database: str, function_name: str, metric_name: str
    ) -> Iterator[tuple[Transaction, bytes, bytes]]:
        with self._data.read() as transaction:
            place = self._place(transaction, function_name, metric_name)
        if place is not None:
            for transaction, some in self._data.scan(database, place, end_of(place)):
                for key, row in some:
                    yield transaction, key, row

    def _newest(
        self, transaction: Transaction, place: bytes, namespace: bytes, max_samples: int
    ) -> Moments:
        """The moments of the newest latest values of a variant. `place` ends with the variant."""
        seen: set[bytes] = set()
        moments = EMPTY
        entries = transaction.range(FEEDBACK_BY_VARIANT, place, end_of(place), reverse=True)
        for _, row in entries:
            if moments.count == max_samples:
                break
            target = row[:ID_BYTES]
            if target not in seen and self._is_in(transaction, namespace, place, target):
                moments = moments.plus(float(reread_json(row[ID_BYTES:])))
            seen.add(target)
        return moments

    def _is_in(
        self, transaction: Transaction, namespace: bytes, place: bytes, target: bytes
    ) -> bool:
        """Whether a target, or an inference of it, is in a namespace."""
        if namespace == ALL_NAMESPACES:
            return True
        latest = transaction.get(LATEST_BY_VARIANT, place + target)
        assert latest is not None, "an entry counts for a variant, but no latest value does"
        if latest[:1] == OF_EPISODE:
            member = target + place[:4] + place[_VARIANT] + namespace
            return transaction.get(EPISODE_VARIANTS, member) is not None
        head = transaction.get(INFERENCES, target)
        assert head is not None, "feedback counts for a variant, but its inference is gone"
        name = read_inference("", head).tags.get(NAMESPACE_TAG)
        return name is not None and self._names.find(transaction, NAMESPACE, name) == namespace


def _periods_of(
    transaction: Transaction, key: bytes, row: bytes, window: TimeWindow
) -> Collection[int]:
    """The starts of the periods in which a latest value counts for its variant."""
    target = key[12:]
    if window == "cumulative":
        return (0,)
    if row[:1] != OF_EPISODE:
        return (period_start(window, _time_ms(target)),)
    pair = key[:4] + key[_VARIANT]
    members = transaction.range(BY_EPISODE, target, end_of(target))
    served = (each[ID_BYTES:] for each, of_pair in members if of_pair == pair)
    return {period_start(window, _time_ms(inference)) for inference in served}


def _within(ends: dict[int, Counter[bool | float]], first_ms: int) -> Iterator[tuple[int, Moments]]:
    """The ends of periods from the first one on, with all values until then; at least one."""
    moments = EMPTY
    for end_ms in sorted(ends):
        moments = moments.merged(Moments.of(ends[end_ms]))
        if end_ms >= first_ms:
            yield end_ms, moments
    if max(ends) < first_ms:
        yield first_ms, moments


def _time_ms(own_id: bytes) -> int:
    return int.from_bytes(own_id[:6], "big")
