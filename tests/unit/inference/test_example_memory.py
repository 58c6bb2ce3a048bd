"""The examples of dicl variants as they are searched: in memory, in step with the store."""

from array import array
from random import Random

import pytest

from lsd.conversation import IdGenerator
from lsd.inference import example_memory as module
from lsd.inference.example_memory import ExampleMemory, VectorsDiffer, vector_bytes
from lsd.store import Example, Store

F, V = "chat", "near"


@pytest.fixture
def ids() -> IdGenerator:
    """Ids that rise."""
    ticks = iter(range(1_770_000_000_000, 1_780_000_000_000))
    return IdGenerator(lambda: next(ticks) * 1_000_000, Random(7))


def add(store: Store, ids: IdGenerator, *vectors: tuple[float, ...]) -> list[str]:
    """Stores examples at these places."""
    made = [
        Example(id=ids.new(), input="{}", output="[]", vector=vector_bytes(array("f", numbers)))
        for numbers in vectors
    ]
    store.data.write(store.examples.add(F, V, made).apply)
    return [each.id for each in made]


async def found(memory: ExampleMemory, *numbers: float, count: int = 9) -> list[str]:
    """The ids of the nearest."""
    near = await memory.nearest(F, V, array("f", numbers), count=count)
    return [each.example.id for each in near]


@pytest.mark.parametrize("multiplications_max", [200_000, 0], ids=["in the loop", "in a thread"])
async def test_what_is_committed_is_found_at_once(
    store: Store, ids: IdGenerator, monkeypatch: pytest.MonkeyPatch, multiplications_max: int
) -> None:
    """Additions and removals of any process, by the next search."""
    monkeypatch.setattr(module, "MULTIPLICATIONS_MAX", multiplications_max)
    memory = ExampleMemory(store.examples)
    assert await found(memory, 1, 0) == []

    first, second = add(store, ids, (1, 0), (0, 1))
    assert await found(memory, 1, 0) == [first, second]
    (third,) = add(store, ids, (0.6, 0.8))
    assert await found(memory, 1, 0) == [first, third, second]
    assert await found(memory, 0, 1, count=2) == [second, third]

    store.data.write(store.examples.delete(F, V, []).apply)
    assert await found(memory, 1, 0) == []
    (fourth,) = add(store, ids, (0, 1))
    assert await found(memory, 1, 0) == [fourth]


async def test_distances_come_with_the_examples(store: Store, ids: IdGenerator) -> None:
    """Nearest first; each with its record."""
    add(store, ids, (1, 0), (0, 1))

    near = await ExampleMemory(store.examples).nearest(F, V, array("f", (0, 1)), count=2)

    assert [each.distance for each in near] == [0, 1]
    assert near[0].example.input == "{}"


async def test_vectors_of_another_length_are_refused(store: Store, ids: IdGenerator) -> None:
    """They come of another model."""
    add(store, ids, (1, 0))

    with pytest.raises(VectorsDiffer) as refused:
        await found(ExampleMemory(store.examples), 1, 0, 0)

    assert str(refused.value) == (
        "found a vector of 3 numbers for the input; the examples have 2: "
        "was the embedding model changed?"
    )


async def test_variants_do_not_see_each_others_examples(store: Store, ids: IdGenerator) -> None:
    """They belong to a variant of a function."""
    add(store, ids, (1, 0))

    near = await ExampleMemory(store.examples).nearest(F, "other", array("f", (1, 0)), count=3)

    assert near == []
