"""The adaptive experiments of a process: which variant an episode has, and how things stand."""

from collections import Counter
from collections.abc import MutableMapping
from random import Random
from typing import Any

import pytest
import trio

from lsd.conversation import IdGenerator
from lsd.inference.adaptive_experiments import (
    AdaptiveExperiments,
    standing_shown,
)
from lsd.store import FeedbackRecord, InferenceRecord, Store, StoreFull
from tests.unit.experiments.makers import adaptive
from tests.unit.inference.conftest import StartGateway
from tests.unit.inference.fake_providers import says
from tests.unit.inference.gateway import NOW_MS, PLAIN, Shelf, TrioClock, experiment_store

DRAW = adaptive("a", "b", "c", fallback=("spare",))


@pytest.fixture
def ids() -> IdGenerator:
    """Ids that rise."""
    ticks = iter(range(NOW_MS, NOW_MS + 10_000_000))
    return IdGenerator(lambda: next(ticks) * 1_000_000, Random(7))


def experiments(shelf: Shelf | None, *draws: Any) -> AdaptiveExperiments:
    """A process with these experiments."""
    return AdaptiveExperiments(
        draws=draws or (DRAW,),
        kept=None if shelf is None else experiment_store(shelf),
        clock=TrioClock(),
        random=Random(7),
    )


def feed(store: Store, ids: IdGenerator, variant: str, good: int, count: int) -> None:
    """Inferences of a variant, so many of them good."""
    for place in range(count):
        inference = InferenceRecord(
            inference_id=ids.new(),
            episode_id=ids.new(),
            function_name="f",
            variant_name=variant,
            function_type="chat",
        )
        store.data.write(store.inferences.record(inference).apply)
        feedback = FeedbackRecord(
            id=ids.new(),
            kind="boolean",
            target_id=inference.inference_id,
            target_type="inference",
            metric_name="good",
            value=place < good,
        )
        store.data.write(store.feedback.record(feedback).apply)


async def drawn(made: AdaptiveExperiments, episode_id: str, *tried: str, **options: Any) -> Any:
    """The variant of an episode."""
    return await made.choose(DRAW, episode_id, tried, **{"is_dryrun": False, **options})


async def test_the_nursery_gives_each_candidate_as_many_episodes(
    shelf: Shelf, ids: IdGenerator
) -> None:
    """Exactly, across processes and restarts; repeated requests of an episode count once."""
    episodes = [ids.new() for _ in range(30)]
    made = experiments(shelf)
    first = [await drawn(made, episode) for episode in episodes[:13]]
    again = [await drawn(made, episode) for episode in episodes[:13]]
    later = [await drawn(experiments(shelf), episode) for episode in episodes[13:]]

    assert again == first
    assert Counter(first + later) == {"a": 10, "b": 10, "c": 10}


async def test_case_12_fifty_first_requests_of_one_episode_have_one_variant(
    shelf: Shelf, ids: IdGenerator
) -> None:
    """And take one turn."""
    made, episode = experiments(shelf), ids.new()
    names: list[str] = []

    async def ask() -> None:
        names.append(await drawn(made, episode))

    async with trio.open_nursery() as nursery:
        for _ in range(50):
            nursery.start_soon(ask)

    assert names == ["a"] * 50
    assert await drawn(made, ids.new()) == "b"


async def test_case_13_a_dry_run_leaves_no_assignment(shelf: Shelf, ids: IdGenerator) -> None:
    """It reads one, and takes no turn."""
    made, episode, other = experiments(shelf), ids.new(), ids.new()
    assert await drawn(made, episode) == "a"

    assert await drawn(made, episode, is_dryrun=True) == "a"
    assert [await drawn(made, other, is_dryrun=True) for _ in range(3)] == ["b"] * 3
    assert await drawn(made, other) == "b"


async def test_a_failed_variant_keeps_its_episode(shelf: Shelf, ids: IdGenerator) -> None:
    """Others are tried in this request, by the rule of the draw; no turn is lost by that."""
    made, episode = experiments(shelf), ids.new()
    order: list[str] = []
    while (name := await drawn(made, episode, *order)) is not None:
        order.append(name)

    assert order[0] == "a"
    assert sorted(order[1:3]) == ["b", "c"]
    assert order[3:] == ["spare"]
    assert await drawn(made, episode) == "a"
    assert await drawn(made, ids.new()) == "b"


async def test_a_variant_that_has_left_the_experiment_is_replaced(
    shelf: Shelf, ids: IdGenerator
) -> None:
    """A fallback variant is kept, as one of the experiment's."""
    made, episode = experiments(shelf), ids.new()
    assert await drawn(made, episode) == "a"
    later = experiments(shelf)
    smaller = adaptive("b", "c", fallback=("a",))
    smallest = adaptive("b", "c")

    assert await later.choose(smaller, episode, (), is_dryrun=False) == "a"
    replaced = await later.choose(smallest, episode, (), is_dryrun=False)
    assert replaced in ("b", "c")
    assert await drawn(made, episode) == replaced


async def test_case_9_after_a_winner_new_episodes_are_its_and_old_ones_stay(
    shelf: Shelf, ids: IdGenerator, log: list[MutableMapping[str, Any]]
) -> None:
    """The winner is told in the log, once."""
    made, old = experiments(shelf), [ids.new() for _ in range(3)]
    before = [await drawn(made, episode) for episode in old]
    for name, good in (("a", 2), ("b", 29), ("c", 3)):
        feed(shelf.store, ids, name, good, 30)

    await made.update()
    await made.update()

    assert {await drawn(made, ids.new()) for _ in range(20)} == {"b"}
    assert [await drawn(made, episode) for episode in old] == before == ["a", "b", "c"]
    (told,) = [each for each in log if each["event"] == "experiment has a winner"]
    assert (told["winner"], told["function"]) == ("b", "f")
    assert told["arms"]["a"] == [30, 2 / 30]


async def test_case_10_a_new_candidate_and_the_winner_share(shelf: Shelf, ids: IdGenerator) -> None:
    """A restart decides before the first request; losers get nothing."""
    for name, good in (("a", 2), ("b", 29)):
        feed(shelf.store, ids, name, good, 30)
    two = adaptive("a", "b")
    made = experiments(shelf, two)
    await made.update()
    assert await made.choose(two, ids.new(), (), is_dryrun=False) == "b"

    later = experiments(shelf)
    await later.update()

    assert later.standing(DRAW).standing.phase == "nursery_and_stopped"
    assert {await drawn(later, ids.new()) for _ in range(30)} == {"b", "c"}


async def test_a_standing_is_worked_out_from_time_to_time(shelf: Shelf, ids: IdGenerator) -> None:
    """By one process; the others read what it has found. Without traffic, too."""
    draw = adaptive("a", "b", update_period_s=1)
    one, other = experiments(shelf, draw), experiments(shelf, draw)
    await one.update()
    feed(shelf.store, ids, "a", 29, 30)
    feed(shelf.store, ids, "b", 2, 30)

    assert other.standing(draw).standing.phase == "nursery_only"
    with trio.fail_after(30):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(one.keep_up_to_date)
            nursery.start_soon(other.keep_up_to_date)
            # A process learns of it by looking.
            while other.standing(draw).standing.winner is None:  # noqa: ASYNC110
                await trio.sleep(0.01)
            nursery.cancel_scope.cancel()

    assert one.standing(draw) == other.standing(draw)
    shown = standing_shown(draw, one.standing(draw))
    assert shown["probabilities"] == {"a": 1.0, "b": 0.0}
    assert shown["experiment"]["phase"] == "stopped"
    assert shown["experiment"]["winner"] == "a"
    assert shown["experiment"]["as_of"].endswith("Z")
    assert [arm["count"] for arm in shown["experiment"]["arms"]] == [30, 30]


async def test_only_the_newest_values_count_where_there_are_too_many(
    shelf: Shelf, ids: IdGenerator
) -> None:
    """A variant that has become better is not judged by what it was."""
    draw = adaptive("a", "b", max_samples_per_variant=20)
    feed(shelf.store, ids, "a", 0, 100)
    feed(shelf.store, ids, "a", 20, 20)
    made = experiments(shelf, draw)

    await made.update()

    (arm, _) = made.standing(draw).standing.arms
    assert (arm.count, arm.mean) == (20, 1.0)


async def test_an_update_that_fails_leaves_the_old_standing(
    shelf: Shelf,
    ids: IdGenerator,
    log: list[MutableMapping[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """And a line in the log that names the experiment."""
    made = experiments(shelf)
    await made.update()
    before = made.standing(DRAW)

    def fail(*_: Any, **__: Any) -> Any:
        raise StoreFull("/data", "disk", 1)

    monkeypatch.setattr(type(shelf.store.feedback_statistics), "by_variant", fail)
    await made.update()

    assert made.standing(DRAW) == before
    (told,) = [each for each in log if each["event"] == "experiment not updated"]
    assert (told["function"], told["namespace"]) == ("f", None)


async def test_a_store_that_cannot_write_costs_stickiness_and_no_request(
    shelf: Shelf, ids: IdGenerator, log: list[MutableMapping[str, Any]]
) -> None:
    """The episode may get another variant next time."""
    made = experiments(shelf)
    await shelf.writer.close()

    assert await drawn(made, ids.new()) == "a"
    assert [each["event"] for each in log if each["log_level"] == "warning"] == [
        "variant not assigned"
    ]


async def test_without_a_store_an_episode_decides_by_itself(ids: IdGenerator) -> None:
    """Always the same; all candidates have their share."""
    made = experiments(None)
    episodes = [ids.new() for _ in range(300)]
    await made.update()

    first = [await drawn(made, episode) for episode in episodes]
    again = [await drawn(experiments(None), episode) for episode in episodes]

    assert first == again
    assert all(60 < count < 140 for count in Counter(first).values())
    assert set(first) == {"a", "b", "c"}
    assert standing_shown(DRAW, made.standing(DRAW))["experiment"]["as_of"] is None


async def test_pinned_requests_neither_read_nor_write(start: StartGateway, shelf: Shelf) -> None:
    """They are no part of the draw; their feedback counts all the same."""
    config = (
        PLAIN
        + """
[metrics.good]
type = "boolean"
level = "inference"
optimize = "max"

[functions.tried]
type = "chat"
variants = { a.model = "m", b.model = "m" }
[functions.tried.experimentation]
type = "adaptive"
metric = "good"
candidate_variants = ["a", "b"]
"""
    )
    gateway = start(config, shelf=shelf)
    gateway["one"].will(says("Hi"))

    pinned = await gateway.infer(function_name="tried", variant_name="b")
    drawn_later = await gateway.infer(function_name="tried", episode_id=pinned["episode_id"])

    assert pinned["variant_name"] == "b"
    assert drawn_later["variant_name"] == "a"


async def test_a_variant_may_be_drawn_for_several_episodes(shelf: Shelf, ids: IdGenerator) -> None:
    """Each keeps it, unless it had one before; no turn is taken."""
    made, old, new = experiments(shelf), ids.new(), ids.new()
    assert await drawn(made, old) == "a"
    for episode in (old, new):
        write = made.assignment(DRAW, episode, "c")
        assert write is not None
        await shelf.writer.commit(write)

    assert [await drawn(made, old), await drawn(made, new)] == ["a", "c"]
    assert experiments(None).assignment(DRAW, new, "c") is None


async def test_a_draw_can_wait_for_a_commit(shelf: Shelf, ids: IdGenerator) -> None:
    """Candidates take their turns then, as in draws that are made at once."""
    made, episodes = experiments(shelf), [ids.new() for _ in range(4)]
    for episode in episodes:
        write = made.drawing(DRAW, episode)
        assert write is not None
        await shelf.writer.commit(write)

    drawn = [await made.choose(DRAW, episode, (), is_dryrun=False) for episode in episodes]

    assert set(drawn) >= {"a", "b"}
    again = made.drawing(DRAW, episodes[0])
    assert again is not None
    await shelf.writer.commit(again)
    assert await made.choose(DRAW, episodes[0], (), is_dryrun=False) == drawn[0]
    assert experiments(None).drawing(DRAW, episodes[0]) is None
