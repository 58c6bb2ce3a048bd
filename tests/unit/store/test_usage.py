"""Usage: sums that tell nothing from zero, and histograms of durations."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsd.store._usage_row import UsageRow, count_of, usage_of
from lsd.store.usage import (
    REPORTED,
    AddedUsage,
    Usage,
    added_usage,
    bucket_of,
    milliseconds_of,
    quantiles,
)


@pytest.mark.parametrize(
    ("milliseconds", "bucket", "shown"),
    [(100, 425, 100.318), (1000, 637, 996.646), (1, 0, 1.00543), (0, -1, 0.0), (-5, -1, 0.0)],
)
def test_a_duration_has_a_bucket(milliseconds: int, bucket: int, shown: float) -> None:
    """Which stands for a duration near to it."""
    assert bucket_of(milliseconds) == bucket
    assert milliseconds_of(bucket) == pytest.approx(shown, abs=0.0005)


@given(st.integers(1, 10**12))
def test_a_bucket_is_wrong_by_half_a_percent_at_most(milliseconds: int) -> None:
    """However long it took."""
    assert abs(milliseconds_of(bucket_of(milliseconds)) / milliseconds - 1) <= 0.0055


def test_quantiles_are_read_from_buckets() -> None:
    """The first bucket at which enough are counted; of nothing there are none."""
    histogram = Counter(map(bucket_of, [10] * 50 + [100] * 49 + [10_000]))

    low, middle, high = quantiles(histogram, (0.001, 0.5, 0.999))

    assert low == milliseconds_of(bucket_of(10))
    assert middle == milliseconds_of(bucket_of(100))
    assert high == milliseconds_of(bucket_of(10_000))
    assert quantiles(Counter(), (0.1, 0.9)) == [None, None]
    assert quantiles(Counter({5: 1}), (0.001, 0.999)) == [milliseconds_of(5)] * 2


def test_nothing_reported_is_not_zero() -> None:
    """A sum without any value is not known."""
    usage = Usage()
    usage.add(
        added_usage(
            [
                (3, None, None, None, None, False, None, 7),
                (None, None, None, None, 0, True, None, 7),
                (None, None, None, None, None, False, None, 7),
            ]
        )
    )
    usage.add(added_usage([(None, None, 0, None, None, False, None, None)]))

    assert (usage.count, usage.input_tokens, usage.output_tokens) == (4, 3, None)
    assert (usage.cache_read_tokens, usage.cache_write_tokens) == (0, None)
    assert (usage.cost_nano, usage.count_with_cost) == (0, 1)
    assert (usage.durations.total(), usage.first_tokens.total()) == (0, 3)


REPORTED_FIGURE = st.none() | st.integers(0, 10**12)
TIME_MS = st.none() | st.integers(0, 2000)
USAGES = st.builds(
    added_usage,
    st.lists(
        st.tuples(*[REPORTED_FIGURE] * len(REPORTED), st.booleans(), TIME_MS, TIME_MS),
        min_size=1,
        max_size=3,
    ),
)


@given(commits=st.lists(st.lists(USAGES, max_size=5), max_size=5), gone=st.integers(0, 30))
def test_a_row_holds_what_was_added(commits: list[list[AddedUsage]], gone: int) -> None:
    """In however many commits, and without what was taken away again."""
    packed: bytes | None = None
    everything = [usage for commit in commits for usage in commit]
    for commit in commits:
        row = UsageRow.read(packed)
        for usage in commit:
            row.add(usage)
        packed = row.encode()
    row = UsageRow.read(packed)
    for usage in everything[:gone]:
        row.take(usage)
    packed = row.encode()

    wanted = Usage()
    for usage in everything[gone:]:
        wanted.add(usage)
    if wanted.count == 0:
        assert packed is None
        return
    assert packed is not None
    found = usage_of(packed)
    assert (found.sums, count_of(packed)) == (wanted.sums, wanted.count)
    assert (found.durations, found.first_tokens) == (wanted.durations, wanted.first_tokens)


@given(st.lists(st.lists(USAGES, max_size=5), max_size=3))
def test_rows_add_up(rows: list[list[AddedUsage]]) -> None:
    """Those of several processes, and the usages that are read from them."""
    whole, row, merged = Usage(), UsageRow.read(None), Usage()
    for usages in rows:
        part = UsageRow.read(None)
        for usage in usages:
            whole.add(usage)
            part.add(usage)
        packed = part.encode()
        if packed is not None:
            row.add_row(packed)
            merged.merge(usage_of(packed))

    packed = row.encode()

    found = Usage() if packed is None else usage_of(packed)
    for each in (found, merged):
        assert (each.sums, each.durations, each.first_tokens) == (
            whole.sums,
            whole.durations,
            whole.first_tokens,
        )
