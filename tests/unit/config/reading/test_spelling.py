"""The word that was meant."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsd.config.reading.spelling import closest, distance


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("max_dealy_s", "max_delay_s"),
        ("max_delay", "max_delay_s"),
        ("num_retries", "num_retries"),
        ("retries", None),
        ("", None),
    ],
)
def test_two_slips_are_forgiven(word: str, meant: str | None) -> None:
    """More would be another word."""
    assert closest(word, ["max_delay_s", "num_retries"]) == meant


def test_a_short_key_is_not_guessed_from_nothing() -> None:
    """Two changes would make any two letters out of any others."""
    assert closest("zz", ["k"]) is None


@given(st.text(max_size=8), st.text(max_size=8))
def test_distance_is_a_distance(first: str, second: str) -> None:
    """The same both ways, nothing for equal words, never more than the longer one."""
    assert distance(first, second) == distance(second, first)
    assert (distance(first, second) == 0) == (first == second)
    assert distance(first, second) <= max(len(first), len(second))
