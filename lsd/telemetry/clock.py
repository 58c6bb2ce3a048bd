"""Time, handed in rather than fetched, and the way in which it is written."""

import time
from datetime import UTC, datetime
from typing import Protocol


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

    def now_ns(self) -> int:
        return time.time_ns()

    def monotonic(self) -> float:
        return time.perf_counter()


def rfc3339_ms(milliseconds: int) -> str:
    """`2026-02-03T10:15:00.123Z`."""
    seconds, rest = divmod(milliseconds, 1000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest:03d}Z"


def rfc3339_us(microseconds: int) -> str:
    """`2026-02-03T10:15:00.123456Z`."""
    seconds, rest = divmod(microseconds, 1_000_000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest:06d}Z"
