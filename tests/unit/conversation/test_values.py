"""Values: equal by what they hold, and good for sets and as keys."""

import attrs

from lsd.conversation import frozen


@frozen(kw_only=True)
class Place:
    """Something with two fields, one of which is seldom told."""

    street: str
    number: int | None = None


@frozen
class Pair:
    """Something whose fields are given in order."""

    left: int
    right: int


def test_values_are_what_they_hold() -> None:
    """As with attrs' own: equal and of one hash, if the fields are."""
    assert Place(street="Elm") == Place(street="Elm", number=None)
    assert Place(street="Elm") != Place(street="Elm", number=1)
    assert len({Place(street="Elm"), Place(street="Elm"), Pair(1, 2)}) == 2


def test_a_changed_value_is_another_one() -> None:
    """Nothing is assigned to; a copy differs in a field."""
    one = Place(street="Elm", number=1)

    other = attrs.evolve(one, number=2)

    assert (one.number, other.number) == (1, 2)


def test_values_hold_nothing_else() -> None:
    """They have slots: a misspelt field is an error, and there is no dictionary to pay for."""
    assert not hasattr(Pair(1, 2), "__dict__")
