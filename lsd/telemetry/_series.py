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
class Sum:
    """One series of a counter. Whoever adds to it sees to it that it only rises."""

    value: float = 0.0


@attrs.define(eq=False)
class Distribution:
    """One series of a histogram: how many values lie between two of its `bounds` each."""

    bounds: tuple[float, ...]
    counts: list[float]
    total: float = 0.0

    def observe(self, value: float) -> None:
        """Counts one value."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.total += value


@attrs.define(eq=False)
class Counter(Collector):
    """A sum for each set of labels; `name` is without the `_total` that is shown."""

    name: str
    _help: str
    _sums: dict[Labels, Sum] = attrs.field(factory=dict, init=False)

    def of(self, labels: Labels = UNLABELLED) -> Sum:
        """The series with these labels, which is shown from now on; it may be kept."""
        found = self._sums.get(labels)
        if found is None:
            found = self._sums[labels] = Sum()
        return found

    def add(self, amount: float, labels: Labels = UNLABELLED) -> None:
        """Counts `amount`; what is not positive changes nothing, since counters only rise."""
        if amount > 0:
            self.of(labels).value += amount

    def values(self) -> list[tuple[Labels, float]]:
        """All sums, as `take_in` wants them."""
        return [(labels, each.value) for labels, each in self._sums.copy().items()]

    def take_in(self, values: Iterable[tuple[Iterable[Sequence[str]], float]]) -> None:
        """Adds what another process has counted; its values may have been JSON in between."""
        for labels, value in values:
            self.of(_labels(labels)).value += value

    def collect(self) -> Iterable[Metric]:
        family = CounterMetricFamily(self.name, self._help)
        for labels, value in self.values():
            family.add_sample(f"{self.name}_total", dict(labels), value)
        yield family


@attrs.define(eq=False)
class Histogram(Collector):
    """How often values were at most as great as each of some ascending bounds."""

    name: str
    _help: str
    _bounds: tuple[float, ...]
    _series: dict[Labels, Distribution] = attrs.field(factory=dict, init=False)

    def of(self, labels: Labels = UNLABELLED) -> Distribution:
        """The series with these labels, which is shown from now on; it may be kept."""
        found = self._series.get(labels)
        if found is None:
            counts = [0.0] * (len(self._bounds) + 1)
            found = self._series[labels] = Distribution(self._bounds, counts)
        return found

    def observe(self, value: float, labels: Labels = UNLABELLED) -> None:
        """Counts one value."""
        self.of(labels).observe(value)

    def values(self) -> list[tuple[Labels, list[float]]]:
        """All counts, each followed by its total, as `take_in` wants them."""
        found = self._series.copy().items()
        return [(labels, [*each.counts, each.total]) for labels, each in found]

    def take_in(self, values: Iterable[tuple[Iterable[Sequence[str]], Sequence[float]]]) -> None:
        """Adds what another process with the same bounds has seen."""
        for labels, (*counts, total) in values:
            series = self.of(_labels(labels))
            series.total += total
            for place, count in enumerate(counts):
                series.counts[place] += count

    def collect(self) -> Iterable[Metric]:
        family = HistogramMetricFamily(self.name, self._help)
        shown = (*map(floatToGoString, self._bounds), "+Inf")
        for labels, (*counts, total) in self.values():
            up_to = 0.0
            for bound, count in zip(shown, counts, strict=True):
                up_to += count
                family.add_sample(f"{self.name}_bucket", {**dict(labels), "le": bound}, up_to)
            family.add_sample(f"{self.name}_count", dict(labels), up_to)
            family.add_sample(f"{self.name}_sum", dict(labels), total)
        yield family


def _labels(pairs: Iterable[Sequence[str]]) -> Labels:
    return tuple((name, value) for name, value in pairs)
