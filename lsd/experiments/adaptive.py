"""Adaptive experiments: the weights of variants follow the feedback on a metric.

A *standing* says how new episodes are divided now; it follows from the values that count and from
nothing else. Candidates that are not known well enough are in the *nursery* and take turns; those
that are compete, as *bandits*, until there is a *winner*.
"""

import math
from bisect import bisect_right
from collections.abc import Collection, Mapping, Sequence
from itertools import accumulate
from typing import Any, Final, Literal

import attrs

from lsd.experiments.track_and_stop import Arm, Contest, best_shares
from lsd.telemetry import logger

_log = logger(__name__)

Phase = Literal[
    "nursery_only", "nursery_and_bandits", "nursery_and_stopped", "bandits_only", "stopped"
]

VALUES_OF_VARIANCE_MIN: Final = 2
"""One value has no variance, whatever the configuration takes for enough."""


@attrs.frozen(kw_only=True)
class AdaptiveDraw:
    """What is configured of an adaptive experiment.

    `variants` are all of the function, so that those left out can be shown. `namespace` is that of
    the experiment's table, None for the base one. `minimises`: less of the metric is better.
    """

    function_name: str
    namespace: str | None
    variants: tuple[str, ...]
    candidates: tuple[str, ...]
    fallback: tuple[str, ...]
    metric_name: str
    level: Literal["inference", "episode"]
    minimises: bool
    min_samples_per_variant: int
    max_samples_per_variant: int
    delta: float
    epsilon: float
    min_prob: float
    update_period_s: int

    @property
    def settings(self) -> dict[str, Any]:
        """What a standing depends on, beside the feedback."""
        return attrs.asdict(self, filter=attrs.filters.exclude("variants", "update_period_s"))


@attrs.frozen(kw_only=True)
class ArmCount:
    """What is known of one candidate; mean and variance are None while they are not defined."""

    variant: str
    count: int
    mean: float | None
    variance: float | None

    @classmethod
    def of(cls, variant: str, values: Collection[float]) -> "ArmCount":
        """The figures of these values. Exact sums: the order of the values does not matter."""
        count = len(values)
        if not count:
            return cls(variant=variant, count=0, mean=None, variance=None)
        mean = math.fsum(values) / count
        squares = math.fsum((value - mean) ** 2 for value in values)
        variance = None if count < VALUES_OF_VARIANCE_MIN else squares / (count - 1)
        return cls(variant=variant, count=count, mean=mean, variance=variance)


@attrs.frozen(kw_only=True)
class Standing:
    """How new episodes are divided.

    `nursery` takes turns, in its order; `bandits` are drawn by their weights, which sum to 1.
    """

    phase: Phase
    nursery: tuple[str, ...] = ()
    bandits: Mapping[str, float] = attrs.field(factory=dict)
    winner: str | None = None
    arms: tuple[ArmCount, ...] = ()


@attrs.frozen
class Choice:
    """A variant that was drawn, and whether that was a turn of the nursery."""

    variant: str
    is_turn: bool


def standing_of(draw: AdaptiveDraw, arms: Sequence[ArmCount]) -> Standing:
    """The standing that follows from what is known of the candidates, in their order."""
    known = tuple(arms)
    if len(known) == 1:
        return Standing(phase="stopped", winner=known[0].variant, arms=known)
    least = max(draw.min_samples_per_variant, VALUES_OF_VARIANCE_MIN)
    ripe = [arm for arm in known if arm.count >= least]
    nursery = tuple(arm.variant for arm in known if arm.count < least)
    if len(ripe) < 2:
        return Standing(
            phase="nursery_only", nursery=tuple(arm.variant for arm in known), arms=known
        )
    contest = _contest(draw, ripe)
    if contest.is_decided(draw.delta):
        return Standing(
            phase="nursery_and_stopped" if nursery else "stopped",
            nursery=nursery,
            winner=ripe[contest.leader].variant,
            arms=known,
        )
    shares = _shares(draw, contest)
    return Standing(
        phase="nursery_and_bandits" if nursery else "bandits_only",
        nursery=nursery,
        bandits={arm.variant: share for arm, share in zip(ripe, shares, strict=True)},
        arms=known,
    )


def choose(
    draw: AdaptiveDraw, standing: Standing, tried: Collection[str], *, number: float, turn: int
) -> Choice | None:
    """The variant for an episode; None if none is left. `tried` have failed in this request.

    `number` in [0, 1) decides between nursery and the others, and among these; `turn` is the
    counter of the nursery.
    """
    candidates = [name for name in draw.candidates if name not in tried]
    fallback = [name for name in draw.fallback if name not in tried]
    has_lost_winner = standing.phase == "stopped" and standing.winner in tried
    if has_lost_winner or not candidates:
        left = [*fallback, *candidates]
        return Choice(left[0], False) if left else None
    masses = _masses(standing, tried)
    in_nursery = math.fsum(masses.get(name, 0.0) for name in standing.nursery)
    if not masses:  # those that have lost against a winner are the last that there are
        left = [*fallback, *candidates]
        return Choice(left[0], False)
    if number < in_nursery or len(masses) == sum(name in masses for name in standing.nursery):
        count = len(standing.nursery)
        turns = (standing.nursery[(turn + step) % count] for step in range(count))
        return Choice(next(name for name in turns if name in masses), True)
    return Choice(_by_weight(masses, standing, (number - in_nursery) / (1 - in_nursery)), False)


def probabilities(draw: AdaptiveDraw, standing: Standing) -> dict[str, float]:
    """How likely each variant is for the next episode."""
    shown = dict.fromkeys(sorted(draw.variants), 0.0)
    return shown | _masses(standing, ())


def standing_json(standing: Standing) -> dict[str, Any]:
    """The standing as it is stored, and as `standing_from_json` takes it."""
    return attrs.asdict(standing)


def standing_from_json(value: Mapping[str, Any]) -> Standing:
    """What `standing_json` has written."""
    return Standing(
        phase=value["phase"],
        nursery=tuple(value["nursery"]),
        bandits=value["bandits"],
        winner=value["winner"],
        arms=tuple(ArmCount(**arm) for arm in value["arms"]),
    )


def _contest(draw: AdaptiveDraw, ripe: Sequence[ArmCount]) -> Contest:
    sign = -1 if draw.minimises else 1
    arms = []
    for arm in ripe:
        assert arm.mean is not None, "a ripe arm has values"
        assert arm.variance is not None, "a ripe arm has two values"
        arms.append(Arm(arm.count, sign * arm.mean, arm.variance))
    return Contest(arms, draw.epsilon)


def _shares(draw: AdaptiveDraw, contest: Contest) -> list[float]:
    even = [1 / len(contest.arms)] * len(contest.arms)
    try:
        shares = best_shares(contest, share_min=draw.min_prob)
    except (ArithmeticError, ValueError) as error:
        reason = f"{type(error).__name__}: {error}"
    else:
        if all(map(math.isfinite, shares)):
            return shares
        reason = "shares that are no numbers"
    _log.warning(
        "no best shares for an adaptive experiment; all are alike",
        function=draw.function_name,
        namespace=draw.namespace,
        reason=reason,
    )
    return even


def _masses(standing: Standing, tried: Collection[str]) -> dict[str, float]:
    """The probability of each variant that can be drawn."""
    nursery = [name for name in standing.nursery if name not in tried]
    bandits = {name: share for name, share in standing.bandits.items() if name not in tried}
    if standing.winner is not None and standing.winner not in tried:
        bandits = {standing.winner: 1.0}
    others = 1 if standing.winner is not None and bandits else len(bandits)
    if not nursery and not others:
        return {}
    each = 1 / (len(nursery) + others)
    total = math.fsum(bandits.values())
    masses = dict.fromkeys(nursery, each)
    masses |= {name: others * each * share / total for name, share in bandits.items()}
    return masses


def _by_weight(masses: Mapping[str, float], standing: Standing, number: float) -> str:
    """Of those that are not in the nursery, in the order of their names."""
    names = sorted(name for name in masses if name not in standing.nursery)
    ends = list(accumulate(masses[name] for name in names))
    place = bisect_right(ends, number * ends[-1])
    return names[min(place, len(names) - 1)]
