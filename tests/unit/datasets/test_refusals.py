"""What people read when a change of a dataset is not made."""

from lsd.datasets import DatasetUnchanged


def test_a_refusal_says_that_nothing_was_stored() -> None:
    """Whatever the reason is."""
    told = str(DatasetUnchanged("the disk is full"))

    assert told == "nothing was stored, the dataset is unchanged: the disk is full"
