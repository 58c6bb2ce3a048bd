"""Statistics in the plainest form: by going through all records, in lists of numbers."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

from lsd.conversation import id_time_ms
from lsd.store import FeedbackRecord, InferenceRecord, ModelInferenceRecord
from lsd.store.periods import period_start, periods_later
from lsd.store.usage import bucket_of
from tests.unit.store.plain import Plain

Values = dict[Any, list[Any]]


def members(plain: Plain, episode_id: str, function: str) -> list[InferenceRecord]:
    """The inferences of a function in an episode."""
    return [
        each
        for each in plain.inferences.values()
        if (each.episode_id, each.function_name) == (episode_id, function)
    ]


def served_by(plain: Plain, entry: FeedbackRecord, function: str) -> list[InferenceRecord]:
    """The inferences of a function that an entry is about."""
    if entry.target_type == "episode":
        return members(plain, entry.target_id, function)
    record = plain.inferences.get(entry.target_id)
    return [record] if record is not None and record.function_name == function else []


def entries(plain: Plain, metric: str) -> list[FeedbackRecord]:
    """All entries of a metric, oldest first."""
    found = [each for some in plain.feedback.values() for each in some]
    return sorted((e for e in found if e.metric_name == metric), key=lambda each: each.id)


def counting(plain: Plain, function: str, metric: str) -> Iterator[tuple[str, FeedbackRecord]]:
    """Entries with the variant for which they count, oldest first."""
    for entry in entries(plain, metric):
        variants = {each.variant_name for each in served_by(plain, entry, function)}
        if len(variants) == 1:
            yield variants.pop(), entry


def latest(found: list[FeedbackRecord]) -> list[FeedbackRecord]:
    """The latest entry of each target."""
    return list({entry.target_id: entry for entry in found}.values())


def metric_counts(plain: Plain, function: str) -> dict[tuple[str, str], int]:
    """Entries by metric and variant."""
    counts: dict[tuple[str, str], int] = defaultdict(int)
    names = {each.metric_name for some in plain.feedback.values() for each in some}
    for name in names - {"comment"}:
        for variant, _ in counting(plain, function, name):
            counts[name, variant] += 1
    return counts


def by_variant(
    plain: Plain,
    function: str,
    metric: str,
    namespace: str | None = None,
    max_samples: int | None = None,
) -> Values:
    """The latest value of each target, by variant."""
    by_name: dict[str, list[FeedbackRecord]] = defaultdict(list)
    for variant, entry in counting(plain, function, metric):
        served = served_by(plain, entry, function)
        if namespace is None or any(e.tags.get("lsd::namespace") == namespace for e in served):
            by_name[variant].append(entry)
    newest = {
        name: sorted(latest(found), key=lambda each: each.id) for name, found in by_name.items()
    }
    return {
        name: [each.value for each in found[-(max_samples or len(found)) :]]
        for name, found in newest.items()
    }


def performances(plain: Plain, function: str, metric: str, window: Any) -> Values:
    """The latest value of each target, by the period of its inferences and variant."""
    values: Values = defaultdict(list)
    for entry in latest(entries(plain, metric)):
        places = {
            (period_start(window, id_time_ms(each.inference_id)), each.variant_name)
            for each in served_by(plain, entry, function)
        }
        for place in places:
            values[place].append(entry.value)
    return values


def time_series(
    plain: Plain,
    function: str,
    metric: str,
    window: Any,
    max_periods: int,
    variants: list[str] | None = None,
) -> Values:
    """All values until the end of a period, by end and variant."""
    found = [
        (name, periods_later(window, period_start(window, id_time_ms(entry.id)), 1), entry.value)
        for name, entry in counting(plain, function, metric)
        if variants is None or name in variants
    ]
    if not found:
        return {}
    first = periods_later(window, max(end for _, end, _ in found), -max_periods)
    series: Values = {}
    for name in {name for name, _, _ in found}:
        own = [(end, value) for of, end, value in found if of == name]
        ends = {end for end, _ in own if end >= first} or {first}
        for end in ends:
            series[end, name] = [value for at, value in own if at <= end]
    return series


def good(
    plain: Plain, function: str, metric: str, is_good: Callable[[Any], bool]
) -> tuple[int, int]:
    """How many inferences have a latest value, and of how many it is good."""
    found = [
        (len(served_by(plain, entry, function)), is_good(entry.value))
        for entry in latest(entries(plain, metric))
    ]
    return sum(n for n, _ in found), sum(n for n, is_so in found if is_so)


def calls_of(plain: Plain, inference_id: str) -> list[ModelInferenceRecord]:
    """The calls that count for an inference."""
    return [call for call in plain.calls.get(inference_id, []) if call.status != "error"]


def variant_usage(
    plain: Plain, function: str, place: Callable[[int], Any]
) -> dict[Any, dict[str, Any]]:
    """Usage by variant and what `place` makes of the inference's time; None leaves it out."""
    found: dict[Any, dict[str, Any]] = defaultdict(empty)
    for record in plain.inferences.values():
        at = place(id_time_ms(record.inference_id))
        if record.function_name != function or at is None:
            continue
        usage, calls = found[record.variant_name, at], calls_of(plain, record.inference_id)
        usage["count"] += 1
        for call in calls:
            add_call(usage, call)
        usage["count_with_cost"] += bool(calls) and all(e.cost is not None for e in calls)
        if not calls or not all(call.cached for call in calls):
            add_time(usage, "durations", record.processing_time_ms)
            add_time(usage, "first_tokens", record.ttft_ms)
    return found


def model_usage(plain: Plain, place: Callable[[int], Any]) -> dict[Any, dict[str, Any]]:
    """Usage by model, provider and what `place` makes of the call's time."""
    found: dict[Any, dict[str, Any]] = defaultdict(empty)
    for calls in plain.calls.values():
        for call in calls:
            at = place(id_time_ms(call.id))
            if call.status == "error" or at is None:
                continue
            usage = found[call.model_name, call.model_provider_name, at]
            usage["count"] += 1
            usage["count_with_cost"] += call.cost is not None
            add_call(usage, call)
            if not call.cached:
                add_time(usage, "durations", call.response_time_ms)
                add_time(usage, "first_tokens", call.ttft_ms)
    return found


def empty() -> dict[str, Any]:
    """No usage."""
    names = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens")
    times = {"durations": defaultdict(int), "first_tokens": defaultdict(int)}
    return {"count": 0, "count_with_cost": 0, "cost_nano": None, **dict.fromkeys(names), **times}


def add_call(usage: dict[str, Any], call: ModelInferenceRecord) -> None:
    """Adds what a call reported."""
    nano = None if call.cost is None else int(call.cost * Decimal(10) ** 9)
    for name, value in (
        ("input_tokens", call.input_tokens),
        ("output_tokens", call.output_tokens),
        ("cache_read_tokens", call.provider_cache_read_input_tokens),
        ("cache_write_tokens", call.provider_cache_write_input_tokens),
        ("cost_nano", nano),
    ):
        if value is not None:
            usage[name] = (usage[name] or 0) + value


def add_time(usage: dict[str, Any], name: str, milliseconds: int | None) -> None:
    """Counts a duration in its bucket."""
    if milliseconds is not None:
        usage[name][bucket_of(milliseconds)] += 1


def shown(usage: Any) -> dict[str, Any]:
    """A usage of the store in the form of the plain ones."""
    return {name: getattr(usage, name) for name in empty()} | {
        name: {bucket: n for bucket, n in getattr(usage, name).items() if n}
        for name in ("durations", "first_tokens")
    }
