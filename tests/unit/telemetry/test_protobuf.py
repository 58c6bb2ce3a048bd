"""Fields as protobuf writes them."""

import pytest

from lsd.telemetry._protobuf import BYTES, VARINT, message, tag, text, varint


@pytest.mark.parametrize(
    ("number", "written"),
    [
        (0, b"\x00"),
        (1, b"\x01"),
        (127, b"\x7f"),
        (128, b"\x80\x01"),
        (150, b"\x96\x01"),
        (300, b"\xac\x02"),
        (2**64 - 1, b"\xff" * 9 + b"\x01"),
    ],
)
def test_numbers_take_the_bytes_that_they_need(number: int, written: bytes) -> None:
    """Seven bits each, the lowest first. Source: the examples of the documentation."""
    assert varint(number) == written


def test_a_tag_has_number_and_type() -> None:
    """Those of high numbers take two bytes."""
    assert tag(1, VARINT) == b"\x08"
    assert tag(2, BYTES) == b"\x12"
    assert tag(16, BYTES) == b"\x82\x01"


def test_texts_are_told_with_their_length() -> None:
    """In bytes of UTF-8; what no encoding has is lost."""
    assert text(tag(2, BYTES), "testing") == b"\x12\x07testing"
    assert text(tag(1, BYTES), "é") == b"\x0a\x02\xc3\xa9"
    assert text(tag(1, BYTES), "\ud800") == b"\x0a\x01?"
    assert message(tag(1, BYTES), b"x" * 200)[:3] == b"\x0a\xc8\x01"
