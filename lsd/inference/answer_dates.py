"""The time of an answer, where its server leaves it out."""

from collections.abc import Mapping
from email.utils import formatdate

from lsd.telemetry import Clock


def dated_headers(headers: Mapping[str, str], clock: Clock) -> Mapping[str, str]:
    """`headers` with a `date`, if there is another date in them that may be measured by it.

    Source: RFC 9110, 6.6.1: who has a clock, and gets an answer without `Date`, appends the time.
    """
    if "retry-after" not in headers or "date" in headers:
        return headers
    return {**headers, "date": formatdate(clock.now_ms() / 1000, usegmt=True)}
