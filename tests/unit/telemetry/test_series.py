"""Counters and histograms, read from the text that a scrape gets."""

from collections.abc import Iterator

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

from lsd.telemetry._series import Counter, Histogram, Labels

A: Labels = (("endpoint", "inference"),)
B: Labels = (("endpoint", "feedback"), ("metric_name", "solved"))


def samples(collector: Collector) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """What a scrape reads: name and labels of each sample, with its value."""
    registry = CollectorRegistry()
    registry.register(collector)
    text = generate_latest(registry).decode()
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_each_set_of_labels_is_counted_by_itself() -> None:
    """Series of one counter may even have different labels."""
    counter = Counter("lsd_requests", "Accepted requests.")

    counter.add(1, A)
    counter.add(2, B)
    counter.add(1, A)

    assert samples(counter) == {
        ("lsd_requests_total", frozenset(A)): 2.0,
        ("lsd_requests_total", frozenset(B)): 2.0,
    }


def test_a_counter_never_goes_down() -> None:
    """A provider that reports less than nothing changes nothing."""
    counter = Counter("lsd_input_tokens", "Tokens.")

    counter.add(5)
    counter.add(-3)
    counter.add(0)

    assert samples(counter) == {("lsd_input_tokens_total", frozenset()): 5.0}


def test_a_series_can_be_shown_before_anything_is_counted() -> None:
    """What begins at 0 can be subtracted from what comes later; showing it again undoes nothing."""
    counter, histogram = Counter("tokens", "Tokens."), Histogram("seconds", "Seconds.", (1.0,))

    counter.of()
    histogram.of()
    shown = samples(counter)
    counter.add(4)
    counter.of()

    assert shown == {("tokens_total", frozenset()): 0.0}
    assert samples(counter) == {("tokens_total", frozenset()): 4.0}
    assert samples(histogram)["seconds_count", frozenset()] == 0.0


@pytest.mark.parametrize("kind", ["counter", "histogram"])
def test_requests_go_on_while_a_scrape_is_written(kind: str) -> None:
    """A series that comes up meanwhile, in another thread, waits for the next scrape."""
    counter, histogram = Counter("tokens", "Tokens."), Histogram("seconds", "Seconds.", (1.0,))
    collector = counter if kind == "counter" else histogram

    class MeanwhileMore(tuple[tuple[str, str], ...]):
        """Labels that bring up another series when they are read."""

        __slots__ = ()

        def __iter__(self) -> Iterator[tuple[str, str]]:
            collector.of(A)
            return super().__iter__()

    collector.of(MeanwhileMore(B))

    first, second = samples(collector), samples(collector)

    assert {labels & frozenset(A) for _, labels in first} == {frozenset()}
    assert {labels & frozenset(A) for _, labels in second} == {frozenset(), frozenset(A)}


@given(st.text(), st.text())
def test_any_label_value_can_be_scraped(first: str, second: str) -> None:
    """Quotes, backslashes and line ends in a name do not break the text."""
    counter = Counter("lsd_requests", "Accepted requests.")
    labels = (("function_name", first), ("model_name", second))

    counter.add(1, labels)

    assert list(samples(counter)) == [("lsd_requests_total", frozenset(labels))]


def test_a_value_counts_for_each_bound_that_it_does_not_exceed() -> None:
    """A bound is part of what lies below it, and the last bucket holds everything."""
    histogram = Histogram("seconds", "Seconds.", (0.001, 0.01))

    for seconds in (0.0005, 0.001, 0.005, 7.0):
        histogram.observe(seconds)

    found = samples(histogram)
    buckets = {dict(labels)["le"]: value for (name, labels), value in found.items() if labels}
    assert buckets == {"0.001": 2.0, "0.01": 3.0, "+Inf": 4.0}
    assert found["seconds_count", frozenset()] == 4.0
    assert found["seconds_sum", frozenset()] == pytest.approx(7.0065)


@given(
    st.lists(st.floats(0, 10), min_size=1, max_size=5, unique=True).map(sorted),
    st.lists(st.floats(0, 20)),
)
def test_buckets_tell_how_many_were_at_most_so_great(
    bounds: list[float], values: list[float]
) -> None:
    """Each bucket is the count that one gets by looking at all values again."""
    histogram = Histogram("seconds", "Seconds.", tuple(bounds))
    histogram.of(A)

    for value in values:
        histogram.observe(value, A)

    buckets = {
        dict(labels)["le"]: count
        for (name, labels), count in samples(histogram).items()
        if name == "seconds_bucket"
    }
    assert len(buckets) == len(bounds) + 1
    for bound, count in buckets.items():
        assert count == sum(value <= float(bound) for value in values)


def test_counts_of_another_process_are_added() -> None:
    """By their labels; they may have been JSON on the way."""
    counter, other = Counter("lsd_requests", "Requests."), Counter("lsd_requests", "Requests.")
    counter.add(1, A)
    other.add(2, A)
    other.add(3, B)

    counter.take_in(orjson.loads(orjson.dumps(other.values())))

    assert samples(counter) == {
        ("lsd_requests_total", frozenset(A)): 3.0,
        ("lsd_requests_total", frozenset(B)): 3.0,
    }


def test_what_another_process_has_seen_is_added() -> None:
    """Bucket by bucket, and the sums."""
    whole, parts = (
        Histogram("h", "H.", (1.0, 2.0)),
        [Histogram("h", "H.", (1.0, 2.0)) for _ in "ab"],
    )
    direct = Histogram("h", "H.", (1.0, 2.0))
    for part, values in zip(parts, ([0.5, 1.5], [1.5, 7.0]), strict=True):
        for value in values:
            part.observe(value, A)
            direct.observe(value, A)

    for part in parts:
        whole.take_in(orjson.loads(orjson.dumps(part.values())))

    assert samples(whole) == samples(direct)
