"""Adaptive experiments, simulated: how often the wrong variant wins, and how soon any does.

    python3 -m bench.experiments [SEEDS] [MEAN…]     # 200 seeds, means 0.6 0.5 0.5

Each seed is an experiment of its own: episodes are drawn as LSD draws them, and the variant that
was drawn is good with the probability that is its mean. It ends when there is a winner. Theory says
that about T* x beta episodes are needed, where T* is how hard the best spread makes it, and that
the wrong variant wins in no more than delta of all experiments.
"""

import sys
from random import Random
from statistics import mean, median

from lsd.experiments.track_and_stop import Arm, Contest, best_shares, hardness, threshold
from tests.unit.experiments.makers import Simulation, adaptive

EPISODES_MAX = 100_000
EPISODES_PER_UPDATE = 60


def main(seeds: int, means: list[float]) -> None:
    """Simulates, and prints what came out."""
    names = [f"variant_{place}" for place in range(len(means))]
    best = names[means.index(max(means))]
    draw = adaptive(*names)
    ended = []
    for seed in range(seeds):
        simulation = Simulation(draw, means, Random(seed), EPISODES_PER_UPDATE)
        simulation.run(EPISODES_MAX)
        ended.append(simulation)
    winners = [each.standing.winner for each in ended]
    episodes = [each.episodes for each in ended]
    contest = Contest([Arm(1, each, each * (1 - each)) for each in means], 0.0)
    shares = best_shares(contest, regularisation=0.0)
    needed = hardness(contest, shares) * threshold(round(mean(episodes)), draw.delta)
    spent = [len(each.values[best]) / each.episodes for each in ended]
    wrong = sum(winner not in (best, None) for winner in winners)
    print(f"means {means}, {seeds} seeds, delta {draw.delta}")
    print(f"wrong winners {wrong} ({wrong / seeds:.3f}), no winner {winners.count(None)}")
    print(f"episodes: mean {mean(episodes):.0f}, median {median(episodes):.0f}, ", end="")
    print(f"max {max(episodes)}; T* x beta {needed:.0f}")
    print(f"share of the best: {mean(spent):.3f}; by theory {shares[names.index(best)]:.3f}")


if __name__ == "__main__":
    arguments = sys.argv[1:]
    main(int(arguments[0]) if arguments else 200, [*map(float, arguments[1:])] or [0.6, 0.5, 0.5])
