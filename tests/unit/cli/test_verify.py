"""`lsd verify`."""

from pathlib import Path

from lsd.store import layout
from tests.unit.cli.stores import filled_store, run
from tests.unit.store.makers import Maker


def test_a_good_store_is_told(folder: Path) -> None:
    """One line, exit code 0."""
    filled_store(folder, Maker()).close()

    result = run("verify")

    assert (result.exit_code, result.stdout) == (0, "nothing is wrong\n")


def test_everything_that_is_wrong_is_told(folder: Path) -> None:
    """A line each, exit code 1."""
    store = filled_store(folder, Maker())
    with store.data.read() as transaction:
        (key, _), *_ = transaction.range(layout.BY_TAG)
    store.data.write(lambda transaction: transaction.delete(layout.BY_TAG, key))
    store.close()

    result = run("verify")

    assert result.exit_code == 1
    assert result.stdout.startswith("ix_tag: ")
