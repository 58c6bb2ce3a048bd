"""The nearest among many vectors: an exact search in plain Python."""

import math
from array import array
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsd.inference import neighbours as module
from lsd.inference.neighbours import DIGITS, Near, Neighbours, code_max, unit_vector


def unit(*numbers: float) -> "array[float]":
    """The numbers scaled to length 1."""
    vector = unit_vector(numbers)
    assert vector is not None
    return vector


def gathered(vectors: list["array[float]"]) -> Neighbours:
    """Vectors under the keys 000, 001 and so on."""
    return Neighbours().with_vectors([(f"{at:03}", each) for at, each in enumerate(vectors)])


def by_hand(vectors: list["array[float]"], query: "array[float]", count: int) -> list[Near]:
    """The same, vector by vector."""
    measured = sorted(
        (round(math.dist(query, each) ** 2 / 2, DIGITS), f"{at:03}")
        for at, each in enumerate(vectors)
    )
    return [Near(distance, key) for distance, key in measured[:count]]


@pytest.mark.parametrize(
    ("numbers", "distance"),
    [
        ((2, 0, 0), 0.0),
        ((1, 1, 0), 0.2929),
        ((3, 4, 0), 0.4),
        ((0, 3, 0), 1.0),
        ((-1, 0, 0), 2.0),
    ],
    ids=str,
)
def test_distance_is_one_minus_the_cosine(numbers: tuple[float, ...], distance: float) -> None:
    """Whatever the length of the vectors was."""
    (near,) = gathered([unit(*numbers)]).nearest(unit(1, 0, 0), 1)

    assert round(near.distance, 4) == distance


def test_the_same_direction_is_at_distance_zero() -> None:
    """Exactly, so that a greatest distance of 0 finds it."""
    numbers = [0.1, 0.7, -0.3, 1e-3]

    (near,) = gathered([unit(*numbers)]).nearest(unit(*numbers), 1)

    assert near.distance == 0


def test_ties_go_by_key() -> None:
    """Ids are in the order of their making, so the older comes first."""
    vectors = [unit(0, 1), unit(1, 0), unit(1, 0), unit(1, 0)]

    near = gathered(vectors).nearest(unit(1, 0), 2)

    assert [each.key for each in near] == ["001", "002"]


def test_a_vector_of_zeros_is_at_distance_one_from_all() -> None:
    """It has no direction."""
    assert unit_vector([0, 0]) is None

    near = gathered([unit(0, 1), unit(1, 0)]).nearest(None, 5)

    assert near == [Near(1.0, "000"), Near(1.0, "001")]


def test_none_are_wanted_or_there() -> None:
    """Nothing is found then."""
    assert gathered([unit(1, 0)]).nearest(unit(1, 0), 0) == []
    assert Neighbours().nearest(None, 3) == []
    assert (Neighbours().size, Neighbours().dimensions) == (0, None)


def test_many_are_searched_as_if_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Over several blocks, the last of them not full; random directions and near copies."""
    monkeypatch.setattr(module, "VECTORS_PER_BLOCK", 64)
    random = Random(7)
    vectors = [unit(*(random.gauss(0, 1) for _ in range(48))) for _ in range(200)]
    close = [unit(*(each + random.gauss(0, 1e-4) for each in vectors[9])) for _ in range(50)]
    everything = vectors + close

    found = gathered(everything)

    assert (found.size, found.dimensions) == (250, 48)
    for query in (vectors[9], unit(*(random.gauss(0, 1) for _ in range(48)))):
        for count in (1, 10, 60, 500):
            assert found.nearest(query, count) == by_hand(everything, query, count)


def test_vectors_are_added_to_what_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """The old search goes on as it was: another request may be in it."""
    monkeypatch.setattr(module, "VECTORS_PER_BLOCK", 3)
    old = gathered([unit(1, 0), unit(0, 1)])

    new = old.with_vectors([("a", unit(1, 1)), ("b", unit(1, 2)), ("c", unit(-1, 0))])

    assert (old.size, new.size) == (2, 5)
    assert [each.key for each in new.nearest(unit(1, 1), 2)] == ["a", "b"]
    assert {each.key for each in new.nearest(unit(1, 0), 9)} == {"000", "001", "a", "b", "c"}


NUMBERS = st.floats(-1, 1, width=32).map(float)


@given(data=st.data())
def test_what_is_found_is_always_what_a_loop_finds(data: Any) -> None:
    """Also where numbers are tiny, equal or 0."""
    dimensions = data.draw(st.integers(1, 6))
    numbers = st.lists(NUMBERS, min_size=dimensions, max_size=dimensions)
    units = numbers.map(unit_vector).filter(lambda each: each is not None)
    vectors = data.draw(st.lists(units, min_size=1, max_size=12))
    query = data.draw(units)
    count = data.draw(st.integers(1, 12))

    assert gathered(vectors).nearest(query, count) == by_hand(vectors, query, count)


@pytest.mark.parametrize("dimensions", [1, 3, 768, 1536, 3072, 65_536])
def test_no_lane_runs_over(dimensions: int) -> None:
    """At the extremes: all codes as great as they get."""
    most = code_max(dimensions)

    assert 2 * most * most * dimensions < 2**32
    assert most >= 100
