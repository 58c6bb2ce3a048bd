"""Batches and items as values."""

import pytest

from lsd.store import ItemCounts
from tests.unit.store.makers import Maker


def test_counts_add_up() -> None:
    """The total is the sum over the states."""
    counts = ItemCounts(pending=1, running=2, completed=3, failed=4, cancelled=5)

    assert counts.total == 15


@pytest.mark.parametrize("state", ["pending", "running", "completed", "failed", "cancelled"])
def test_a_batch_is_under_way_until_its_last_item_has_ended(make: Maker, state: str) -> None:
    """Whatever the others are."""
    counts = ItemCounts(**{"completed": 2, state: 3})

    assert make.batch(counts=counts).is_under_way == (state in ("pending", "running"))
