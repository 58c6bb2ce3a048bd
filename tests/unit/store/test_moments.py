"""Moments are exact: in any order, merged, and after values were taken out again."""

import math
import statistics
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsd.store.moments import EMPTY, ExactSum, Moments

FINITE = st.floats(allow_nan=False, allow_infinity=False, width=64)
USUAL = st.floats(-1e6, 1e6, allow_nan=False)


def of(values: list[float]) -> Moments:
    """Those of a list."""
    moments = EMPTY
    for value in values:
        moments = moments.plus(value)
    return moments


@given(st.lists(FINITE, min_size=1))
def test_a_mean_is_rounded_once(values: list[float]) -> None:
    """It is the number of binary64 that is nearest to the true mean."""
    true_mean = sum(map(Fraction, values)) / len(values)

    assert of(values).mean == float(true_mean)


@given(st.lists(USUAL, min_size=2))
def test_a_variance_is_that_of_the_sample(values: list[float]) -> None:
    """With n - 1 below."""
    assert of(values).variance == pytest.approx(statistics.variance(values), abs=1e-300)


@given(st.lists(FINITE), st.lists(FINITE), FINITE)
def test_the_order_of_additions_does_not_matter(
    some: list[float], others: list[float], gone: float
) -> None:
    """Nor does a value that was taken out again, or who has added which."""
    moments = of([*some, gone, *others]).plus(gone, -1)
    merged = of(others[::-1]).merged(of(some))

    assert moments.count == merged.count == len(some) + len(others)
    assert moments.sum.encode() == merged.sum.encode()
    assert moments.squares.encode() == merged.squares.encode()


@given(FINITE)
def test_a_sum_is_kept_as_text(value: float) -> None:
    """Short for short numbers, and without loss."""
    one = ExactSum.of(value)

    back = ExactSum.decode(one.encode())

    assert Fraction(back.mantissa) * Fraction(2) ** back.exponent == Fraction(value)
    assert ExactSum.of(0.75).plus(ExactSum.of(0.25)).encode() == "1p0"
    assert ExactSum.of(-3.5).encode() == "-7p-1"
    assert one.plus(one, -1).encode() == "0p0"


def test_few_values_have_less() -> None:
    """One has no variance; booleans count as 0 and 1."""
    assert Moments.of({True: 3, False: 1}).mean == 0.75
    assert of([5.0]).variance is None
    assert of([5.0, 5.0]).variance == 0.0
    assert Moments.of({2.0: 2}).count == 2


def test_what_is_beyond_the_numbers_is_infinite() -> None:
    """Squares of great values may be."""
    assert of([1e200, -1e200]).variance == math.inf
    assert of([1.7e308, 1.7e308]).mean == 1.7e308
