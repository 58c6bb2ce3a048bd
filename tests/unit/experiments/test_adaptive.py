"""Adaptive experiments: the weights of variants follow the feedback on a metric."""

from collections import Counter
from random import Random
from statistics import mean
from typing import Any

import pytest

from lsd.conversation import decode_json, encode_json
from lsd.experiments import (
    AdaptiveDraw,
    ArmCount,
    Choice,
    Standing,
    choose,
    probabilities,
    standing_from_json,
    standing_json,
    standing_of,
)
from lsd.experiments import adaptive as adaptive_module
from tests.unit.experiments.makers import Simulation, adaptive, successes

WHOLE_STATES = [
    (
        {"a": (24, 30), "b": (12, 30)},
        "stopped",
        "a",
        {"a": 1.0, "b": 0.0},
    ),
    (
        {"a": (26, 40), "b": (16, 40)},
        "bandits_only",
        None,
        {"a": 0.4933, "b": 0.5067},
    ),
    (
        {"a": (18, 25), "b": (18, 30), "c": (2, 4), "d": (0, 0)},
        "nursery_and_bandits",
        None,
        {"a": 0.2395, "b": 0.2605, "c": 0.25, "d": 0.25},
    ),
    (
        {"a": (24, 30), "b": (12, 30), "c": (3, 9)},
        "nursery_and_stopped",
        "a",
        {"a": 0.5, "c": 0.5, "b": 0.0},
    ),
    ({"a": (40, 50), "b": (3, 9)}, "nursery_only", None, {"a": 0.5, "b": 0.5}),
    ({"a": (10, 10), "b": (10, 10)}, "bandits_only", None, {"a": 0.5, "b": 0.5}),
    ({"a": (0, 0)}, "stopped", "a", {"a": 1.0}),
    ({"a": (0, 0), "b": (0, 0)}, "nursery_only", None, {"a": 0.5, "b": 0.5}),
]


@pytest.mark.parametrize(("counts", "phase", "winner", "shown"), WHOLE_STATES)
def test_case_8_states_follow_from_the_values_alone(
    counts: dict[str, tuple[int, int]], phase: str, winner: str | None, shown: dict[str, float]
) -> None:
    """Phase, winner, and probabilities to four digits."""
    draw = adaptive(*counts)

    standing = standing_of(draw, [successes(name, *each) for name, each in counts.items()])

    assert (standing.phase, standing.winner) == (phase, winner)
    found = probabilities(draw, standing)
    assert {name: round(share, 4) for name, share in found.items()} == shown
    assert sum(found.values()) == pytest.approx(1)


def test_a_single_value_is_never_enough() -> None:
    """It has no variance, even where the configuration wants no more than one."""
    draw = adaptive("a", "b", min_samples_per_variant=1)

    assert standing_of(draw, [successes("a", 1, 1), successes("b", 0, 1)]).phase == "nursery_only"
    assert standing_of(draw, [successes("a", 2, 2), successes("b", 0, 2)]).phase == "stopped"


def test_less_may_be_better() -> None:
    """Then the variant with the smallest mean wins; what is shown is what was fed."""
    draw = adaptive("a", "b", minimises=True)

    standing = standing_of(draw, [successes("a", 24, 30), successes("b", 6, 30)])

    assert standing.winner == "b"
    assert [arm.mean for arm in standing.arms] == [0.8, 0.2]


def test_figures_of_an_arm() -> None:
    """Mean and sample variance, None while they are not defined."""
    none, one, some = (ArmCount.of("a", values) for values in ([], [3.0], [1.0, 2.0, 6.0]))

    assert (none.count, none.mean, none.variance) == (0, None, None)
    assert (one.count, one.mean, one.variance) == (1, 3.0, None)
    assert (some.count, some.mean, some.variance) == (3, 3.0, 7.0)


def test_a_standing_is_kept_as_json() -> None:
    """Whatever it holds comes back."""
    draw = adaptive("a", "b", "c")
    for counts in ((24, 12, 3), (18, 17, 16)):
        arms = [successes(name, good, 30) for name, good in zip("abc", counts, strict=True)]
        standing = standing_of(draw, arms)

        assert standing_from_json(decode_json(encode_json(standing_json(standing)))) == standing


def drawn(
    draw: AdaptiveDraw, standing: Standing, *tried: str, number: float = 0.0, turn: int = 0
) -> str | None:
    """The variant that is drawn."""
    choice = choose(draw, standing, tried, number=number, turn=turn)
    return None if choice is None else choice.variant


def test_the_nursery_takes_turns() -> None:
    """Whatever the number is; a variant that has failed is skipped, and no turn is lost by it."""
    draw = adaptive("a", "b", "c", fallback=("x", "y"))
    standing = standing_of(draw, [ArmCount.of(name, []) for name in "abc"])

    turns = [drawn(draw, standing, number=0.999999999, turn=turn) for turn in range(7)]

    assert turns == ["a", "b", "c", "a", "b", "c", "a"]
    assert choose(draw, standing, (), number=0.5, turn=1) == Choice("b", True)
    assert drawn(draw, standing, "b", turn=1) == "c"
    assert drawn(draw, standing, "b", "c", turn=1) == "a"
    assert drawn(draw, standing, *"abc") == "x"
    assert drawn(draw, standing, *"abc", "x") == "y"
    assert drawn(draw, standing, *"abc", "x", "y") is None


def test_bandits_are_drawn_by_weight_in_the_order_of_their_names() -> None:
    """Beside the nursery, which has a share for each of its own."""
    draw = adaptive("d", "b", "a", "c")
    standing = Standing(
        phase="nursery_and_bandits", nursery=("d", "c"), bandits={"b": 0.75, "a": 0.25}
    )

    assert [drawn(draw, standing, number=number, turn=1) for number in (0.0, 0.49)] == ["c", "c"]
    assert [drawn(draw, standing, number=number) for number in (0.5, 0.62)] == ["a", "a"]
    assert [drawn(draw, standing, number=number) for number in (0.63, 0.999)] == ["b", "b"]
    assert drawn(draw, standing, "b", number=0.67) == "a"
    assert drawn(draw, standing, "b", number=0.66) == "d"
    assert drawn(draw, standing, "c", "d", number=0.2) == "a"
    assert drawn(draw, standing, "a", "b", number=0.99, turn=1) == "c"


def test_after_a_winner_come_the_fallback_variants_and_then_the_losers() -> None:
    """It has been found to be the best; the losers are the last that are tried."""
    draw = adaptive("b", "a", "c", fallback=("x",))
    standing = Standing(phase="stopped", winner="a")

    order: list[str] = []
    while (name := drawn(draw, standing, *order, number=0.5)) is not None:
        order.append(name)

    assert order == ["a", "x", "b", "c"]


def test_a_winner_shares_with_the_nursery_alone() -> None:
    """When all of them have failed, the order is as behind any winner."""
    draw = adaptive("a", "b", "c", fallback=("x",))
    standing = Standing(phase="nursery_and_stopped", nursery=("c",), winner="a")

    assert [drawn(draw, standing, number=number) for number in (0.49, 0.5)] == ["c", "a"]
    assert drawn(draw, standing, "a", number=0.99) == "c"
    assert drawn(draw, standing, "c", number=0.01) == "a"
    assert drawn(draw, standing, "a", "c", number=0.5) == "x"
    assert drawn(draw, standing, "a", "c", "x", number=0.5) == "b"


def test_probabilities_are_those_of_the_draw() -> None:
    """What is told is what happens, over many episodes."""
    draw = adaptive("a", "b", "c", "d", variants=("a", "b", "c", "d", "spare"))
    arms = [successes(*each) for each in (("a", 18, 25), ("b", 18, 30), ("c", 2, 4), ("d", 0, 0))]
    standing = standing_of(draw, arms)
    random = Random(7)
    seen: Counter[str] = Counter()
    turn = 0

    for _ in range(20_000):
        choice = choose(draw, standing, (), number=random.random(), turn=turn)
        assert choice is not None
        turn += choice.is_turn
        seen[choice.variant] += 1

    for name, share in probabilities(draw, standing).items():
        assert seen[name] / 20_000 == pytest.approx(share, abs=0.015)
    assert abs(seen["c"] - seen["d"]) <= 1


@pytest.mark.parametrize("failure", [ZeroDivisionError("x"), ValueError("y"), None])
def test_without_an_optimum_all_bandits_are_alike(
    monkeypatch: pytest.MonkeyPatch, failure: Exception | None
) -> None:
    """A bug in the search costs samples, and no request."""

    def fail(*_: Any, **__: Any) -> list[float]:
        if failure is None:
            return [float("nan")] * 2
        raise failure

    monkeypatch.setattr(adaptive_module, "best_shares", fail)

    standing = standing_of(adaptive("a", "b"), [successes("a", 5, 20), successes("b", 6, 20)])

    assert standing.bandits == {"a": 0.5, "b": 0.5}


def test_over_200_seeds_the_wrong_winner_is_as_rare_as_delta_says() -> None:
    """And all of them end; bench/experiments.py does the same with closer means."""
    draw = adaptive("a", "b", "c")
    ended = [Simulation(draw, (0.9, 0.4, 0.4), Random(seed), 40) for seed in range(200)]
    for each in ended:
        each.run(5_000)

    winners = Counter(each.standing.winner for each in ended)
    print(winners, mean(each.episodes for each in ended))

    assert winners[None] == 0
    assert winners["a"] >= 200 * (1 - draw.delta)


def test_the_draw_converges_on_the_best_and_stops() -> None:
    """Means of 0.6, 0.5 and 0.5: some 1500 episodes by theory, a few times that at most."""
    shares = []
    for seed in range(5):
        simulation = Simulation(adaptive("a", "b", "c"), (0.6, 0.5, 0.5), Random(seed), 100)

        standing = simulation.run(6 * 1_470)

        assert standing.winner == "a", seed
        assert probabilities(simulation.draw, standing) == {"a": 1.0, "b": 0.0, "c": 0.0}
        shares.append(len(simulation.values["a"]) / simulation.episodes)
    assert mean(shares) > 1 / 3
