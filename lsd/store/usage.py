"""Sums over inferences or model inferences: how many, tokens, cost, and how long they took.

Durations are counted in buckets of a histogram, 64 to each doubling of milliseconds, so that what
is read from it is wrong by 0.55 % at most, and histograms of several periods add up.
"""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

import attrs

_BUCKETS_PER_OCTAVE: Final = 64
_BUCKET_OF_NOTHING: Final = -1
"""The bucket of durations below a millisecond."""

SUMS: Final = 12
"""The number of sums in `Usage.sums`."""


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

    def negated(self) -> "Usage":
        """What takes away the same."""
        return Usage(
            [-each for each in self.sums],
            Counter({bucket: -times for bucket, times in self.durations.items()}),
            Counter({bucket: -times for bucket, times in self.first_tokens.items()}),
        )

    def merge(self, other: "Usage") -> None:
        """Adds what `other` holds."""
        self.sums = [own + more for own, more in zip(self.sums, other.sums, strict=True)]
        self.durations.update(other.durations)
        self.first_tokens.update(other.first_tokens)

    def _sum(self, place: int) -> int | None:
        return self.sums[place] if self.sums[place + 1] else None


def usage_of_one(
    reported: Iterable[int | None],
    *,
    is_cost_known: bool,
    duration_ms: int | None,
    first_token_ms: int | None,
) -> Usage:
    """The usage of one inference or model inference; what is None was not reported.

    `reported` are its tokens and cost, in the order of `Usage.sums`.
    """
    sums = [1]
    for value in reported:
        sums += (value or 0, int(value is not None))
    return Usage(
        [*sums, int(is_cost_known)],
        Counter() if duration_ms is None else Counter((bucket_of(duration_ms),)),
        Counter() if first_token_ms is None else Counter((bucket_of(first_token_ms),)),
    )


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
