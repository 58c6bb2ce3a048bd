"""Periods of statistics: minutes, hours, days, weeks that begin on Monday, calendar months; in UTC.

Times are milliseconds since 1970.
"""

from datetime import UTC, datetime, timedelta
from typing import Final, Literal

Window = Literal["minute", "hour", "day", "week", "month"]
"""The lengths of periods."""

TimeWindow = Literal["minute", "hour", "day", "week", "month", "cumulative"]
"""The same, and one period of everything, which begins in 1970."""

_MS: Final = {"minute": 60_000, "hour": 3_600_000, "day": 86_400_000, "week": 604_800_000}
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST_MONDAY_MS: Final = 4 * _MS["day"]
"""The first day of 1970 was a Thursday."""


def period_start(window: TimeWindow, time_ms: int) -> int:
    """When the period that holds a time began."""
    match window:
        case "cumulative":
            return 0
        case "month":
            return _month_start(_months(time_ms))
        case "week":
            return time_ms - (time_ms - _FIRST_MONDAY_MS) % _MS["week"]
        case _:
            return time_ms - time_ms % _MS[window]


def periods_later(window: Window, start_ms: int, count: int) -> int:
    """The start of the period that comes so many periods later; earlier for a negative count.

    Nothing is earlier than 1970, and nothing later than the years that have four digits.
    """
    if window == "month":
        return _month_start(_months(start_ms) + count)
    return max(0, start_ms + count * _MS[window])


def _months(time_ms: int) -> int:
    """Whole months since 1970."""
    time = _EPOCH + timedelta(milliseconds=time_ms)
    return 12 * (time.year - 1970) + time.month - 1


def _month_start(months: int) -> int:
    years, month = divmod(min(max(months, 0), 12 * 8030 - 1), 12)
    start = datetime(1970 + years, month + 1, 1, tzinfo=UTC)
    return (start - _EPOCH) // timedelta(milliseconds=1)
