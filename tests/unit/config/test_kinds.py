"""What values must be beyond their type."""

from typing import Any

import pytest

from lsd.config.kinds import (
    Ascending,
    Bounds,
    BucketUri,
    Check,
    EchoStatuses,
    HeaderName,
    HeaderValue,
    HttpUrl,
)

FITTING: list[tuple[Check, Any]] = [
    (Bounds(minimum=1), 1),
    (Bounds(above=0), 0.001),
    (Bounds(minimum=0, maximum=1), 1),
    (HttpUrl(), "http://127.0.0.1:11434/v1"),
    (HttpUrl(), "HTTPS://host"),
    (HttpUrl(), "http://[::1]:80/"),
    (BucketUri(), "gs://my-bucket.example_1"),
    (BucketUri(), "gs://bucket/a/b c/"),
    (HeaderName(), "X-Trace_id!"),
    (HeaderValue(), ""),
    (HeaderValue(), "a b\tc"),
    (Ascending(), ()),
    (Ascending(), (0.0, 1.0, 2.5)),
    (EchoStatuses(), (200, 0, 400, 599)),
]

UNFITTING: list[tuple[Check, Any]] = [
    (Bounds(minimum=1), 0),
    (Bounds(above=0), 0),
    (Bounds(minimum=0, maximum=1), 1.1),
    (HttpUrl(), "host/v1"),
    (HttpUrl(), "ftp://host"),
    (HttpUrl(), "http://"),
    (HttpUrl(), "http://host:x"),
    (HttpUrl(), "http://[::1"),
    (HttpUrl(), "http://a b"),
    (BucketUri(), "bucket/in"),
    (BucketUri(), "gs://"),
    (BucketUri(), "gs://Bucket"),
    (BucketUri(), "gs://bucket//in"),
    (BucketUri(), "gs://bucket/in\n"),
    (BucketUri(), "s3://bucket"),
    (HeaderName(), ""),
    (HeaderName(), "A B"),
    (HeaderName(), "Ä"),
    (HeaderValue(), "a\r\nB: c"),
    (HeaderValue(), " a"),
    (HeaderValue(), "ä"),
    (Ascending(), (2.0, 1.0)),
    (Ascending(), (1.0, 1.0)),
    (Ascending(), (-1.0,)),
    (Ascending(), (float("nan"),)),
    (Ascending(), (float("inf"),)),
    (EchoStatuses(), (201,)),
    (EchoStatuses(), (600,)),
]


@pytest.mark.parametrize(("check", "value"), FITTING)
def test_what_fits(check: Check, value: Any) -> None:
    """Values at the edge belong to the inside."""
    assert check.fits(value)


@pytest.mark.parametrize(("check", "value"), UNFITTING)
def test_what_does_not_fit(check: Check, value: Any) -> None:
    """Found at the start, not at the first call."""
    assert not check.fits(value)


def test_a_range_is_told_in_words() -> None:
    """For messages and for the reference of keys."""
    assert Bounds(minimum=1).wanted == "at least 1"
    assert Bounds(maximum=5).wanted == "at most 5"
    assert Bounds(minimum=0, maximum=5).wanted == "0 to 5"
    assert Bounds(above=0).wanted == "more than 0"
