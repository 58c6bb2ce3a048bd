"""Number, mean and variance of values, from exact sums.

Every value of binary64 is an integer times a power of two, and so are sums and squares of them.
Kept as such, sums do not depend on the order of additions, values can be taken out again without a
trace, and sums of several processes add up.
"""

import math
from collections.abc import Mapping
from typing import Final

import attrs


@attrs.frozen
class ExactSum:
    """`mantissa` times two to the `exponent`."""

    mantissa: int = 0
    exponent: int = 0

    @classmethod
    def of(cls, value: float) -> "ExactSum":
        """The sum of one value, which is finite."""
        numerator, denominator = value.as_integer_ratio()
        return cls(numerator, 1 - denominator.bit_length())

    @classmethod
    def decode(cls, text: str) -> "ExactSum":
        """The inverse of `encode`."""
        mantissa, _, exponent = text.partition("p")
        return cls(int(mantissa, 16), int(exponent))

    def encode(self) -> str:
        """`-3fp-10`: a hexadecimal mantissa and the exponent; equal sums have equal texts."""
        if self.mantissa == 0:
            return "0p0"
        zeros = (self.mantissa & -self.mantissa).bit_length() - 1
        return f"{self.mantissa >> zeros:x}p{self.exponent + zeros}"

    def plus(self, other: "ExactSum", times: int = 1) -> "ExactSum":
        """The sum with `other` added so many times, which may be negative."""
        exponent = min(self.exponent, other.exponent)
        mantissa = self.scaled(exponent) + times * other.scaled(exponent)
        return ExactSum(mantissa, exponent)

    def squared(self) -> "ExactSum":
        """The square."""
        return ExactSum(self.mantissa * self.mantissa, 2 * self.exponent)

    def scaled(self, exponent: int) -> int:
        """The mantissa at a lesser exponent, or the same."""
        return self.mantissa << (self.exponent - exponent)


ZERO: Final = ExactSum()


@attrs.frozen
class Moments:
    """What is needed of some values."""

    count: int = 0
    sum: ExactSum = ZERO
    squares: ExactSum = ZERO

    @classmethod
    def of(cls, values: Mapping[bool | float, int]) -> "Moments":
        """Those of values that occur so many times each."""
        moments = cls()
        for value, times in values.items():
            moments = moments.plus(value, times)
        return moments

    def plus(self, value: float, times: int = 1) -> "Moments":
        """With a value so many times more; with one less for -1."""
        one = ExactSum.of(float(value))
        return Moments(
            self.count + times, self.sum.plus(one, times), self.squares.plus(one.squared(), times)
        )

    def merged(self, other: "Moments") -> "Moments":
        """With the values of both."""
        return Moments(
            self.count + other.count, self.sum.plus(other.sum), self.squares.plus(other.squares)
        )

    @property
    def mean(self) -> float:
        """The mean, correctly rounded; there must be a value."""
        return _ratio(self.sum.mantissa, self.count, self.sum.exponent)

    @property
    def variance(self) -> float | None:
        """The variance of the sample (n - 1), correctly rounded; None for one value."""
        if self.count < 2:
            return None
        square = self.sum.squared()
        exponent = min(self.squares.exponent, square.exponent)
        spread = self.count * self.squares.scaled(exponent) - square.scaled(exponent)
        return _ratio(spread, self.count * (self.count - 1), exponent)


EMPTY: Final = Moments()


def _ratio(numerator: int, denominator: int, exponent: int) -> float:
    """`numerator` / `denominator` times two to the `exponent`; infinite if it is too great."""
    if exponent >= 0:
        numerator <<= exponent
    else:
        denominator <<= -exponent
    try:
        return numerator / denominator  # exact, then rounded once
    except OverflowError:
        return math.inf if numerator > 0 else -math.inf
