"""Which variant an episode has in an adaptive experiment, and whose turn it is in the nursery."""

from lsd.store import Assigned, Experiment, Store
from tests.unit.store.makers import Maker, put

BASE = Experiment(function_name="f", namespace=None)
LAB = Experiment(function_name="f", namespace="lab")
ABC = ("a", "b", "c")


def assign(
    store: Store, experiment: Experiment, episode_id: str, *, variants: tuple[str, ...] = ABC
) -> str:
    """The variant that an episode has then; variants take turns."""
    learned: list[str] = []
    write = store.assignments.assign(
        experiment,
        episode_id,
        variants=variants,
        choose=lambda turn: Assigned(variant_name=variants[turn % len(variants)], takes_turn=True),
        learn=learned.append,
    )
    put(store, write)
    return learned[-1]


def test_an_episode_keeps_its_variant_and_takes_one_turn(store: Store, make: Maker) -> None:
    """However often it is asked for."""
    first, second = make.id(), make.id()

    given = [assign(store, BASE, episode) for episode in (first, first, second, first)]

    assert given == ["a", "a", "b", "a"]
    assert store.assignments.turn(BASE) == 2
    assert store.assignments.get(BASE, first) == "a"
    assert store.assignments.get(BASE, make.id()) is None


def test_experiments_do_not_know_each_other(store: Store, make: Maker) -> None:
    """Of another function, or of another namespace."""
    episode = make.id()
    assign(store, BASE, make.id())
    assign(store, BASE, episode)
    other = Experiment(function_name="g", namespace=None)

    assert (store.assignments.get(LAB, episode), store.assignments.turn(LAB)) == (None, 0)
    assert (store.assignments.get(other, episode), store.assignments.turn(other)) == (None, 0)
    assert assign(store, LAB, episode) == "a"
    assert store.assignments.get(BASE, episode) == "b"


def test_a_variant_that_is_gone_is_replaced(store: Store, make: Maker) -> None:
    """One that the experiment no longer lists."""
    episode = make.id()
    assign(store, BASE, episode)

    assert assign(store, BASE, episode, variants=("b", "c")) == "c"
    assert store.assignments.get(BASE, episode) == "c"


def test_not_every_assignment_is_a_turn(store: Store, make: Maker) -> None:
    """Only those of the nursery."""
    drawn = Assigned(variant_name="b", takes_turn=False)
    write = store.assignments.assign(
        BASE, make.id(), variants=ABC, choose=lambda _: drawn, learn=lambda _: None
    )

    put(store, write)

    assert store.assignments.turn(BASE) == 0
