"""Track and stop: which arm is best, when that is certain enough, and how to sample until then."""

from typing import Any

import attrs
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from lsd.experiments.track_and_stop import (
    SHARE_MIN,
    Arm,
    Contest,
    best_shares,
    hardness,
    threshold,
)


@attrs.frozen
class Worked:
    """An example whose figures were worked out in two ways."""

    name: str
    counts: tuple[int, ...]
    means: tuple[float, ...]
    variances: tuple[float, ...]
    shares: tuple[float, ...]
    hardness: float | None = None
    evidence: float | None = None
    threshold: float | None = None
    winner: int | None = None
    epsilon: float = 0.0
    min_prob: float = 0.0
    is_min: bool = False
    regularisation: float = 0.01

    @property
    def contest(self) -> Contest:
        sign = -1 if self.is_min else 1
        arms = [
            Arm(count, sign * mean, variance)
            for count, mean, variance in zip(self.counts, self.means, self.variances, strict=True)
        ]
        return Contest(arms, self.epsilon)


A: dict[str, Any] = {
    "counts": (60, 60),
    "means": (0.80, 0.65),
    "variances": (0.162712, 0.231356),
    "shares": (0.4561, 0.5439),
}
C: dict[str, Any] = {
    "counts": (40, 40, 40),
    "means": (0.50, 0.62, 0.70),
    "variances": (0.25, 0.24, 0.21),
}
F: dict[str, Any] = {
    "counts": (200, 200),
    "means": (0.62, 0.60),
    "variances": (0.2368, 0.2412),
    "shares": (0.4977, 0.5023),
    "threshold": 4.9404,
}
I: dict[str, Any] = {  # noqa: E741 (its name)
    "counts": (12, 12, 12),
    "means": (10, 5, 2),
    "variances": (0.04, 0.01, 0.09),
    "hardness": 0.0110,
}

WORKED = [
    Worked("A", **A, hardness=69.5210, evidence=1.7129, threshold=4.7514),
    Worked("A'", **A, epsilon=0.05, hardness=39.1056, evidence=3.0452, threshold=4.7514),
    Worked(
        "B",
        (400, 300),
        (0.80, 0.65),
        (0.160401, 0.228261),
        (0.4560, 0.5440),
        68.5648,
        9.6826,
        5.0174,
        winner=0,
    ),
    Worked(
        "C",
        **C,
        shares=(0.0460, 0.4919, 0.4621),
        hardness=294.4836,
        evidence=0.2844,
        threshold=4.7514,
    ),
    Worked(
        "C'",
        **C,
        shares=(0.2000, 0.4133, 0.3867),
        min_prob=0.2,
        hardness=351.1714,
        evidence=0.2844,
        threshold=4.7514,
    ),
    Worked(
        "D",
        (50, 80, 120),
        (3.2, 2.9, 2.4),
        (1.44, 0.81, 1.00),
        (0.1863, 0.3721, 0.4416),
        24.6746,
        9.7517,
        4.8708,
        winner=2,
        epsilon=0.1,
        is_min=True,
    ),
    Worked(
        "E",
        (30, 25, 45, 20, 80),
        (0.31, 0.55, 0.48, 0.12, 0.60),
        (0.20, 0.25, 0.24, 0.10, 0.23),
        (0.0500, 0.4267, 0.0598, 0.0500, 0.4135),
        466.1798,
        0.1903,
        4.8360,
        epsilon=0.02,
        min_prob=0.05,
    ),
    Worked("F", **F, hardness=4779.8987, evidence=0.0837),
    Worked("F'", **F, epsilon=0.2, hardness=39.5033, evidence=10.1255, winner=0),
    Worked("G", (100, 100), (0.5, 0.5), (0.25, 0.25), (0.5, 0.5), evidence=0.0, threshold=4.8360),
    Worked("H", (100, 100), (0.5, 0.5), (0.09, 0.25), (0.3750, 0.6250), 1_280_000, 0.0, 4.8360),
    Worked(
        "I", **I, shares=(0.4532, 0.2045, 0.3424), evidence=2953.8462, threshold=4.5182, winner=0
    ),
    Worked("I0", **I, shares=(0.4595, 0.1997, 0.3409), regularisation=0.0),
    Worked("J", (10, 10), (1, 0), (0, 0), (0.5, 0.5), 8e-12, 2.5e12, 4.3810, winner=0),
    Worked("K", (10, 10), (1, 0.9), (0, 0.1), (0.0000, 1.0000), evidence=0.5, threshold=4.3810),
]


@pytest.mark.parametrize("worked", WORKED, ids=lambda each: each.name)
def test_worked_examples_come_out_to_four_digits(worked: Worked) -> None:
    """Shares, hardness, evidence, threshold, and whether it is decided."""
    contest = worked.contest

    shares = best_shares(contest, share_min=worked.min_prob, regularisation=worked.regularisation)

    assert [round(share, 4) for share in shares] == list(worked.shares)
    assert sum(shares) == pytest.approx(1)
    if worked.hardness is not None:
        found = hardness(contest, shares)
        assert found == pytest.approx(
            worked.hardness, rel=1e-6, abs=5e-5 if worked.hardness > 1e-3 else 1e-15
        )
    if worked.evidence is not None:
        found = min(map(contest.evidence, contest.rivals))
        assert found == pytest.approx(worked.evidence, rel=1e-4, abs=5e-5)
    if worked.threshold is not None:
        assert round(threshold(contest.samples, 0.05), 4) == worked.threshold
        assert contest.is_decided(0.05) is (worked.winner is not None)
        assert worked.winner in (None, contest.leader)


def test_example_k_leaves_a_leader_without_variance_next_to_nothing() -> None:
    """A trap: until the rival is rejected, hardly anybody gets what seems best."""
    (worked,) = [each for each in WORKED if each.name == "K"]

    assert best_shares(worked.contest)[0] == pytest.approx(3.16e-6, rel=1e-3)


@pytest.mark.parametrize(
    ("name", "evidence"),
    [
        ("C", [1.7391, 0.2844]),
        ("D", [10.9066, 9.7517]),
        ("E", [5.0358, 0.1903, 1.1939, 15.8730]),
    ],
)
def test_the_evidence_against_each_rival(name: str, evidence: list[float]) -> None:
    """In the order of the arms."""
    (worked,) = [each for each in WORKED if each.name == name]
    contest = worked.contest

    assert [round(contest.evidence(place), 4) for place in contest.rivals] == evidence


@pytest.mark.parametrize(
    ("samples", "delta", "beta"),
    [(1000, 0.05, 5.0636), (1000, 0.01, 6.6730), (10_000, 0.05, 5.3191), (200, 0.5, 2.5334)],
)
def test_the_threshold_rises_slowly(samples: int, delta: float, beta: float) -> None:
    """With the number of samples, and with the certainty that is asked for."""
    assert round(threshold(samples, delta), 4) == beta


@pytest.mark.parametrize(
    ("arms", "leader"),
    [
        ([Arm(10, 0.5, 0.2), Arm(10, 0.6, 0.2)], 1),
        ([Arm(10, 0.5, 0.2), Arm(20, 0.5, 0.2)], 1),
        ([Arm(10, 0.5 + 5e-11, 0.2), Arm(20, 0.5, 0.2)], 1),
        ([Arm(10, 0.5, 0.2), Arm(10, 0.5, 0.2)], 0),
    ],
    ids=["greater mean", "tie: more certain", "a tie within its tolerance", "tie: first"],
)
def test_the_leader_has_the_greatest_mean(arms: list[Arm], leader: int) -> None:
    """Of equal ones the one that is known best, then the first."""
    assert Contest(arms, 0.0).leader == leader


MEANS = st.floats(-10, 10)
VARIANCES = st.floats(0.01, 10)
COUNTS = st.integers(2, 500)
ARMS = st.builds(Arm, COUNTS, MEANS, VARIANCES)
CONTESTS = st.builds(Contest, st.lists(ARMS, min_size=2, max_size=5), st.floats(0, 1))


def has_clear_gaps(contest: Contest) -> bool:
    """Whether no gap is so small that its floor counts."""
    return all(contest.gap(place) ** 2 > 1e-3 for place in contest.rivals)


@given(contest=CONTESTS)
def test_property_a_the_least_evidence_is_the_samples_over_their_hardness(
    contest: Contest,
) -> None:
    """Of the samples as they were spread."""
    assume(has_clear_gaps(contest))
    shares = [arm.count / contest.samples for arm in contest.arms]

    least = min(map(contest.evidence, contest.rivals))

    assert least == pytest.approx(contest.samples / hardness(contest, shares))


@given(contest=CONTESTS)
def test_property_b_without_penalty_all_rivals_are_equally_hard(contest: Contest) -> None:
    """And the leader's share balances theirs."""
    assume(has_clear_gaps(contest))
    shares = best_shares(contest, regularisation=0.0)
    assume(min(shares) > 2 * SHARE_MIN)

    leader = contest.leader
    ratios = [
        2
        * (
            contest.arms[place].spread / shares[place]
            + contest.arms[leader].spread / shares[leader]
        )
        / contest.squared_gap(place)
        for place in contest.rivals
    ]

    assert ratios == pytest.approx([max(ratios)] * len(ratios), rel=1e-6)
    balance = sum(shares[place] ** 2 / contest.arms[place].spread for place in contest.rivals)
    assert shares[leader] ** 2 / contest.arms[leader].spread == pytest.approx(balance, rel=1e-3)


@given(contest=st.builds(Contest, st.lists(ARMS, min_size=2, max_size=2), st.floats(0, 1)))
def test_property_c_two_arms_share_by_their_standard_deviations(contest: Contest) -> None:
    """Whatever the gap is."""
    assume(has_clear_gaps(contest))
    first, second = (arm.spread**0.5 for arm in contest.arms)

    shares = best_shares(contest, regularisation=0.0)

    assert shares[0] == pytest.approx(first / (first + second), abs=1e-6)
    (rival,) = contest.rivals
    assert hardness(contest, shares) == pytest.approx(
        2 * (first + second) ** 2 / contest.squared_gap(rival), rel=1e-6
    )


@given(contest=CONTESTS, scale=st.floats(1, 100))
def test_property_d_the_unit_of_the_metric_does_not_matter(contest: Contest, scale: float) -> None:
    """Without the penalty, which knows of no unit."""
    assume(has_clear_gaps(contest))
    scaled = Contest(
        [Arm(arm.count, arm.mean * scale, arm.variance * scale**2) for arm in contest.arms],
        contest.epsilon * scale,
    )
    assume(scaled.leader == contest.leader)

    own, others = (best_shares(each, regularisation=0.0) for each in (contest, scaled))

    assert others == pytest.approx(own, abs=1e-4)


@given(contest=CONTESTS, share_min=st.floats(0, 0.15), data=st.data())
def test_property_e_no_small_step_is_better(contest: Contest, share_min: float, data: Any) -> None:
    """Nor any great one: the problem is convex. All shares are at least the least."""
    shares = best_shares(contest, share_min=share_min)
    places = range(len(shares))
    giver = data.draw(st.sampled_from(places))
    taker = data.draw(st.sampled_from([place for place in places if place != giver]))
    size = data.draw(st.sampled_from([1e-2, 1e-3, 1e-4]))
    moved = list(shares)
    moved[giver] -= size
    moved[taker] += size

    assert min(shares) >= max(share_min, SHARE_MIN) * (1 - 1e-6)
    assume(moved[giver] >= max(share_min, SHARE_MIN))

    assert cost(contest, moved) >= cost(contest, shares) * (1 - 1e-9)


def cost(contest: Contest, shares: list[float]) -> float:
    """What is minimised."""
    even = 1 / len(shares)
    weight = 0.01 / contest.samples**0.5
    return hardness(contest, shares) + weight * sum((share - even) ** 2 for share in shares)


@pytest.mark.parametrize("count", [2, 5, 10])
def test_a_least_share_for_all_leaves_no_choice(count: int) -> None:
    """They get equal ones."""
    arms = [Arm(10, place, 1.0) for place in range(count)]

    shares = best_shares(Contest(arms, 0.0), share_min=1 / count)

    assert shares == [1 / count] * count
