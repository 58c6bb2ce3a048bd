"""Examples of dicl variants: what was asked, what should be answered, and where it lies."""

from array import array

from lsd.store import Example, Store
from tests.unit.store.makers import Maker, put

F, V = "write_haiku", "dicl"


def example(make: Maker, *numbers: float, text: str = "{}") -> Example:
    """An example at this place."""
    return Example(
        id=make.id(), input=text, output='[{"type":"text"}]', vector=array("f", numbers).tobytes()
    )


def test_examples_are_stored_together_and_listed_newest_first(store: Store, make: Maker) -> None:
    """By variant of a function; a page ends where the next one goes on."""
    made = [example(make, 1, 0, text=f'{{"n":{n}}}') for n in range(5)]
    put(store, store.examples.add(F, V, made))
    put(store, store.examples.add(F, "other", [example(make, 0, 1)]))

    first = store.examples.page(F, V, before=None, limit=2)
    second = store.examples.page(F, V, before=first[-1].id, limit=10)

    assert [each.id for each in first + second] == [each.id for each in reversed(made)]
    assert first[0].input == '{"n":4}'
    assert store.examples.page(F, "absent", before=None, limit=10) == []


def test_each_change_counts_up_the_version(store: Store, make: Maker) -> None:
    """That of the variant alone; removing what is not there changes nothing."""
    deleted: list[int] = []
    versions = [store.examples.version(F, V)]
    put(store, store.examples.add(F, V, [example(make, 1), example(make, 1)]))
    versions.append(store.examples.version(F, V))
    put(store, store.examples.delete(F, V, deleted))
    versions.append(store.examples.version(F, V))
    assert deleted == [2]
    put(store, store.examples.delete(F, V, deleted))
    versions.append(store.examples.version(F, V))

    assert deleted == [0]
    assert versions == [0, 1, 2, 2]
    assert store.examples.version(F, "other") == 0


def test_who_knows_some_is_told_the_rest(store: Store, make: Maker) -> None:
    """Vectors of fresh ones only, and which of the known ones are still there."""
    old, new = example(make, 1, 0), example(make, 0, 1)
    put(store, store.examples.add(F, V, [old]))
    known = store.examples.changes(F, V, frozenset())
    put(store, store.examples.add(F, V, [new]))

    changes = store.examples.changes(F, V, known.ids)

    assert known.fresh == ((old.id, old.vector),)
    assert changes.ids == {old.id, new.id}
    assert changes.fresh == ((new.id, new.vector),)
    assert (known.version, changes.version) == (1, 2)
    assert store.examples.changes(F, "absent", frozenset()).version == 0


def test_examples_are_read_by_their_ids(store: Store, make: Maker) -> None:
    """In the order asked for; unknown ones are left out."""
    one, two = example(make, 1), example(make, 2)
    named = Example(id=make.id(), input="{}", output="[]", namespace="lab", vector=b"\0\0\0\0")
    put(store, store.examples.add(F, V, [one, two, named]))

    found = store.examples.get(F, V, [named.id, make.id(), one.id])

    assert found == [named, one]
    assert store.examples.get("absent", V, [one.id]) == []
