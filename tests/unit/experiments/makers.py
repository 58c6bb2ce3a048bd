"""Adaptive experiments for tests."""

from collections.abc import Sequence
from random import Random
from typing import Any

import attrs

from lsd.experiments import AdaptiveDraw, ArmCount, Standing, choose, standing_of


def adaptive(*candidates: str, **fields: Any) -> AdaptiveDraw:
    """An experiment among these candidates, with the defaults of the configuration."""
    defaults: dict[str, Any] = {
        "function_name": "f",
        "namespace": None,
        "variants": (*candidates, *fields.get("fallback", ())),
        "candidates": candidates,
        "fallback": (),
        "metric_name": "good",
        "level": "inference",
        "minimises": False,
        "min_samples_per_variant": 10,
        "max_samples_per_variant": 10_000,
        "delta": 0.05,
        "epsilon": 0.0,
        "min_prob": 0.0,
        "update_period_s": 300,
    }
    return AdaptiveDraw(**defaults | fields)


def successes(variant: str, good: int, count: int) -> ArmCount:
    """A candidate with so many good ones among its values."""
    return ArmCount.of(variant, [1.0] * good + [0.0] * (count - good))


@attrs.define(eq=False)
class Simulation:
    """An experiment whose variants are good with certain probabilities, and feedback on each."""

    draw: AdaptiveDraw
    means: Sequence[float]
    random: Random
    episodes_per_update: int
    values: dict[str, list[float]] = attrs.field(factory=dict, init=False)
    turn: int = attrs.field(default=0, init=False)
    standing: Standing = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.values = {name: [] for name in self.draw.candidates}
        self.standing = self._update()

    @property
    def episodes(self) -> int:
        """How many there have been."""
        return sum(map(len, self.values.values()))

    def run(self, episodes_max: int) -> Standing:
        """Goes on until there is a winner, or so many episodes were drawn."""
        while self.standing.winner is None and self.episodes < episodes_max:
            for _ in range(self.episodes_per_update):
                self._draw_one()
            self.standing = self._update()
        return self.standing

    def _draw_one(self) -> None:
        choice = choose(self.draw, self.standing, (), number=self.random.random(), turn=self.turn)
        assert choice is not None
        self.turn += choice.is_turn
        mean = self.means[self.draw.candidates.index(choice.variant)]
        self.values[choice.variant].append(float(self.random.random() < mean))

    def _update(self) -> Standing:
        return standing_of(self.draw, [ArmCount.of(*each) for each in self.values.items()])
