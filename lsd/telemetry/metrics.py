"""The counters behind `/metrics`, in Prometheus' text format."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

import attrs
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from lsd.telemetry._series import Counter, Distribution, Histogram, Labels, Sum

COMMIT_BUCKETS_S = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
"""From a fast disk's sync to a disk that is dying."""

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
"""Of the text format. Source: Prometheus' documentation, "Exposition formats"."""

REQUESTED_NAMES_MAX = 2000
"""Models, and variants named after them, that have series of their own. Callers may name any
model of a provider: without a bound, one of them could fill the memory and every scrape."""

REQUESTED_NAME_LENGTH_MAX = 128
"""Longer than any name in a configuration."""

OTHER_NAMES = "lsd::other"
"""Stands for all names beyond these bounds."""


@attrs.frozen(kw_only=True)
class StoreReadings:
    """What the store tells when it is asked for its metrics."""

    rows_waiting: int
    rows_dropped: int
    write_errors: int
    bytes_by_environment: Mapping[str, int]


@attrs.frozen(kw_only=True)
class StoreCounts:
    """What the writer of one process has counted; `rows_waiting` goes up and down."""

    rows_waiting: int = 0
    rows_dropped: int = 0
    write_errors: int = 0


@attrs.frozen(kw_only=True)
class MetricsSnapshot:
    """What one process has counted, by the name of the series; JSON can hold it."""

    series: Mapping[str, Any]
    store: StoreCounts


class Metrics:
    """All metrics of a process, on a registry of their own: what libraries count stays out.

    Everything but `text` and `snapshot` is for the event loop alone.
    """

    def __init__(self, overhead_buckets_s: Sequence[float]) -> None:
        """`overhead_buckets_s` ascend; without any the histogram of the overhead is left out."""
        self._overhead_buckets_s = tuple(overhead_buckets_s)
        self._registry = CollectorRegistry()
        self._series: list[Counter | Histogram] = []
        self._names: set[str] = set()
        self._workers = _Workers()
        self._registry.register(self._workers)
        self._store = _StoreCollector()
        self._read_others: Callable[[], Sequence[MetricsSnapshot]] = tuple
        self._requests = self._counter("lsd_requests", "Accepted requests.")
        self._inferences = self._counter("lsd_inferences", "Inferences asked for.")
        self._input_tokens = self._sum("lsd_input_tokens", "Tokens sent to providers.")
        self._output_tokens = self._sum("lsd_output_tokens", "Tokens received from providers.")
        self._cost = self._sum("lsd_cost_dollars", "Cost of provider calls, where it is known.")
        self._reloads = self._counter("lsd_config_reloads", "Reloads, by how they ended.")
        self._rate_limited = self._counter("lsd_rate_limited", "Calls refused by a rate limit.")
        self._overhead = self._histogram(
            "lsd_inference_latency_overhead_seconds",
            "Time of requests beyond their provider calls.",
            overhead_buckets_s,
        )
        commits = "Duration of the store's commits."
        self._commits = self._histogram("lsd_store_commit_seconds", commits, COMMIT_BUCKETS_S).of()
        # The series of every inference, by the names that make their labels.
        self._inference_sums: dict[tuple[str, str | None], tuple[Sum, Sum]] = {}
        self._overheads: dict[tuple[str, str | None], Distribution] = {}

    def count_inference(self, function_name: str, model_name: str | None) -> None:
        """An accepted request of one inference."""
        sums = self._inference_sums.get((function_name, model_name))
        if sums is None:
            sums = self._sums_of(function_name, model_name)
        requests, inferences = sums
        requests.value += 1
        inferences.value += 1

    def count_embeddings(self, model_name: str, inputs: int) -> None:
        """An accepted request for embeddings; each of its inputs counts as an inference."""
        labels: Labels = (("endpoint", "embeddings"), ("model_name", self._bounded(model_name)))
        self._requests.add(1, labels)
        self._inferences.add(inputs, labels)

    def count_batch(self, items: Mapping[tuple[str, str | None], int]) -> None:
        """An accepted batch, of so many items by function and model.

        It is one request, of what its first item asks for.
        """
        for place, ((function_name, model_name), count) in enumerate(items.items()):
            labels: Labels = (("endpoint", "batch_inference"), ("function_name", function_name))
            if model_name is not None:
                labels = (*labels, ("model_name", self._bounded(model_name)))
            self._requests.add(1 if place == 0 else 0, labels)
            self._inferences.add(count, labels)

    def count_feedback(self, metric_name: str) -> None:
        """An accepted feedback request."""
        self._requests.add(1, (("endpoint", "feedback"), ("metric_name", metric_name)))

    def count_reload(self, result: str) -> None:
        """A reload that has ended in "success" or "refused"."""
        self._reloads.add(1, (("result", result),))

    def count_rate_limited(self, resource: str) -> None:
        """A call that a limit of this resource has refused."""
        self._rate_limited.add(1, (("resource", resource),))

    def count_call(
        self, input_tokens: int | None, output_tokens: int | None, cost: Decimal | None
    ) -> None:
        """A call of a provider that is over."""
        if input_tokens:
            self._input_tokens.value += input_tokens
        if output_tokens:
            self._output_tokens.value += output_tokens
        if cost and cost > 0:
            self._cost.value += float(cost)

    def observe_overhead(
        self, function_name: str, variant_name: str | None, seconds: float
    ) -> None:
        """The part of an inference's time that no provider was waited for."""
        overhead = self._overheads.get((function_name, variant_name))
        if overhead is None:
            overhead = self._overhead_of(function_name, variant_name)
        overhead.observe(seconds)

    def observe_commit(self, seconds: float) -> None:
        """One commit of the store."""
        self._commits.observe(seconds)

    def watch_store(self, read: Callable[[], StoreReadings]) -> None:
        """Shows the store's own figures, too; `read` is called for each answer."""
        self._store.read = read
        self._registry.register(self._store)

    def watch_workers(
        self, count: Callable[[], int], read_others: Callable[[], Sequence[MetricsSnapshot]]
    ) -> None:
        """Shows the sums over all processes: `read_others` gives what the others have counted.

        `count` tells how many workers there are. Both are called for each answer.
        """
        self._workers.count = count
        self._read_others = read_others

    def snapshot(self) -> MetricsSnapshot:
        """All that this process has counted; may be taken in any thread."""
        return MetricsSnapshot(
            series={each.name: each.values() for each in self._series},
            store=self._store.counts(),
        )

    def take_in(self, other: MetricsSnapshot) -> None:
        """Adds what another process has counted."""
        for each in self._series:
            each.take_in(other.series.get(each.name, ()))
        self._store.take_in(other.store)

    def text(self) -> bytes:
        """All metrics in Prometheus' text format; may be called in any thread."""
        others = self._read_others()
        return self._summed(others).text() if others else generate_latest(self._registry)

    def _summed(self, others: Sequence[MetricsSnapshot]) -> "Metrics":
        whole = Metrics(self._overhead_buckets_s)
        whole.watch_workers(self._workers.count, tuple)
        if self._store.read is not None:
            readings = self._store.read()
            nothing = StoreReadings(
                rows_waiting=0,
                rows_dropped=0,
                write_errors=0,
                bytes_by_environment=readings.bytes_by_environment,
            )
            whole.watch_store(lambda: nothing)
        for each in (self.snapshot(), *others):
            whole.take_in(each)
        return whole

    def _sums_of(self, function_name: str, model_name: str | None) -> tuple[Sum, Sum]:
        """Of requests and inferences; found again by their names, if those are within bounds."""
        labels: Labels = (("endpoint", "inference"), ("function_name", function_name))
        if model_name is not None:
            model_name = self._bounded(model_name)
            labels = (*labels, ("model_name", model_name))
        sums = self._requests.of(labels), self._inferences.of(labels)
        self._inference_sums[function_name, model_name] = sums
        return sums

    def _overhead_of(self, function_name: str, variant_name: str | None) -> Distribution:
        labels: Labels = (("function_name", function_name),)
        if variant_name is not None:
            variant_name = self._bounded(variant_name)
            labels = (*labels, ("variant_name", variant_name))
        overhead = self._overheads[function_name, variant_name] = self._overhead.of(labels)
        return overhead

    def _sum(self, name: str, documentation: str) -> Sum:
        return self._counter(name, documentation).of()

    def _counter(self, name: str, documentation: str) -> Counter:
        counter = Counter(name, documentation)
        self._series.append(counter)
        self._registry.register(counter)
        return counter

    def _histogram(self, name: str, documentation: str, bounds: Sequence[float]) -> Histogram:
        histogram = Histogram(name, documentation, tuple(bounds))
        if bounds:
            self._series.append(histogram)
            self._registry.register(histogram)
        return histogram

    def _bounded(self, name: str) -> str:
        """A name that came with a request, or what stands for it beyond the bounds."""
        if name not in self._names:
            if len(self._names) == REQUESTED_NAMES_MAX or len(name) > REQUESTED_NAME_LENGTH_MAX:
                return OTHER_NAMES
            self._names.add(name)
        return name


@attrs.define(eq=False)
class _Workers(Collector):
    count: Callable[[], int] = lambda: 1

    def collect(self) -> Iterable[Metric]:
        yield GaugeMetricFamily("lsd_workers", "Worker processes.", self.count())


@attrs.define(eq=False)
class _StoreCollector(Collector):
    """What the store tells, and what other processes have counted of theirs."""

    read: Callable[[], StoreReadings] | None = None
    _taken_in: list[StoreCounts] = attrs.field(factory=list, init=False)

    def counts(self) -> StoreCounts:
        return self._counts_with(None if self.read is None else self.read())

    def _counts_with(self, own: StoreReadings | None) -> StoreCounts:
        counted = [*self._taken_in, *(() if own is None else (own,))]
        return StoreCounts(
            rows_waiting=sum(each.rows_waiting for each in counted),
            rows_dropped=sum(each.rows_dropped for each in counted),
            write_errors=sum(each.write_errors for each in counted),
        )

    def take_in(self, other: StoreCounts) -> None:
        self._taken_in.append(other)

    def collect(self) -> Iterable[Metric]:
        assert self.read is not None, "registered when there is something to read"
        readings = self.read()
        counts = self._counts_with(readings)
        yield GaugeMetricFamily(
            "lsd_write_queue_rows", "Records that wait to be committed.", counts.rows_waiting
        )
        yield CounterMetricFamily(
            "lsd_write_queue_dropped", "Records that were not stored.", counts.rows_dropped
        )
        yield CounterMetricFamily(
            "lsd_store_write_errors", "Writes that failed.", counts.write_errors
        )
        size = GaugeMetricFamily("lsd_store_bytes", "Bytes on disk.", labels=["environment"])
        for environment, count in readings.bytes_by_environment.items():
            size.add_metric([environment], count)
        yield size
