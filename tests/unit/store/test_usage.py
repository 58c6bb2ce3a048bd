"""Usage: sums that tell nothing from zero, and histograms of durations."""

import math
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsd.store._usage_row import UsageRow, count_of, usage_of
from lsd.store.usage import (
    Usage,
    bucket_of,
    milliseconds_of,
    quantiles,
    usage_of_one,
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
    for tokens, cost in ((3, None), (None, 0), (None, None)):
        one = usage_of_one(
            (tokens, None, 0, None, cost),
            is_cost_known=cost is not None,
            duration_ms=None,
            first_token_ms=7,
        )
        usage.merge(one)

    assert (usage.count, usage.input_tokens, usage.output_tokens) == (3, 3, None)
    assert (usage.cache_read_tokens, usage.cache_write_tokens) == (0, None)
    assert (usage.cost_nano, usage.count_with_cost) == (0, 1)
    assert (usage.durations.total(), usage.first_tokens.total()) == (0, 3)


USAGES = st.builds(
    usage_of_one,
    st.lists(st.none() | st.integers(0, 10**12), min_size=5, max_size=5),
    is_cost_known=st.booleans(),
    duration_ms=st.none() | st.integers(0, 2000),
    first_token_ms=st.none() | st.integers(0, 2000),
)


@given(commits=st.lists(st.lists(USAGES, max_size=5), max_size=5), gone=st.integers(0, 30))
def test_a_row_holds_what_was_added(commits: list[list[Usage]], gone: int) -> None:
    """In however many commits, and without what was taken away again."""
    packed: bytes | None = None
    wanted = Usage()
    for commit in commits:
        row = UsageRow(packed)
        for usage in commit:
            row.add(usage)
            wanted.merge(usage)
        packed = row.encode()
    everything = [usage for commit in commits for usage in commit]
    row = UsageRow(packed)
    for usage in everything[:gone]:
        row.add(usage.negated())
        wanted.merge(usage.negated())
    packed = row.encode()

    if len(everything) <= gone:
        assert packed is None
    else:
        assert packed is not None
        found = usage_of(packed)
        assert found.sums == wanted.sums
        assert found.durations == +wanted.durations
        assert found.first_tokens == +wanted.first_tokens
        assert count_of(packed) == found.count
        assert math.prod(found.durations.values()) > 0
