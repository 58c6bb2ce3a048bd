"""Whether a store's statistics are what going through all records gives."""

from collections.abc import Mapping
from typing import Any, get_args

from lsd.store import Moments, Store, TimeWindow, Window
from lsd.store.periods import period_start, periods_later
from tests.unit.store import plain_statistics as plainly
from tests.unit.store.plain import Plain

HOUR_MS = 3_600_000


def moments(values: Mapping[Any, list[Any]]) -> dict[Any, tuple[int, float, float | None]]:
    """Count, mean and variance of lists of values."""
    exact = {place: Moments().merged(summed(some)) for place, some in values.items() if some}
    return {place: figures(each) for place, each in exact.items()}


def summed(values: list[Any]) -> Moments:
    """The moments of a list."""
    found = Moments()
    for value in values:
        found = found.plus(float(value))
    return found


def figures(found: Moments) -> tuple[int, float, float | None]:
    """What is shown of moments."""
    return found.count, found.mean, found.variance


def check_feedback(store: Store, plain: Plain, function: str, metric: str) -> None:
    """Everything that is said of a metric of a function."""
    found = store.feedback_statistics
    counts = {
        (each.metric_name, each.variant_name): each.entries
        for each in found.metric_counts(function)
    }
    assert counts == plainly.metric_counts(plain, function)
    for namespace in (None, "blue"):
        for max_samples in (None, 1, 2):
            rows = found.by_variant(function, metric, namespace=namespace, max_samples=max_samples)
            assert {each.variant_name: figures(each.moments) for each in rows} == moments(
                plainly.by_variant(plain, function, metric, namespace, max_samples)
            )
    for window in get_args(TimeWindow):
        rows = found.performances(function, metric, window)
        assert {(e.time_ms, e.variant_name): figures(e.moments) for e in rows} == moments(
            plainly.performances(plain, function, metric, window)
        )
    for window in get_args(Window):
        for max_periods, names in ((0, None), (2, None), (1, ["terse"])):
            rows = found.time_series(function, metric, window, max_periods, names)
            assert {(e.time_ms, e.variant_name): figures(e.moments) for e in rows} == moments(
                plainly.time_series(plain, function, metric, window, max_periods, names)
            )
    good = found.count_good(function, metric, lambda value: value > 0)
    assert (good.inferences, good.good) == plainly.good(
        plain, function, metric, lambda value: value > 0
    )


def check_usage(store: Store, plain: Plain, function: str, now_ms: int) -> None:
    """Everything that is summed up of a function's variants, and of all models."""
    for window in get_args(TimeWindow):
        for max_periods in (0, 2):
            variants = store.usage.variant_periods(function, window, max_periods)
            found = {(e.variant_name, e.period_start_ms): plainly.shown(e.usage) for e in variants}
            usage = plainly.variant_usage(plain, function, lambda ms, w=window: period_start(w, ms))
            assert found == newest(usage, window, max_periods)
            models = store.usage.model_periods(window, max_periods)
            by_model = {
                (e.model_name, e.provider_name, e.period_start_ms): plainly.shown(e.usage)
                for e in models
            }
            usage = plainly.model_usage(plain, lambda ms, w=window: period_start(w, ms))
            assert by_model == newest(usage, window, max_periods)
    for after_ms, before_ms in (
        (None, None),
        (now_ms - 90 * 60_000, None),
        (None, now_ms - 90_000),
        (now_ms - 3 * HOUR_MS - 1, now_ms - 61_000),
    ):

        def between(ms: int, low: int | None = after_ms, high: int | None = before_ms) -> Any:
            minute = ms - ms % 60_000
            return 0 if (low is None or minute >= low) and (high is None or minute < high) else None

        rows = store.usage.variants_between(function, after_ms, before_ms)
        found = {(each.variant_name, 0): plainly.shown(each.usage) for each in rows}
        assert found == plainly.variant_usage(plain, function, between)


def newest(usage: dict[Any, Any], window: TimeWindow, max_periods: int) -> dict[Any, Any]:
    """The usage in the last period and so many before."""
    if window == "cumulative" or not usage:
        return usage
    first = periods_later(window, max(key[-1] for key in usage), -max_periods)
    return {key: each for key, each in usage.items() if key[-1] >= first}
