"""Keys: ids in order, strings hashed apart, prefixes with an end."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsd.store import layout
from lsd.store.engine import Environment
from lsd.store.errors import StoreRefused
from tests.unit.store.makers import Maker


@given(st.uuids())
def test_an_id_comes_back_from_its_key(uuid: object) -> None:
    """An id is 16 bytes in a key and the same text afterwards."""
    assert layout.id_text(layout.id_key(str(uuid))) == str(uuid)


def test_keys_are_in_the_order_of_issue(make: Maker) -> None:
    """Sorting keys sorts by time."""
    ids = [make.id() for _ in range(100)]

    assert sorted(layout.id_key(each) for each in ids) == [layout.id_key(each) for each in ids]


@given(prefix=st.binary(max_size=4), key=st.binary(max_size=6))
def test_the_end_of_a_prefix_divides_its_keys_from_the_rest(prefix: bytes, key: bytes) -> None:
    """A range up to the end holds the keys that begin with the prefix, and no other."""
    end = layout.end_of(prefix)

    is_inside = key >= prefix and (end is None or key < end)

    assert is_inside == key.startswith(prefix)


def test_the_parts_of_a_hash_do_not_run_together() -> None:
    """A tag `ab` = `c` is not the tag `a` = `bc`."""
    assert layout.tag_key("ab", "c") != layout.tag_key("a", "bc")
    assert len(layout.tag_key("ab", "c" * 10_000)) == 16


def test_an_environment_is_claimed_once(environment: Environment) -> None:
    """The version is written into a new environment and accepted ever after."""
    layout.claim(environment)
    layout.claim(environment)

    with environment.read() as transaction:
        assert transaction.get(layout.META, b"layout") == b'{"version":3}'


def test_a_newer_layout_is_refused(environment: Environment) -> None:
    """A program does not touch what a newer one has written."""
    layout.claim(environment)
    environment.write(lambda transaction: transaction.put(layout.META, b"layout", b'{"version":4}'))

    with pytest.raises(StoreRefused, match="found on-disk format 4; this program reads format 3"):
        layout.claim(environment)


def test_every_database_has_a_name_of_its_own() -> None:
    """Two databases of one environment never share a name."""
    data = (layout.META, *layout.DATA_DATABASES)
    state = (layout.META, *layout.STATE_DATABASES)

    assert (len(set(data)), len(set(state))) == (len(data), len(state))


@given(left=st.floats(allow_nan=False), right=st.floats(allow_nan=False))
def test_values_sort_in_keys_as_they_do_as_numbers(left: float, right: float) -> None:
    """Of two values the lesser has the lesser key; equal ones, as 0.0 and -0.0, have the same."""
    keys = layout.value_key(left), layout.value_key(right)

    assert (keys[0] < keys[1]) == (left < right)
    assert (keys[0] == keys[1]) == (left == right)
    assert layout.value_of_key(keys[0] + b"more") == left


def test_booleans_sort_before_numbers() -> None:
    """A metric that changed its type still has an order."""
    values = [False, True, -math.inf, -1.0, 0.0, 1e-300, 2.5, math.inf]
    keys = [layout.value_key(value) for value in values]

    assert keys == sorted(keys)
    assert [layout.value_of_key(key) for key in keys] == values
