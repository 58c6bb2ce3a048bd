"""Time is written as RFC 3339 wants it, in UTC, always with the same number of digits."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsd.telemetry import SystemClock, parse_rfc3339_ns, rfc3339_ms, rfc3339_us

YEAR_9999_MS = 253_402_300_799_999
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("milliseconds", "written"),
    [
        (0, "1970-01-01T00:00:00.000Z"),
        (1, "1970-01-01T00:00:00.001Z"),
        (1_770_113_700_123, "2026-02-03T10:15:00.123Z"),
        (1_770_113_700_000, "2026-02-03T10:15:00.000Z"),
        (YEAR_9999_MS, "9999-12-31T23:59:59.999Z"),
    ],
)
def test_records_show_whole_milliseconds(milliseconds: int, written: str) -> None:
    """A time of a record has three digits behind the second, zeros included."""
    assert rfc3339_ms(milliseconds) == written


@pytest.mark.parametrize(
    ("microseconds", "written"),
    [
        (1_770_113_700_123_456, "2026-02-03T10:15:00.123456Z"),
        (1_770_113_700_000_000, "2026-02-03T10:15:00.000000Z"),
        (1_770_113_700_000_007, "2026-02-03T10:15:00.000007Z"),
    ],
)
def test_the_log_shows_whole_microseconds(microseconds: int, written: str) -> None:
    """A time of the log has six digits behind the second, zeros included."""
    assert rfc3339_us(microseconds) == written


@given(st.integers(0, YEAR_9999_MS))
def test_what_is_written_can_be_read_without_loss(milliseconds: int) -> None:
    """No time is rounded on its way into an answer."""
    read = datetime.fromisoformat(rfc3339_ms(milliseconds))

    assert (read - EPOCH) // timedelta(milliseconds=1) == milliseconds


def test_the_machine_tells_the_time_in_three_units() -> None:
    """Milliseconds and nanoseconds count from 1970, and the monotonic clock never steps back."""
    clock = SystemClock()

    before_ns, ms, after_ns = clock.now_ns(), clock.now_ms(), clock.now_ns()
    first, second = clock.monotonic(), clock.monotonic()

    assert before_ns // 1_000_000 <= ms <= after_ns // 1_000_000
    assert first <= second


@given(st.integers(0, YEAR_9999_MS))
def test_a_time_that_was_written_is_read_back(milliseconds: int) -> None:
    """To the nanosecond."""
    assert parse_rfc3339_ns(rfc3339_ms(milliseconds)) == milliseconds * 1_000_000


@pytest.mark.parametrize(
    ("text", "nanoseconds"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01 00:00:01.5z", 1_500_000_000),
        ("1970-01-01t02:00:00+02:00", 0),
        ("1969-12-31T23:30:00-00:30", 0),
        ("1970-01-01T00:00:00.1234567891Z", 123_456_789),
        ("1969-12-31T23:59:59.999Z", -1_000_000),
    ],
)
def test_times_may_have_offsets_and_any_precision(text: str, nanoseconds: int) -> None:
    """The letters may be small, and a space may stand for the `T`."""
    assert parse_rfc3339_ns(text) == nanoseconds


@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        "2026-02-03",
        "2026-02-03T10:15:00",
        "2026-02-30T10:15:00Z",
        "2026-02-03T24:00:00Z",
        "2026-02-03T10:15:00+24:00",
        "2026-02-03T10:15:00.Z",
        "2026-02-03T10:15:00Z\n",
        "٢٠٢٦-02-03T10:15:00Z",
    ],
)
def test_what_is_no_time_is_refused(text: str) -> None:
    """Nothing is guessed: no missing offset, no day that there is not."""
    with pytest.raises(ValueError, match=r".*"):
        parse_rfc3339_ns(text)
