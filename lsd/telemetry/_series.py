"""Counters and histograms whose series may differ in the names of their labels.

They are changed by the event loop alone, without a lock, and read by any thread.
"""

from bisect import bisect_left
from collections.abc import Iterable, Sequence

import attrs
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

Labels = tuple[tuple[str, str], ...]
"""Names and values."""

UNLABELLED: Labels = ()


@attrs.define(eq=False)
class Counter(Collector):
    """A sum for each set of labels; `name` is without the `_total` that is shown."""

    name: str
    _help: str
    _sums: dict[Labels, float] = attrs.field(factory=dict, init=False)

    def add(self, amount: float, labels: Labels = UNLABELLED) -> None:
        """Counts `amount`; what is not positive changes nothing, since counters only rise."""
        if amount > 0:
            self._sums[labels] = self._sums.get(labels, 0.0) + amount

    def show(self, labels: Labels = UNLABELLED) -> None:
        """Shows a series before anything is counted."""
        self._sums.setdefault(labels, 0.0)

    def values(self) -> list[tuple[Labels, float]]:
        """All sums, as `take_in` wants them."""
        return list(self._sums.copy().items())

    def take_in(self, values: Iterable[tuple[Iterable[Sequence[str]], float]]) -> None:
        """Adds what another process has counted; its values may have been JSON in between."""
        for labels, value in values:
            known = _labels(labels)
            self._sums[known] = self._sums.get(known, 0.0) + value

    def collect(self) -> Iterable[Metric]:
        family = CounterMetricFamily(self.name, self._help)
        for labels, value in self._sums.copy().items():
            family.add_sample(f"{self.name}_total", dict(labels), value)
        yield family


@attrs.define(eq=False)
class Histogram(Collector):
    """How often values were at most as great as each of some ascending bounds."""

    name: str
    _help: str
    _bounds: tuple[float, ...]
    _rows: dict[Labels, list[float]] = attrs.field(factory=dict, init=False)
    """The number of values between two bounds each, and at last the sum of all values."""

    def observe(self, value: float, labels: Labels = UNLABELLED) -> None:
        """Counts one value."""
        row = self._rows.get(labels) or self._row(labels)
        row[bisect_left(self._bounds, value)] += 1
        row[-1] += value

    def show(self, labels: Labels = UNLABELLED) -> None:
        """Shows a series before anything is seen."""
        self._row(labels)

    def values(self) -> list[tuple[Labels, list[float]]]:
        """All rows, as `take_in` wants them."""
        return [(labels, list(row)) for labels, row in self._rows.copy().items()]

    def take_in(self, values: Iterable[tuple[Iterable[Sequence[str]], Sequence[float]]]) -> None:
        """Adds what another process with the same bounds has seen."""
        for labels, more in values:
            row = self._row(_labels(labels))
            for place, count in enumerate(more):
                row[place] += count

    def collect(self) -> Iterable[Metric]:
        family = HistogramMetricFamily(self.name, self._help)
        shown = (*map(floatToGoString, self._bounds), "+Inf")
        for labels, row in self._rows.copy().items():
            *counts, total = tuple(row)
            up_to = 0.0
            for bound, count in zip(shown, counts, strict=True):
                up_to += count
                family.add_sample(f"{self.name}_bucket", {**dict(labels), "le": bound}, up_to)
            family.add_sample(f"{self.name}_count", dict(labels), up_to)
            family.add_sample(f"{self.name}_sum", dict(labels), total)
        yield family

    def _row(self, labels: Labels) -> list[float]:
        row = self._rows.get(labels)
        if row is None:
            row = self._rows[labels] = [0.0] * (len(self._bounds) + 2)
        return row


def _labels(pairs: Iterable[Sequence[str]]) -> Labels:
    return tuple((name, value) for name, value in pairs)
