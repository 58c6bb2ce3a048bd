"""`lsd batch`."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lsd.batches import batch_head
from lsd.cli.failures import CommandFailed
from lsd.cli.watch_batch import print_changes, show_bar, states_of
from lsd.conversation import decode_json
from lsd.store import ItemCounts
from tests.unit.cli.stores import filled_store, run
from tests.unit.store.makers import Maker, put


def growing(make: Maker) -> Iterator[dict[str, Any]]:
    """A batch of three as it ends, seen twice in the middle, when its provider is ill."""
    batch_id, ill = make.id(), make.part(poll_error="[/b] HTTP 500")
    for counts, part in (
        (ItemCounts(running=3), make.part()),
        (ItemCounts(running=1, completed=2), ill),
        (ItemCounts(running=1, completed=2), ill),
        (ItemCounts(completed=3), make.part()),
    ):
        yield batch_head(make.batch(batch_id=batch_id, counts=counts), [part])


def test_each_change_is_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    """What stays the same is told once."""
    print_changes(growing(Maker()))

    lines = [decode_json(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["progress"]["completed"] for line in lines] == [0, 2, 3]
    assert [line["status"] for line in lines] == ["pending", "pending", "completed"]
    assert [line.get("poll_error") for line in lines] == [None, "[/b] HTTP 500", None]


def test_a_terminal_gets_a_bar(capsys: pytest.CaptureFixture[str]) -> None:
    """And at the end the last line."""
    last = show_bar(growing(Maker()))

    told = capsys.readouterr()
    assert last["progress"]["completed"] == 3
    assert "3/3" in told.err
    assert decode_json(told.out)["status"] == "completed"


def test_a_batch_is_looked_at_until_it_is_over(folder: Path) -> None:
    """With pauses in between."""
    make = Maker()
    store = filled_store(folder, make, inferences=0)
    batch = make.batch()
    put(store, store.batches.submit(batch, [make.new_item()]))
    pauses: list[float] = []

    def sleep(seconds: float) -> None:
        pauses.append(seconds)
        put(store, store.batches.cancel(batch.batch_id))

    states = list(states_of(store.batches, batch.batch_id, sleep))
    with pytest.raises(CommandFailed, match="wanted the id of a batch"):
        next(states_of(store.batches, make.id(), sleep))
    store.close()

    assert [state["status"] for state in states] == ["pending", "cancelled"]
    assert len(pauses) == 1


def test_the_exit_code_tells_whether_all_went_well(folder: Path) -> None:
    """As for every command, so that scripts can wait for a batch."""
    make = Maker()
    store = filled_store(folder, make, inferences=0)
    batch = make.batch()
    put(store, store.batches.submit(batch, [make.new_item()]))
    put(store, store.batches.cancel(batch.batch_id))
    store.close()

    result = run("batch", batch.batch_id)
    nonsense = run("batch", "nonsense")

    assert (result.exit_code, nonsense.exit_code) == (1, 1)
    assert decode_json(result.stdout)["status"] == "cancelled"
    assert "BATCH_ID" in nonsense.stderr
