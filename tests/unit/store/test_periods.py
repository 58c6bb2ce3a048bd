"""Periods of statistics in UTC."""

from datetime import UTC, datetime
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsd.store.periods import TimeWindow, Window, period_start, periods_later


def ms(text: str) -> int:
    """The milliseconds of a UTC time."""
    return int(datetime.fromisoformat(f"{text}+00:00").timestamp()) * 1000


@pytest.mark.parametrize(
    ("window", "start"),
    [
        ("minute", "2026-02-04T10:15:00"),
        ("hour", "2026-02-04T10:00:00"),
        ("day", "2026-02-04T00:00:00"),
        ("week", "2026-02-02T00:00:00"),
        ("month", "2026-02-01T00:00:00"),
        ("cumulative", "1970-01-01T00:00:00"),
    ],
)
def test_periods_begin_at_boundaries(window: TimeWindow, start: str) -> None:
    """Weeks on Monday; everything in 1970."""
    assert period_start(window, ms("2026-02-04T10:15:59") + 999) == ms(start)
    assert period_start(window, ms(start)) == ms(start)


@pytest.mark.parametrize(
    ("window", "count", "start"),
    [
        ("day", -2, "2026-01-30T00:00:00"),
        ("week", 1, "2026-02-08T00:00:00"),
        ("month", 1, "2026-03-01T00:00:00"),
        ("month", -2, "2025-12-01T00:00:00"),
        ("month", -(10**18), "1970-01-01T00:00:00"),
        ("minute", -(10**18), "1970-01-01T00:00:00"),
    ],
)
def test_periods_are_counted_on(window: Window, count: int, start: str) -> None:
    """Months by the calendar; nothing is before 1970."""
    assert periods_later(window, ms("2026-02-01T00:00:00"), count) == ms(start)


@given(st.integers(0, 4_000_000_000_000), st.sampled_from(get_args(Window)))
def test_a_time_lies_in_its_period(time_ms: int, window: Window) -> None:
    """From its start up to the start of the next."""
    start = period_start(window, time_ms)

    assert start <= time_ms < periods_later(window, start, 1)
    if window == "month":
        assert datetime.fromtimestamp(start / 1000, UTC).day == 1
    if window == "week" and start > 0:
        assert datetime.fromtimestamp(start / 1000, UTC).weekday() == 0
