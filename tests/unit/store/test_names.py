"""Names and their numbers."""

from collections.abc import Callable

import pytest

from lsd.store import Store, StoreFailed
from lsd.store import names as names_module
from lsd.store.names import FUNCTION, METRIC, VARIANT_OF_FUNCTION, Names
from lsd.store.transaction import Transaction


def test_a_name_keeps_its_number(store: Store) -> None:
    """The same name has the same number in every process and after every restart."""
    first, second = Names(), Names()

    numbers = [
        store.data.write(lambda transaction, each=each: each.number(transaction, FUNCTION, "haiku"))
        for each in (first, first, second)
    ]

    with store.data.read() as transaction:
        assert {*numbers, Names().find(transaction, FUNCTION, "haiku")} == {b"\0\0\0\1"}


def test_kinds_are_counted_apart(store: Store) -> None:
    """A function and a metric of one name do not meet."""
    names = Names()

    def intern(transaction: object) -> list[bytes]:
        pairs = [(FUNCTION, "a"), (FUNCTION, "b"), (METRIC, "b"), (METRIC, "a")]
        return [names.number(transaction, kind, name) for kind, name in pairs]

    assert [each[-1] for each in store.data.write(intern)] == [1, 2, 1, 2]


def test_a_pair_is_the_numbers_of_its_names(store: Store) -> None:
    """Those that both have by themselves; one that a write gave in vain is forgotten."""
    names = Names()

    def intern(transaction: Transaction) -> bytes:
        return names.pair(transaction, VARIANT_OF_FUNCTION, "haiku", "terse")

    def intern_in_vain(transaction: Transaction) -> None:
        names.pair(transaction, VARIANT_OF_FUNCTION, "sonnet", "terse")
        raise StoreFailed("path", "late")

    with pytest.raises(StoreFailed):
        store.data.write(intern_in_vain)
    pairs = [store.data.write(intern) for _ in range(2)]

    assert pairs == [b"\0\0\0\1\0\0\0\1"] * 2
    with store.data.read() as transaction:
        assert names.find(transaction, FUNCTION, "haiku") == b"\0\0\0\1"
        assert names.find(transaction, FUNCTION, "sonnet") is None


def test_a_number_leads_back_to_its_name(store: Store) -> None:
    """Whoever reads a key can tell the name, known or not."""
    number = store.data.write(lambda transaction: Names().number(transaction, FUNCTION, "haiku"))
    names = Names()

    with store.data.read() as transaction:
        found = [names.name(transaction, FUNCTION, number) for _ in range(2)]

    assert found == ["haiku", "haiku"]


def test_a_number_given_in_vain_is_forgotten(store: Store) -> None:
    """When a write is taken back, its new names are too, and their numbers go to others."""
    names = Names()

    def fail(transaction: object) -> None:
        names.number(transaction, FUNCTION, "ghost")
        raise ValueError("taken back")

    with pytest.raises(ValueError, match="taken back"):
        store.data.write(fail)
    store.data.write(lambda transaction: names.number(transaction, FUNCTION, "haiku"))

    with store.data.read() as transaction:
        assert names.find(transaction, FUNCTION, "ghost") is None
        assert names.name(transaction, FUNCTION, b"\0\0\0\1") == "haiku"


@pytest.mark.parametrize("long", ["x" * 10_000, "ö" * 300])
def test_a_name_may_be_longer_than_a_key(store: Store, long: str) -> None:
    """Names of models are whatever a client sends."""
    names = Names()
    number = store.data.write(lambda transaction: names.number(transaction, FUNCTION, long))
    store.data.write(lambda transaction: names.number(transaction, FUNCTION, long + "!"))

    with store.data.read() as transaction:
        assert Names().find(transaction, FUNCTION, long) == number
        assert Names().name(transaction, FUNCTION, number) == long


def test_names_held_in_memory_are_bounded(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Any number of names can be stored, and none of them is mixed up."""
    monkeypatch.setattr(names_module, "_KNOWN_MAX", 3)
    names = Names()

    def intern(name: str) -> Callable[[object], bytes]:
        return lambda transaction: names.number(transaction, FUNCTION, name)

    first = [store.data.write(intern(str(number))) for number in range(10)]
    second = [store.data.write(intern(str(number))) for number in range(10)]

    assert first == second
    assert len(set(first)) == 10
