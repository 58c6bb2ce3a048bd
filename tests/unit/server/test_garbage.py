"""The garbage collector in a serving process."""

import gc
from collections.abc import Iterator

import attrs
import pytest

from lsd.server.garbage import spare_the_lasting


@pytest.fixture(autouse=True)
def collector() -> Iterator[None]:
    """The other tests keep Python's own ways."""
    before = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*before)


@attrs.define(eq=False)
class Knot:
    """Refers to itself, so that only the collector can free it."""

    itself: "Knot | None" = None
    freed: list[str] = attrs.field(factory=list)

    def __del__(self) -> None:
        self.freed.append("knot")


def test_what_the_start_has_made_is_not_looked_at_again() -> None:
    """A look at all objects passes over what was there before."""
    lasting = Knot()
    assert gc.is_tracked(lasting)

    spare_the_lasting()

    assert gc.get_freeze_count() > 1000
    assert not any(each is lasting for each in gc.get_objects())


def test_garbage_of_requests_is_still_found() -> None:
    """Cycles that are made while serving are freed."""
    spare_the_lasting()
    freed: list[str] = []
    knot = Knot(freed=freed)
    knot.itself = knot

    del knot
    young = [[] for _ in range(gc.get_threshold()[0] + 1)]

    assert freed == ["knot"], f"{len(young)} objects later"
