"""Which variant a request gets: drawn by its function and episode, so that it never changes.

The draw is a pure function. A variant that has failed is taken out and the draw is made again with
the same number.
"""

from collections.abc import Collection, Mapping
from hashlib import sha256
from itertools import accumulate

import attrs

_DRAW_BYTES = 4
"""Bytes of the digest that make the number; 2^32 steps are finer than any weight."""


@attrs.frozen(kw_only=True)
class UniformDraw:
    """All variants are equally likely."""

    variants: tuple[str, ...]

    def choose(self, number: float, tried: Collection[str]) -> str | None:
        """The variant that `number` in [0, 1) draws among those not tried; None if none is left."""
        left = sorted(name for name in self.variants if name not in tried)
        return left[int(number * len(left))] if left else None

    def probabilities(self) -> dict[str, float]:
        """How likely each variant is for the next episode."""
        return {name: 1 / len(self.variants) for name in sorted(self.variants)}


@attrs.frozen(kw_only=True)
class WeightedDraw:
    """Candidates by weight, and when all have failed the fallback variants as they are listed.

    `variants` are all of the function, so that those left out can be shown with probability 0.
    """

    variants: tuple[str, ...]
    weights: Mapping[str, float]
    fallback: tuple[str, ...] = ()

    def choose(self, number: float, tried: Collection[str]) -> str | None:
        """As `UniformDraw.choose`; a candidate of weight 0 is never drawn."""
        left = [
            (name, weight)
            for name, weight in sorted(self.weights.items())
            if weight > 0 and name not in tried
        ]
        if not left:
            return next((name for name in self.fallback if name not in tried), None)
        # Added one by one: `sum` rounds differently from one Python to the next, and an episode
        # draws the same variant on all of them.
        ends = list(accumulate(weight for _, weight in left))
        target = number * ends[-1]
        for (name, _), end in zip(left, ends, strict=True):
            if end > target:
                return name
        return left[-1][0]  # the product had been rounded up by a hair

    def probabilities(self) -> dict[str, float]:
        """How likely each variant is for the next episode; without weights the first fallback."""
        shown = dict.fromkeys(sorted(self.variants), 0.0)
        total = sum(self.weights.values())
        if total > 0:
            shown |= {name: weight / total for name, weight in self.weights.items()}
        elif self.fallback:
            shown[self.fallback[0]] = 1.0
        return shown


Draw = UniformDraw | WeightedDraw


def draw_number(function_name: str, episode_id: str) -> float:
    """The number in [0, 1) of a function in an episode: always the same for the same two."""
    digest = sha256(function_name.encode() + bytes.fromhex(episode_id.replace("-", ""))).digest()
    return int.from_bytes(digest[:_DRAW_BYTES], "big") / (1 << 8 * _DRAW_BYTES)
