"""An answer without a time of its own gets that of its arrival."""

from lsd.inference.answer_dates import dated_headers
from lsd.telemetry import SystemClock

OWN = "Wed, 21 Oct 2015 07:28:00 GMT"


class StoppedClock(SystemClock):
    """A clock that has stopped some time in 2026."""

    def now_ms(self) -> int:
        return 1_770_000_000_999


def test_the_time_is_appended_where_it_matters() -> None:
    """A date to wait for is measured by it, also when the server has told none."""
    assert dated_headers({"retry-after": OWN}, StoppedClock()) == {
        "retry-after": OWN,
        "date": "Mon, 02 Feb 2026 02:40:00 GMT",
    }


def test_a_servers_own_time_counts() -> None:
    """And where nobody waits, nothing is changed."""
    for headers in ({"retry-after": OWN, "date": OWN}, {"content-type": "text/plain"}, {}):
        assert dated_headers(headers, StoppedClock()) is headers
