"""What feedback says of a function's variants: counts, means with their confidence, over time."""

import math
from collections.abc import Callable
from typing import Any, Final, get_args

import attrs

from lsd.api.exchange import Answer, Endpoint, Request, Start
from lsd.api.parameters import choice_in, integer_in, number_in, text_in, texts_in
from lsd.api.reading import Reading
from lsd.config import Metric
from lsd.conversation import encode_json
from lsd.feedback import known_metric
from lsd.store import FeedbackCount, MetricCount, Moments, TimeWindow, VariantMoments, Window
from lsd.telemetry import rfc3339_ms

MAX_PERIODS: Final = 10
"""Periods before the current one when the caller names no number."""

DEMONSTRATION: Final = "demonstration"

_WINDOWS: Final[tuple[Window, ...]] = get_args(Window)
TIME_WINDOWS: Final[tuple[TimeWindow, ...]] = get_args(TimeWindow)

_STANDARD_ERRORS: Final = 1.96
"""To either side of a mean: they hold 95 % of a normal distribution."""

_ALPHA: Final = 0.05
"""The chance that a confidence sequence is wrong anywhere in it."""

_RHO: Final = math.sqrt(-2 * math.log(_ALPHA) + math.log(-2 * math.log(_ALPHA)) + 1) / 10
"""Makes the sequence tightest at a hundred values. Source: Waudby-Smith and others, "Time-uniform
central limit theory and asymptotic confidence sequences", 2021."""


@attrs.frozen
class MetricStatistics:
    """Serves what the store has summed up of feedback."""

    _reading: Reading

    def endpoints(self) -> tuple[Endpoint, ...]:
        """The routes of this module."""
        function = "/internal/functions/{function_name}"
        routes = {
            f"{function}/metrics": self.metrics,
            f"{function}/feedback_by_variant": self.by_variant,
            f"{function}/variant_performances": self.performances,
            f"{function}/inference_count/{{metric_name}}": self.count_good,
            "/internal/feedback/timeseries": self.time_series,
        }
        return tuple(
            Endpoint(method="GET", path=path, handle=handle) for path, handle in routes.items()
        )

    async def metrics(self, request: Request, _start: Start) -> Answer:
        """`GET …/metrics`: how many entries count for the function, or one of its variants."""
        function_name = text_in(request, "function_name")
        variant_name = request.query.get("variant_name")

        def read() -> list[MetricCount]:
            self._reading.names.require_function(function_name)
            return self._reading.store.feedback_statistics.metric_counts(function_name)

        entries: dict[str, int] = {}
        for each in await self._reading.read(read):
            if variant_name in (None, each.variant_name):
                entries[each.metric_name] = entries.get(each.metric_name, 0) + each.entries
        shown = [self._metric(function_name, *each) for each in sorted(entries.items())]
        return Answer(body=encode_json({"metrics": shown}))

    async def by_variant(self, request: Request, _start: Start) -> Answer:
        """`GET …/feedback_by_variant`: the latest value of each target."""
        function_name = text_in(request, "function_name")
        metric_name = text_in(request, "metric_name")
        variant_names = texts_in(request, "variant_names")
        cap = integer_in(request, "max_samples_per_variant", default=-1)

        def read() -> list[VariantMoments]:
            self._require(function_name, metric_name)
            return self._reading.store.feedback_statistics.by_variant(
                function_name,
                metric_name,
                namespace=request.query.get("namespace"),
                max_samples=None if cap < 0 else cap,
            )

        found = sorted(await self._reading.read(read), key=lambda each: each.variant_name)
        shown = [
            {"variant_name": each.variant_name, **_figures(each.moments)}
            for each in found
            if each.moments.count and (variant_names is None or each.variant_name in variant_names)
        ]
        return Answer(body=encode_json({"data": shown}))

    async def performances(self, request: Request, _start: Start) -> Answer:
        """`GET …/variant_performances`: the same by the time of the inferences."""
        function_name = text_in(request, "function_name")
        metric_name = text_in(request, "metric_name")
        window = choice_in(request, "time_window", TIME_WINDOWS)
        variant_name = request.query.get("variant_name")

        def read() -> list[VariantMoments]:
            self._require(function_name, metric_name)
            if variant_name is not None:
                self._reading.names.require_variant(function_name, variant_name)
            return self._reading.store.feedback_statistics.performances(
                function_name, metric_name, window, variant_name
            )

        shown = [_performance(each) for each in sorted(await self._reading.read(read), key=_place)]
        return Answer(body=encode_json({"performances": shown}))

    async def time_series(self, request: Request, _start: Start) -> Answer:
        """`GET /internal/feedback/timeseries`: every entry up to the end of each period."""
        function_name = text_in(request, "function_name")
        metric_name = text_in(request, "metric_name")
        window = choice_in(request, "time_window", _WINDOWS)
        max_periods = integer_in(request, "max_periods", default=MAX_PERIODS)
        variant_names = texts_in(request, "variant_names")
        found = await self._reading.read(
            lambda: self._reading.store.feedback_statistics.time_series(
                function_name, metric_name, window, max_periods, variant_names
            )
        )
        shown = [_point(each) for each in sorted(found, key=_place)]
        return Answer(body=encode_json({"timeseries": shown}))

    async def count_good(self, request: Request, _start: Start) -> Answer:
        """`GET …/inference_count/{metric}`: inferences with a value, and those with a good one."""
        function_name = text_in(request, "function_name")
        metric_name = text_in(request, "metric_name")
        threshold = number_in(request, "threshold", default=0.0)
        statistics = self._reading.store.feedback_statistics

        def read() -> FeedbackCount:
            self._reading.names.require_function(function_name)
            if metric_name == DEMONSTRATION:
                count = statistics.count_demonstrated(function_name)
                return FeedbackCount(inferences=count, good=count)
            metric = self._reading.names.require_metric(metric_name)
            return statistics.count_good(function_name, metric_name, _goodness(metric, threshold))

        count = await self._reading.read(read)
        shown = {"feedback_count": count.inferences, "inference_count": count.good}
        return Answer(body=encode_json(shown))

    def _require(self, function_name: str, metric_name: str) -> None:
        self._reading.names.require_function(function_name)
        self._reading.names.require_metric(metric_name)

    def _metric(self, function_name: str, metric_name: str, entries: int) -> dict[str, Any]:
        shown: dict[str, Any] = {"function_name": function_name, "metric_name": metric_name}
        metric = known_metric(self._reading.config, metric_name)
        if metric_name == DEMONSTRATION:
            shown["metric_type"] = DEMONSTRATION
        elif metric is not None:
            shown["metric_type"] = metric.type
        return shown | {"feedback_count": entries}


def _goodness(metric: Metric, threshold: float) -> Callable[[bool | float], bool]:
    """Whether a value is a good one."""
    wants_more = metric.optimize == "max"
    if metric.type == "boolean":
        return lambda value: bool(value) is wants_more
    return lambda value: value > threshold if wants_more else value < threshold


def _place(found: VariantMoments) -> tuple[int, str]:
    return found.time_ms, found.variant_name


def _figures(moments: Moments) -> dict[str, Any]:
    return {"mean": moments.mean, "variance": moments.variance, "count": moments.count}


def _performance(found: VariantMoments) -> dict[str, Any]:
    moments = found.moments
    shown: dict[str, Any] = {
        "period_start": rfc3339_ms(found.time_ms),
        "variant_name": found.variant_name,
        "count": moments.count,
        "avg_metric": moments.mean,
    }
    if moments.variance is None or math.isinf(moments.variance):  # of values near ±1e308
        return shown
    stdev = math.sqrt(moments.variance)
    ci_error = _STANDARD_ERRORS * stdev / math.sqrt(moments.count)
    return shown | {"stdev": stdev, "ci_error": ci_error}


def _point(found: VariantMoments) -> dict[str, Any]:
    margin = confidence_margin(found.moments)
    mean = found.moments.mean
    return {
        "period_end": rfc3339_ms(found.time_ms),
        "variant_name": found.variant_name,
        **_figures(found.moments),
        "alpha": _ALPHA,
        "cs_lower": None if margin is None else mean - margin,
        "cs_upper": None if margin is None else mean + margin,
    }


def confidence_margin(moments: Moments) -> float | None:
    """How far the true mean may be away at any time; None for one value.

    Source: as of `_RHO`, theorem 2.2.
    """
    if moments.variance is None:
        return None
    spread = moments.count * moments.variance * _RHO**2 + 1
    scale = spread / (moments.count**2 * _RHO**2)
    return math.sqrt(scale * math.log(spread / _ALPHA**2))
