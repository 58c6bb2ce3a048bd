"""The word that was meant."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsd.conversation import closest
from lsd.conversation.spelling import distance

WORDS = st.text(alphabet="abc", max_size=7)
FAR = 99


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("max_dealy_s", "max_delay_s"),
        ("max_delay", "max_delay_s"),
        ("MAX_delay_s", None),
        ("num_retries", "num_retries"),
        ("nmu_retires", "num_retries"),
        ("retries", None),
        ("", None),
    ],
)
def test_two_slips_are_forgiven(word: str, meant: str | None) -> None:
    """More would be another word."""
    assert closest(word, ["max_delay_s", "num_retries"]) == meant


def test_a_short_word_is_not_guessed_from_nothing() -> None:
    """Two changes would make any two letters out of any others."""
    assert closest("zz", ["k", "id"]) is None


def test_the_nearest_word_is_meant() -> None:
    """Of two that are near the nearer one is told, of two as near the first in the alphabet."""
    assert closest("input_token", ["input_tokens", "input"]) == "input_tokens"
    assert closest("ca", ["cb", "cab", "aca"]) == "aca"
    assert closest("anything", []) is None


@pytest.mark.parametrize(
    ("first", "second", "steps"),
    [
        ("", "", 0),
        ("abc", "abc", 0),
        ("", "abc", 3),
        ("abc", "ac", 1),
        ("abc", "abbc", 1),
        ("abc", "axc", 1),
        ("abcd", "acbd", 1),
        ("ca", "abc", 3),
        ("kitten", "sitting", 3),
    ],
)
def test_a_step_changes_one_letter_or_swaps_two(first: str, second: str, steps: int) -> None:
    """Letters that change places are one slip, not two."""
    assert distance(first, second, FAR) == steps
    assert distance(second, first, FAR) == steps


@given(WORDS, WORDS)
def test_distance_is_a_distance(first: str, second: str) -> None:
    """The same both ways, nothing for equal words, never more than the longer one."""
    assert distance(first, second, FAR) == distance(second, first, FAR)
    assert (distance(first, second, FAR) == 0) == (first == second)
    assert distance(first, second, FAR) <= max(len(first), len(second))


@given(WORDS, WORDS, st.integers(0, 4))
def test_what_is_too_far_is_found_out_early(first: str, second: str, most: int) -> None:
    """The bound changes no distance within it."""
    assert distance(first, second, most) == min(distance(first, second, FAR), most + 1)


def test_a_word_without_end_is_compared_with_nothing() -> None:
    """The time that a guess takes is not for a caller to choose."""
    assert closest("x" * 10**8, ["x", "y" * 40]) is None
