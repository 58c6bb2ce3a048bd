"""The counters behind `/metrics`, in Prometheus' text format."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal

import attrs
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

COMMIT_BUCKETS_S = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
"""From a fast disk's sync to a disk that is dying."""

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
"""Of the text format. Source: Prometheus' documentation, "Exposition formats"."""

Labels = tuple[tuple[str, str], ...]


@attrs.define(eq=False)
class _LabelledCounter(Collector):
    """A counter whose series may have different label names, as those of `endpoint` do."""

    _name: str
    _help: str
    _series: dict[Labels, float] = attrs.field(factory=dict, init=False)

    def add(self, amount: float, labels: Labels) -> None:
        self._series[labels] = self._series.get(labels, 0.0) + amount

    def collect(self) -> Iterable[Metric]:
        family = CounterMetricFamily(self._name, self._help)
        for labels, value in self._series.items():
            family.add_sample(f"{self._name}_total", dict(labels), value)
        yield family


@attrs.frozen(kw_only=True)
class StoreReadings:
    """What the store tells when it is asked for its metrics."""

    rows_waiting: int
    rows_dropped: int
    write_errors: int
    bytes_by_environment: Mapping[str, int]


@attrs.define(eq=False)
class _StoreCollector(Collector):
    _read: Callable[[], StoreReadings]

    def collect(self) -> Iterable[Metric]:
        readings = self._read()
        yield GaugeMetricFamily(
            "lsd_write_queue_rows", "Records that wait to be committed.", readings.rows_waiting
        )
        yield CounterMetricFamily(
            "lsd_write_queue_dropped", "Records that were not stored.", readings.rows_dropped
        )
        yield CounterMetricFamily(
            "lsd_store_write_errors", "Writes that failed.", readings.write_errors
        )
        size = GaugeMetricFamily("lsd_store_bytes", "Bytes on disk.", labels=["environment"])
        for environment, count in readings.bytes_by_environment.items():
            size.add_metric([environment], count)
        yield size


class Metrics:
    """All metrics of a process, on a registry of their own: what libraries count stays out."""

    def __init__(self, overhead_buckets_s: Sequence[float]) -> None:
        """`overhead_buckets_s` ascend; without any the histogram of the overhead is left out."""
        self._registry = CollectorRegistry()
        self._requests = _LabelledCounter("lsd_requests", "Accepted requests.")
        self._inferences = _LabelledCounter("lsd_inferences", "Inferences asked for.")
        self._registry.register(self._requests)
        self._registry.register(self._inferences)
        self._input_tokens = self._counter("lsd_input_tokens", "Tokens sent to providers.")
        self._output_tokens = self._counter("lsd_output_tokens", "Tokens received from providers.")
        self._cost = self._counter("lsd_cost_dollars", "Cost of provider calls, where it is known.")
        self._overhead = _Overhead(tuple(overhead_buckets_s)) if overhead_buckets_s else None
        if self._overhead is not None:
            self._registry.register(self._overhead)
        self._commits = Histogram(
            "lsd_store_commit_seconds",
            "Duration of the store's commits.",
            registry=self._registry,
            buckets=COMMIT_BUCKETS_S,
        )

    def count_inference(self, function_name: str, model_name: str | None) -> None:
        """An accepted request of one inference."""
        labels: Labels = (("endpoint", "inference"), ("function_name", function_name))
        if model_name is not None:
            labels = (*labels, ("model_name", model_name))
        self._requests.add(1, labels)
        self._inferences.add(1, labels)

    def count_feedback(self, metric_name: str) -> None:
        """An accepted feedback request."""
        self._requests.add(1, (("endpoint", "feedback"), ("metric_name", metric_name)))

    def count_call(
        self, input_tokens: int | None, output_tokens: int | None, cost: Decimal | None
    ) -> None:
        """A call of a provider that is over."""
        self._input_tokens.inc(input_tokens or 0)
        self._output_tokens.inc(output_tokens or 0)
        if cost is not None:
            self._cost.inc(float(cost))

    def observe_overhead(
        self, function_name: str, variant_name: str | None, seconds: float
    ) -> None:
        """The part of an inference's time that no provider was waited for."""
        if self._overhead is not None:
            labels: Labels = (("function_name", function_name),)
            if variant_name is not None:
                labels = (*labels, ("variant_name", variant_name))
            self._overhead.observe(seconds, labels)

    def observe_commit(self, seconds: float) -> None:
        """One commit of the store."""
        self._commits.observe(seconds)

    def watch_store(self, read: Callable[[], StoreReadings]) -> None:
        """Shows the store's own figures, too; `read` is called for each answer."""
        self._registry.register(_StoreCollector(read))

    def text(self) -> bytes:
        """All metrics in Prometheus' text format."""
        return generate_latest(self._registry)

    def _counter(self, name: str, documentation: str) -> Counter:
        return Counter(name, documentation, registry=self._registry)


@attrs.define(eq=False)
class _Overhead(Collector):
    """A histogram whose series may lack the label `variant_name`."""

    _bounds: tuple[float, ...]
    _series: dict[Labels, list[float]] = attrs.field(factory=dict, init=False)

    def observe(self, seconds: float, labels: Labels) -> None:
        row = self._series.get(labels)
        if row is None:
            row = self._series[labels] = [0.0] * (len(self._bounds) + 2)
        for place, bound in enumerate(self._bounds):
            if seconds <= bound:
                row[place] += 1
        row[-2] += 1
        row[-1] += seconds

    def collect(self) -> Iterable[Metric]:
        name = "lsd_inference_latency_overhead_seconds"
        family = Metric(name, "Time of requests beyond their provider calls.", "histogram")
        for labels, row in self._series.items():
            shown = dict(labels)
            for bound, count in zip((*map(str, self._bounds), "+Inf"), row, strict=False):
                family.add_sample(f"{name}_bucket", {**shown, "le": bound}, count)
            family.add_sample(f"{name}_count", shown, row[-2])
            family.add_sample(f"{name}_sum", shown, row[-1])
        yield family
