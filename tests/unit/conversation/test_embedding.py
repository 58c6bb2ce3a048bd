"""Vectors in their two forms."""

import struct
from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsd.conversation import EmbeddingRequest, embedding_base64, embedding_numbers

SINGLES = st.lists(st.floats(width=32, allow_nan=False), min_size=1)


@given(numbers=SINGLES)
def test_a_vector_is_the_same_in_both_forms(numbers: list[float]) -> None:
    """What binary32 can hold survives the way there and back."""
    assert embedding_numbers(embedding_base64(numbers)) == numbers


def test_base64_is_little_endian_binary32() -> None:
    """On every machine: that is what clients unpack."""
    packed = struct.pack("<3f", 1.0, -0.5, 0.1)

    assert embedding_base64([1.0, -0.5, 0.1]) == b64encode(packed).decode()
    assert embedding_numbers(b64encode(packed).decode())[:2] == [1.0, -0.5]


def test_a_vector_stays_as_it_came() -> None:
    """Numbers are not rounded, and base64 is not decoded, when nobody wants another form."""
    numbers = [0.1, 0.2]

    assert embedding_numbers(numbers) is numbers
    assert embedding_base64("AACAPw==") == "AACAPw=="


def test_what_binary32_cannot_hold_is_infinite() -> None:
    """A number gone wrong does not break the whole answer."""
    assert embedding_numbers(embedding_base64([1e300, 1.0])) == [float("inf"), 1.0]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("####", "Only base64"),
        ("AAA", "padding"),
        ("AAAA", "found 3 bytes; wanted a multiple of 4"),
        ("ü", "ASCII"),
    ],
)
def test_a_text_that_holds_no_vector_is_told(text: str, told: str) -> None:
    """Neither half a number nor another alphabet passes."""
    with pytest.raises(ValueError, match=told):
        embedding_numbers(text)


def test_a_request_knows_whether_it_has_tokens() -> None:
    """Some providers take texts only."""
    assert not EmbeddingRequest(inputs=("a", "b")).has_tokens
    assert EmbeddingRequest(inputs=("a", (1, 2))).has_tokens
