"""Inferences in progress, seen from other workers."""

from pathlib import Path

import pytest

from lsd.store import RunningTable, WorkerTable
from lsd.store import running_table as running_module
from tests.unit.store.makers import Maker


@pytest.fixture
def workers(tmp_path: Path) -> WorkerTable:
    """Three workers, of which the first two live."""
    table = WorkerTable.create(tmp_path, 3)
    table.enter(1)
    table.enter(2)
    return table


@pytest.fixture
def table(tmp_path: Path, workers: WorkerTable) -> RunningTable:
    """What runs in them: nothing."""
    return RunningTable.create(tmp_path, workers)


def test_another_worker_sees_what_runs(
    tmp_path: Path, workers: WorkerTable, table: RunningTable, make: Maker
) -> None:
    """By its own id and by that of its episode, until it ends."""
    first, second = table.enter(1), RunningTable.open(tmp_path, workers).enter(2)
    inference, episode = make.id(), make.id()

    place = first.note(inference, episode)
    assert place is not None
    during = [
        second.is_elsewhere(inference, "inference"),
        second.is_elsewhere(episode, "episode"),
        second.is_elsewhere(inference, "episode"),
        second.is_elsewhere(episode, "inference"),
        second.is_elsewhere(make.id(), "inference"),
        first.is_elsewhere(inference, "inference"),
    ]
    first.clear(place)

    assert during == [True, True, False, False, False, False]
    assert not second.is_elsewhere(inference, "inference")


def test_nothing_runs_in_the_dead(workers: WorkerTable, table: RunningTable, make: Maker) -> None:
    """Nor does it run in the successor."""
    first, second = table.enter(1), table.enter(2)
    inference = make.id()
    first.note(inference, make.id())

    workers.strike_out(1)
    of_dead = second.is_elsewhere(inference, "inference")
    workers.enter(1)
    table.enter(1)

    assert (of_dead, second.is_elsewhere(inference, "inference")) == (False, False)


def test_no_id_is_found_in_empty_places(table: RunningTable) -> None:
    """The one of zeros looks like them."""
    table.enter(1)

    assert not table.enter(2).is_elsewhere("00000000-0000-0000-0000-000000000000", "inference")


def test_there_is_a_bound(
    table: RunningTable, make: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More at a time are not seen by others, until there is a place again."""
    desk = table.enter(1)
    places = [desk.note(make.id(), make.id()) for _ in range(running_module.SLOTS)]

    beyond = desk.note(make.id(), make.id())
    assert places[0] is not None
    desk.clear(places[0])

    assert (None in places, beyond) == (False, None)
    assert desk.note(make.id(), make.id()) == places[0]
