"""The table of workers: readers in one find what others have answered for."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from lsd.store import Gathering, Progress, Store, WorkerTable, Write, Writer
from lsd.store.layout import META
from lsd.store.worker_table import WAIT_S_MAX
from tests.unit.store.makers import HandClock

PUT = Write(apply=lambda transaction: transaction.put(META, b"one", b"{}"))


@pytest.fixture
def table(tmp_path: Path) -> WorkerTable:
    """The table of three workers."""
    return WorkerTable.create(tmp_path, 3)


def stored(store: Store) -> bool:
    """Whether `PUT` is in the store."""
    with store.data.read() as transaction:
        return transaction.get(META, b"one") is not None


@asynccontextmanager
async def two_writers(
    store: Store, clock: HandClock, table: WorkerTable, **options: Any
) -> AsyncIterator[tuple[Writer, Writer]]:
    """Writers of two workers, in one process for once."""
    first, second = (
        store.writer(clock, progress=table.enter(number), **options) for number in (1, 2)
    )
    async with trio.open_nursery() as nursery:
        await nursery.start(first.run)
        await nursery.start(second.run)
        yield first, second
        await first.close()
        await second.close()


def test_the_living_are_counted(table: WorkerTable) -> None:
    """A worker lives from its entry until it is struck out; all processes see the same."""
    table.enter(1)
    table.enter(3)
    both = table.living()
    table.strike_out(1)

    assert (both, table.living()) == (2, 1)


def test_the_table_is_one_for_all(tmp_path: Path, table: WorkerTable) -> None:
    """Who opens it sees what others note, and an older table is gone when a new one is made."""
    opened = WorkerTable.open(tmp_path)
    opened.enter(2)
    seen = table.living()
    anew = WorkerTable.create(tmp_path, 5)

    assert (opened.workers, seen) == (3, 1)
    assert (anew.workers, anew.living(), WorkerTable.open(tmp_path).workers) == (5, 0, 5)


def test_only_others_are_waited_for(table: WorkerTable) -> None:
    """Those who live and have something on its way."""
    first, second, third = (table.enter(number) for number in (1, 2, 3))
    for row in (first, second, third):
        row.note_queued(5)
    second.note_settled(5)
    behind = first.others_behind()
    table.strike_out(3)

    assert [each.target for each in behind] == [5]
    assert first.others_behind() == []
    assert [third.is_haste_wanted(), second.is_haste_wanted()] == [True, False]


async def wait_for(reader: Progress, behind: list[Any]) -> bool:
    """Whether the wait was over in much less than its bound."""
    began = trio.current_time()
    await reader.wait_for(behind)
    return trio.current_time() - began < WAIT_S_MAX / 2


@pytest.mark.parametrize("event", ["settled", "dead", "replaced"])
async def test_a_reader_waits_until_it_can_wait_for_nothing_more(
    table: WorkerTable, autojump_clock: MockClock, event: str
) -> None:
    """Settled, or never to be settled: the dead and their successors owe nothing."""
    reader, other = table.enter(1), table.enter(2)
    other.note_queued(7)
    behind = reader.others_behind()

    async def change() -> None:
        await trio.sleep(WAIT_S_MAX / 10)
        if event == "settled":
            other.note_settled(7)
        else:
            table.strike_out(2)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(change)
        assert await wait_for(reader, behind)


async def test_a_reader_does_not_wait_for_ever(
    table: WorkerTable, autojump_clock: MockClock, log: list[Any]
) -> None:
    """A worker that hangs makes readers late, once, and a warning."""
    reader, other = table.enter(1), table.enter(2)
    other.note_queued(7)

    with trio.fail_after(2 * WAIT_S_MAX):
        await reader.wait_for(reader.others_behind())

    assert [(entry["log_level"], entry["workers"]) for entry in log] == [("warning", [2])]


async def test_what_another_worker_has_queued_is_committed_before_a_barrier(
    store: Store, clock: HandClock, table: WorkerTable
) -> None:
    """As if it had been queued here."""
    async with two_writers(store, clock, table) as (first, second):
        first.queue_nowait(PUT)
        await second.settle()

        assert stored(store)


async def test_a_reader_elsewhere_does_not_wait_for_a_flush(
    store: Store, clock: HandClock, table: WorkerTable
) -> None:
    """In batch mode, too, it asks for haste and gets it."""
    an_hour = Gathering(flush_interval_ms=3_600_000, max_rows=1000)
    async with two_writers(store, clock, table, gathering=an_hour) as (first, second):
        first.queue_nowait(PUT)
        await wait_all_tasks_blocked()
        waiting = stored(store)
        await second.settle()

        assert (waiting, stored(store)) == (False, True)
