"""Track and stop: which arm is best, when that is certain enough, and how to sample until then.

Arms give independent rewards, taken as Gaussian with known variances. The *leader* has the
greatest mean. For each rival, half the squared gap between the two over the variance of its
estimate is the likelihood ratio against the leader's being best; when the least of them passes a
threshold, the leader has won. Until then, samples are spread so that this comes about with the
fewest of them.

Source: Garivier and Kaufmann, "Optimal Best Arm Identification with Fixed Confidence", COLT 2016.
"""

import math
from collections.abc import Callable, Sequence
from typing import Final

import attrs

VARIANCE_MIN: Final = 1e-12
"""An arm whose values are all equal is not known without doubt."""

SQUARED_GAP_MIN: Final = 1e-6
"""Gaps smaller than a thousandth are not told apart when samples are spread."""

REGULARISATION: Final = 0.01
"""How much an even spread is preferred, over the square root of the number of samples."""

TIE: Final = 1e-10
"""Means and variances that differ by less are equal."""

SHARE_MIN: Final = 1e-6
"""Of the samples; no arm gets none."""

STEPS_MAX: Final = 100
"""Of a golden-section search: far below what numbers can tell apart."""

_GOLDEN: Final = (math.sqrt(5) - 1) / 2


@attrs.frozen
class Arm:
    """What is known of one arm: how many values, their mean, and their sample variance.

    More is better: where less is, the mean has been negated.
    """

    count: int
    mean: float
    variance: float

    @property
    def spread(self) -> float:
        """The variance that is reckoned with."""
        return max(self.variance, VARIANCE_MIN)


@attrs.frozen
class Contest:
    """Some arms, and what there is to know about their gaps. `leader` is a place."""

    arms: Sequence[Arm]
    epsilon: float
    leader: int = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        object.__setattr__(self, "leader", self._leader())

    @property
    def samples(self) -> int:
        """All values together."""
        return sum(arm.count for arm in self.arms)

    @property
    def rivals(self) -> list[int]:
        """The places of the others."""
        return [place for place in range(len(self.arms)) if place != self.leader]

    def gap(self, place: int) -> float:
        """By how much the leader is ahead; an arm that is `epsilon` worse is still as good."""
        return max(self.arms[self.leader].mean - self.arms[place].mean, 0) + self.epsilon

    def squared_gap(self, place: int) -> float:
        """The same squared, but never next to nothing."""
        return max(self.gap(place) ** 2, SQUARED_GAP_MIN)

    def evidence(self, place: int) -> float:
        """How much speaks for the leader's being best, and not this rival."""
        gap = self.gap(place)
        if gap == 0:
            return 0.0
        ahead, behind = self.arms[self.leader], self.arms[place]
        return gap**2 / (2 * (ahead.spread / ahead.count + behind.spread / behind.count))

    def is_decided(self, delta: float) -> bool:
        """Whether the leader has won; it is not the best with a probability of `delta`."""
        return min(map(self.evidence, self.rivals)) > threshold(self.samples, delta)

    def _leader(self) -> int:
        best = max(arm.mean for arm in self.arms)
        tied = [place for place, arm in enumerate(self.arms) if best - arm.mean <= TIE]
        return min(tied, key=lambda place: self.arms[place].spread / self.arms[place].count)


def threshold(samples: int, delta: float) -> float:
    """What the evidence has to pass. It knows nothing of the number of arms: delta is nominal."""
    return math.log((1 + math.log(samples)) / delta)


def hardness(contest: Contest, shares: Sequence[float]) -> float:
    """How many samples, spread so, it takes for each unit of evidence."""
    ahead = contest.arms[contest.leader].spread / shares[contest.leader]
    return max(
        2 * (contest.arms[place].spread / shares[place] + ahead) / contest.squared_gap(place)
        for place in contest.rivals
    )


def best_shares(
    contest: Contest, *, share_min: float = 0.0, regularisation: float = REGULARISATION
) -> list[float]:
    """The share of each arm in further samples: evidence comes fastest so. They sum to 1.

    `hardness` is minimised, with a small penalty on uneven spreads that makes the minimum unique;
    no share is less than `share_min`.
    """
    count = len(contest.arms)
    least = max(share_min, SHARE_MIN)
    spreads = [arm.spread for arm in contest.arms]
    is_symmetric = (
        all(abs(contest.gap(place)) < TIE for place in contest.rivals)
        and max(spreads) - min(spreads) < TIE
    )
    if is_symmetric or count * least >= 1 - 1e-12:
        return [1 / count] * count
    spreading = _Spreading(
        ahead=contest.arms[contest.leader].spread,
        behind=[contest.arms[place].spread for place in contest.rivals],
        squared_gaps=[contest.squared_gap(place) for place in contest.rivals],
        least=least,
        weight=regularisation / math.sqrt(contest.samples),
    )
    leaders = _least_of(spreading.cost, least, 1 - (count - 1) * least)
    shares = spreading.rivals_shares(leaders)
    shares.insert(contest.leader, leaders)
    total = sum(shares)
    return [share / total for share in shares]


@attrs.frozen(kw_only=True)
class _Spreading:
    """The convex problem behind `best_shares`, solved for a given share of the leader.

    `ahead` is the leader's variance, `behind` are those of the rivals; all lists are theirs. The
    penalty has the `weight`.
    """

    ahead: float
    behind: list[float]
    squared_gaps: list[float]
    least: float
    weight: float

    def cost(self, leaders: float) -> float:
        """The least cost that there is with this share for the leader."""
        return self._cost(leaders, self._best_hardness(leaders))

    def rivals_shares(self, leaders: float) -> list[float]:
        """The shares of the rivals with which it costs the least."""
        return self._filled(leaders, self._best_hardness(leaders))

    def _best_hardness(self, leaders: float) -> float:
        # The penalty is less than its weight, so that a hardness beyond never pays.
        start = self._hardness_min(leaders)
        return _least_of(lambda hardness: self._cost(leaders, hardness), start, start + self.weight)

    def _cost(self, leaders: float, hardness: float) -> float:
        even = 1 / (1 + len(self.behind))
        uneven = (leaders - even) ** 2
        for share in self._filled(leaders, hardness):
            uneven += (share - even) ** 2
        return hardness + self.weight * uneven

    def _hardness_min(self, leaders: float) -> float:
        """The least hardness for which the rest suffices, by bisection down to neighbours."""
        rest = 1 - leaders
        even = rest / len(self.behind)
        ahead = self.ahead / leaders
        low = 2 * ahead / min(self.squared_gaps)
        high = max(
            2 * (spread / even + ahead) / gap
            for spread, gap in zip(self.behind, self.squared_gaps, strict=True)
        )
        while low < (middle := (low + high) / 2) < high:
            if sum(self._needed(leaders, middle)) <= rest:
                high = middle
            else:
                low = middle
        return high

    def _needed(self, leaders: float, hardness: float) -> list[float]:
        """What each rival needs for this hardness; infinitely much where no share would do."""
        ahead, least = self.ahead / leaders, self.least
        needed = []
        for spread, gap in zip(self.behind, self.squared_gaps, strict=True):
            room = gap * hardness / 2 - ahead
            needed.append(max(least, spread / room) if room > 0 else math.inf)
        return needed

    def _filled(self, leaders: float, hardness: float) -> list[float]:
        """What each rival needs, and what is left poured over them, up to one level."""
        needed = self._needed(leaders, hardness)
        ascending = [*sorted(needed), math.inf]
        above = sum(needed)
        level = 0.0
        for count, need in enumerate(ascending[:-1], 1):
            above -= need
            level = (1 - leaders - above) / count
            if level <= ascending[count]:
                break
        return [max(need, level) for need in needed]


def _least_of(cost: Callable[[float], float], low: float, high: float) -> float:
    """Where a function with one minimum has it, by golden section."""
    left, right = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
    left_cost, right_cost = cost(left), cost(right)
    for _ in range(STEPS_MAX):
        if not low < left < right < high:
            break
        if left_cost <= right_cost:
            high, right, right_cost = right, left, left_cost
            left = high - _GOLDEN * (high - low)
            left_cost = cost(left)
        else:
            low, left, left_cost = left, right, right_cost
            right = low + _GOLDEN * (high - low)
            right_cost = cost(right)
    return (low + high) / 2
