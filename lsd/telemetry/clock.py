"""Time, handed in rather than fetched, and the way in which it is written."""

import re
import time
from datetime import UTC, datetime, timedelta
from typing import Protocol

_RFC3339 = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:\.(\d{1,30}))?(?:[Zz]|([+-])(\d\d):(\d\d))",
    re.ASCII,
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Clock(Protocol):
    """Tells the time; tests hand in one that they move themselves."""

    def now_ms(self) -> int:
        """Milliseconds since 1970, UTC."""

    def now_ns(self) -> int:
        """Nanoseconds since 1970, UTC."""

    def monotonic(self) -> float:
        """Seconds of a clock that never steps back; only differences mean something."""


class SystemClock:
    """The machine's own clock."""

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000

    # As they are, and not wrapped: each request asks some ten times.
    now_ns = staticmethod(time.time_ns)
    monotonic = staticmethod(time.perf_counter)


def rfc3339_ms(milliseconds: int) -> str:
    """`2026-02-03T10:15:00.123Z`."""
    seconds, rest = divmod(milliseconds, 1000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest:03d}Z"


def rfc3339_us(microseconds: int) -> str:
    """`2026-02-03T10:15:00.123456Z`."""
    seconds, rest = divmod(microseconds, 1_000_000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest:06d}Z"


def parse_rfc3339_ns(text: str) -> int:
    """The nanoseconds since 1970 of a time with its offset; finer digits are cut off.

    Raises ValueError. A space may stand in place of the `T`. Source: RFC 3339, section 5.6.
    """
    parts = _RFC3339.fullmatch(text)
    if parts is None:
        raise ValueError(text)
    date, clock, fraction, sign, hours, minutes = parts.groups()
    whole = (datetime.fromisoformat(f"{date}T{clock}+00:00") - _EPOCH) // timedelta(seconds=1)
    if sign is not None:
        if int(hours) > 23 or int(minutes) > 59:
            raise ValueError(text)
        offset = 60 * (60 * int(hours) + int(minutes))
        whole += offset if sign == "-" else -offset
    return whole * 1_000_000_000 + int((fraction or "").ljust(9, "0")[:9])
