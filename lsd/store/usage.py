"""Sums over inferences or model inferences: how many, tokens, cost, and how long they took.

Durations are counted in buckets of a histogram, 64 to each doubling of milliseconds, so that what
is read from it is wrong by 0.55 % at most, and histograms of several periods add up.
"""

import math
import operator
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

import attrs

from lsd.conversation import frozen

_BUCKETS_PER_OCTAVE: Final = 64
_BUCKET_OF_NOTHING: Final = -1
"""The bucket of durations below a millisecond."""

REPORTED: Final = (
    "input_tokens",
    "output_tokens",
    "provider_cache_read_input_tokens",
    "provider_cache_write_input_tokens",
    "cost",
)
"""The figures that are summed up, by their names in what is stored."""

SUMS: Final = 2 * len(REPORTED) + 2
"""The number of sums in `Usage.sums`."""

FIRST_TOKEN: Final = 1 << 15
"""Set in the code of a bucket of times to the first token. No duration of a process that lives a
thousand years reaches the bucket of this number."""


def bucket_of(milliseconds: int) -> int:
    """The bucket that a duration falls into."""
    if milliseconds <= 0:
        return _BUCKET_OF_NOTHING
    return math.floor(_BUCKETS_PER_OCTAVE * math.log2(milliseconds))


def milliseconds_of(bucket: int) -> float:
    """What stands for the durations of a bucket."""
    if bucket == _BUCKET_OF_NOTHING:
        return 0.0
    return float(2 ** ((bucket + 0.5) / _BUCKETS_PER_OCTAVE))


@attrs.define(eq=False)
class Usage:
    """Sums over a set of inferences, or of model inferences.

    `sums` begins with how many there are. Then come pairs, a sum of what was reported and how many
    reported it: input, output, cache read and cache write tokens, cost. At the end is how many have
    a cost that is known as a whole.
    """

    sums: list[int] = attrs.field(factory=lambda: [0] * SUMS)
    durations: Counter[int] = attrs.field(factory=Counter)
    """How many times fell into each bucket."""
    first_tokens: Counter[int] = attrs.field(factory=Counter)
    """The same for the time to the first token, of streams only."""

    @property
    def count(self) -> int:
        """How many there are."""
        return self.sums[0]

    @property
    def input_tokens(self) -> int | None:
        """None if no number was reported; so for the following."""
        return self._sum(1)

    @property
    def output_tokens(self) -> int | None:
        """See above."""
        return self._sum(3)

    @property
    def cache_read_tokens(self) -> int | None:
        """Of the provider's prompt cache."""
        return self._sum(5)

    @property
    def cache_write_tokens(self) -> int | None:
        """Of the provider's prompt cache."""
        return self._sum(7)

    @property
    def cost_nano(self) -> int | None:
        """Billionths of a dollar."""
        return self._sum(9)

    @property
    def count_with_cost(self) -> int:
        """How many had a cost that is known as a whole."""
        return self.sums[11]

    def add(self, added: "AddedUsage") -> None:
        """Adds inferences, or model inferences."""
        self.sums = list(map(operator.add, self.sums, added.sums))
        for code, times in added.codes.items():
            if code & FIRST_TOKEN:
                self.first_tokens[bucket_of_code(code)] += times
            else:
                self.durations[bucket_of_code(code)] += times

    def merge(self, other: "Usage") -> None:
        """Adds what `other` holds."""
        self.sums = list(map(operator.add, self.sums, other.sums))
        self.durations.update(other.durations)
        self.first_tokens.update(other.first_tokens)

    def _sum(self, place: int) -> int | None:
        return self.sums[place] if self.sums[place + 1] else None


Figures = tuple[int | None, ...]
"""What one inference, or one call, adds: its REPORTED figures; whether its cost is known as a whole
(1 or 0); how many milliseconds it took, and how many until the first token. What is None was not
reported."""


@frozen
class AddedUsage:
    """What some inferences, or model inferences, add.

    `codes` tells how many of their times fell into which bucket.
    """

    sums: tuple[int, ...]
    codes: Mapping[int, int]


def added_usage(figures: Sequence[Figures]) -> AddedUsage:
    """What those add that have these figures: one at least."""
    *reported, known, durations, first_tokens = zip(*figures, strict=True)
    sums = [len(figures)]
    for column in reported:
        values = [each for each in column if each is not None]
        sums += sum(values), len(values)
    sums.append(sum(known))
    codes: dict[int, int] = {}
    for flag, times_ms in ((0, durations), (FIRST_TOKEN, first_tokens)):
        for time_ms, count in Counter(times_ms).items():
            if time_ms is not None:
                code = (bucket_of(time_ms) + 1) | flag
                codes[code] = codes.get(code, 0) + count
    return AddedUsage(tuple(sums), codes)


def bucket_of_code(code: int) -> int:
    """The bucket that a code stands for, of whichever histogram."""
    return (code & ~FIRST_TOKEN) - 1


def quantiles(histogram: Counter[int], wanted: Sequence[float]) -> list[float | None]:
    """The quantiles `wanted`, which ascend, of what a histogram has counted; None for nothing."""
    samples = histogram.total()
    if not samples:
        return [None] * len(wanted)
    found: list[float | None] = []
    buckets = iter(sorted(histogram.items()))
    bucket, up_to = next(buckets)
    for quantile in wanted:
        rank = 1 + quantile * (samples - 1)
        while up_to < rank:
            bucket, more = next(buckets)
            up_to += more
        found.append(milliseconds_of(bucket))
    return found
