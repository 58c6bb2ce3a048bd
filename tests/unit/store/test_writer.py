"""The writer: what is queued, awaited, gathered, dropped, and finished at the end."""

import threading
from collections.abc import AsyncIterator, MutableMapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from lsd.store import (
    Gathering,
    Store,
    StoreFailed,
    StoreFull,
    UnknownTarget,
    Write,
    WriteFailed,
    Writer,
)
from lsd.store import writer as writer_module
from lsd.store._group_commit import PAUSE_EVERY
from lsd.store.layout import META
from tests.unit.store.makers import SMALL, HandClock, Maker

BATCH = Gathering(flush_interval_ms=100, max_rows=10)


def putting(key: str, rows: int = 1) -> Write:
    """A write of one key."""
    return Write(apply=lambda transaction: transaction.put(META, key.encode(), b"{}"), rows=rows)


def failing() -> Write:
    """A write with a bug."""

    def apply(_transaction: object) -> None:
        raise ValueError("a bug")

    return Write(apply=apply)


def too_great() -> Write:
    """A write for which no map of the test has room."""
    return Write(apply=lambda transaction: transaction.put(META, b"great", bytes(80 << 20)))


class Slow:
    """A write that keeps the writer's thread busy until it may end."""

    def __init__(self) -> None:
        self.may_end = threading.Event()
        self.has_begun = threading.Event()

    def write(self, key: str) -> Write:
        def apply(transaction: Any) -> None:
            self.has_begun.set()
            self.may_end.wait(timeout=10)
            transaction.put(META, key.encode(), b"{}")

        return Write(apply=apply)

    async def wait_begun(self) -> None:
        await trio.to_thread.run_sync(self.has_begun.wait, 10)


def keys_in(store: Store) -> list[str]:
    """What the writes of this test have put."""
    with store.data.read() as transaction:
        return [key.decode() for key, _ in transaction.range(META) if key != b"layout"]


@asynccontextmanager
async def running(store: Store, clock: HandClock, **options: Any) -> AsyncIterator[Writer]:
    """A writer that runs, and is closed at the end."""
    writer = store.writer(clock, **options)
    async with trio.open_nursery() as nursery:
        await nursery.start(writer.run)
        yield writer
        await writer.close()


async def test_what_is_awaited_is_committed(store: Store, clock: HandClock) -> None:
    """When `commit` returns, every reader sees the write."""
    async with running(store, clock) as writer:
        await writer.commit(putting("one"))

        assert keys_in(store) == ["one"]


async def test_what_is_queued_is_committed_before_a_barrier(store: Store, clock: HandClock) -> None:
    """After `settle`, everything queued before is visible."""
    async with running(store, clock) as writer:
        for number in range(5):
            writer.queue_nowait(putting(str(number)))
        await writer.settle()

        assert keys_in(store) == ["0", "1", "2", "3", "4"]
        assert writer.statistics().writes_settled == writer.statistics().writes_queued


async def test_writes_that_wait_share_a_commit(store: Store, clock: HandClock) -> None:
    """What arrives during a commit goes into the next one, all together."""
    slow = Slow()
    async with running(store, clock) as writer:
        writer.queue_nowait(slow.write("slow"))
        await slow.wait_begun()
        for number in range(5):
            writer.queue_nowait(putting(str(number)))
        waiting = writer.statistics()
        slow.may_end.set()
        await writer.settle()

        assert (waiting.rows_waiting, waiting.writes_settled) == (5, 0)
        assert (writer.statistics().commits, writer.statistics().rows_waiting) == (2, 0)


async def test_a_commit_that_nobody_waits_for_leaves_others_a_turn(
    store: Store, clock: HandClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that somebody waits for does not."""
    pauses: list[str] = []
    name = "awaited"
    monkeypatch.setattr(writer_module, "_pause", lambda: pauses.append(name))
    committed = trio.Event()
    async with running(store, clock, on_commit=lambda _: committed.set()) as writer:
        for number in range(PAUSE_EVERY):
            writer.queue_nowait(putting(str(number)))
        await writer.settle()
        name, committed = "alone", trio.Event()
        for number in range(PAUSE_EVERY):
            writer.queue_nowait(putting(str(number)))
        await committed.wait()

    assert pauses == ["alone"]


async def test_a_barrier_waits_for_the_commit_under_way(store: Store, clock: HandClock) -> None:
    """What the thread is just storing was queued before, too."""
    slow = Slow()
    async with running(store, clock) as writer, trio.open_nursery() as nursery:
        writer.queue_nowait(slow.write("slow"))
        await slow.wait_begun()
        nursery.start_soon(writer.settle)
        await wait_all_tasks_blocked()
        early = keys_in(store)
        slow.may_end.set()

    assert (early, keys_in(store)) == ([], ["slow"])


async def test_a_barrier_with_nothing_before_it_costs_no_commit(
    store: Store, clock: HandClock
) -> None:
    """Reads on an idle gateway do not write."""
    async with running(store, clock) as writer:
        await writer.settle()

        assert writer.statistics().commits == 0


async def test_a_failing_write_is_told_to_the_one_who_waits(store: Store, clock: HandClock) -> None:
    """The failure reaches its own caller; the neighbours are stored."""
    failures: list[Exception] = []

    async def commit(writer: Writer, write: Write) -> None:
        try:
            await writer.commit(write)
        except WriteFailed as failure:
            failures.append(failure)

    async with running(store, clock) as writer, trio.open_nursery() as nursery:
        for write in (putting("one"), failing(), putting("two")):
            nursery.start_soon(commit, writer, write)

    assert [str(failure) for failure in failures] == ["the write was not stored: ValueError: a bug"]
    assert keys_in(store) == ["one", "two"]


async def test_a_failing_write_that_nobody_awaits_is_logged_and_counted(
    store: Store, clock: HandClock, log: list[MutableMapping[str, Any]]
) -> None:
    """A record that is lost is not lost silently, and the next commit makes the store well."""
    async with running(store, clock) as writer:
        writer.queue_nowait(failing())
        await writer.settle()
        ill = writer.statistics()
        writer.queue_nowait(putting("one"))
        await writer.settle()
        well = writer.statistics()

    assert (ill.last_commit_ok, ill.write_errors, ill.rows_dropped) == (False, 1, 1)
    assert (well.last_commit_ok, well.write_errors, well.rows_dropped) == (True, 1, 1)
    assert "a record was not stored" in [entry["event"] for entry in log]


async def test_a_full_store_is_told_once_and_cleared_by_the_next_success(
    store: Store, clock: HandClock, log: list[MutableMapping[str, Any]]
) -> None:
    """Records are dropped with one loud word; who waits is told each time."""
    async with running(store, clock) as writer:
        for _ in range(3):
            writer.queue_nowait(too_great())
            await writer.settle()
        with pytest.raises(StoreFull):
            await writer.commit(too_great())
        full = writer.statistics()
        await writer.commit(putting("one"))
        cleared = writer.statistics()
        writer.queue_nowait(too_great())
        await writer.settle()

    assert (full.last_commit_ok, full.rows_dropped, full.write_errors) == (False, 3, 4)
    assert (cleared.last_commit_ok, cleared.rows_dropped) == (True, 3)
    loud = [entry["event"] for entry in log if entry["log_level"] == "error"]
    assert loud == ["records are being dropped until there is room"] * 2


async def test_a_refusal_is_no_failure_of_the_store(
    store: Store, clock: HandClock, make: Maker
) -> None:
    """Feedback on something unknown is the caller's affair; the store stays well."""
    async with running(store, clock) as writer:
        with pytest.raises(UnknownTarget):
            await writer.commit(store.feedback.record(make.feedback(make.id())))

        assert writer.statistics().last_commit_ok
        assert writer.statistics().write_errors == 0


async def test_a_batch_waits_for_its_interval(
    store: Store, clock: HandClock, autojump_clock: MockClock
) -> None:
    """In batch mode rows are gathered, and committed when the interval is over."""
    done = trio.Event()
    async with running(
        store, clock, gathering=BATCH, on_commit=lambda _seconds: done.set()
    ) as writer:
        writer.queue_nowait(putting("one"))
        started = trio.current_time()
        await done.wait()

        assert trio.current_time() - started >= 0.1
        assert keys_in(store) == ["one"]


async def test_a_batch_goes_when_it_has_its_rows(store: Store, clock: HandClock) -> None:
    """As many rows as wanted end the gathering at once."""
    patient = Gathering(flush_interval_ms=10**9, max_rows=10)
    done = trio.Event()
    async with running(
        store, clock, gathering=patient, on_commit=lambda _seconds: done.set()
    ) as writer:
        writer.queue_nowait(putting("five", rows=5))
        await wait_all_tasks_blocked()
        early = writer.statistics().commits
        writer.queue_nowait(putting("ten", rows=5))
        await done.wait()

    assert (early, keys_in(store)) == (0, ["five", "ten"])


async def test_whoever_waits_hurries_a_batch(store: Store, clock: HandClock) -> None:
    """A barrier or an awaited write does not sit out the interval, and takes the rest along."""
    patient = Gathering(flush_interval_ms=10**9, max_rows=10**9)
    async with running(store, clock, gathering=patient) as writer:
        writer.queue_nowait(putting("one"))
        await writer.settle()
        writer.queue_nowait(putting("two"))
        await writer.commit(putting("three"))
        await wait_all_tasks_blocked()
        writer.queue_nowait(putting("zzz"))
        await wait_all_tasks_blocked()
        gathered = keys_in(store)

    assert gathered == ["one", "three", "two"]
    assert keys_in(store) == ["one", "three", "two", "zzz"]


async def test_a_full_queue_drops_new_rows(
    store: Store, clock: HandClock, log: list[MutableMapping[str, Any]]
) -> None:
    """Beyond the capacity rows are dropped, counted, and said once; awaited writes get in."""
    patient = Gathering(flush_interval_ms=10**9, max_rows=10**9)
    async with running(store, clock, gathering=patient, rows_max=3) as writer:
        for number in range(5):
            writer.queue_nowait(putting(str(number)))
        full = writer.statistics()
        await writer.commit(putting("awaited"))
        writer.queue_nowait(putting("later"))

    assert (full.rows_waiting, full.rows_dropped) == (3, 2)
    assert keys_in(store) == ["0", "1", "2", "awaited", "later"]
    assert [entry["log_level"] for entry in log] == ["error"]
    assert log[0]["reason"] == "the queue is full at write_queue_capacity = 3"


async def test_a_queue_that_stays_too_small_is_told_of_once(
    store: Store, clock: HandClock, log: list[MutableMapping[str, Any]]
) -> None:
    """A long overload is one line in the log; the next one, after a calm, is another."""
    patient = Gathering(flush_interval_ms=10**9, max_rows=10**9)

    async def commit(writer: Writer, rows: int) -> None:
        for number in range(rows):
            writer.queue_nowait(putting(str(number)))
        await writer.settle()

    async with running(store, clock, gathering=patient, rows_max=3) as writer:
        for rows in (5, 5, 5):
            await commit(writer, rows)
        overload = len(log)
        for rows in (1, 5):
            await commit(writer, rows)

    assert (overload, len(log)) == (1, 2)
    assert writer.statistics().rows_dropped == 8


async def test_a_write_greater_than_the_queue_gets_into_an_empty_one(
    store: Store, clock: HandClock
) -> None:
    """A small capacity does not shut out an inference with many calls."""
    async with running(store, clock, rows_max=1) as writer:
        writer.queue_nowait(putting("many", rows=5))

    assert keys_in(store) == ["many"]


async def test_a_great_write_that_is_awaited_costs_nobody_his_record(
    store: Store, clock: HandClock, nursery: trio.Nursery
) -> None:
    """It takes no room in the queue of those that are dropped when it is full."""
    writer = store.writer(clock, rows_max=3)
    nursery.start_soon(writer.commit, putting("great", rows=10_000))
    await wait_all_tasks_blocked()
    writer.queue_nowait(putting("first"))
    writer.queue_nowait(putting("second"))

    await nursery.start(writer.run)
    await writer.close()

    assert keys_in(store) == ["first", "great", "second"]
    assert writer.statistics().rows_dropped == 0


async def test_closing_stores_what_waits(store: Store, clock: HandClock) -> None:
    """An orderly end loses nothing, in batch mode neither."""
    patient = Gathering(flush_interval_ms=10**9, max_rows=10**9)
    async with running(store, clock, gathering=patient) as writer:
        for number in range(5):
            writer.queue_nowait(putting(str(number)))

    assert keys_in(store) == ["0", "1", "2", "3", "4"]
    assert not writer.statistics().is_running


async def test_a_closed_writer_takes_nothing(store: Store, clock: HandClock) -> None:
    """Who comes too late is told, or counted if he does not wait."""
    async with running(store, clock) as writer:
        pass

    writer.queue_nowait(putting("late"))
    with pytest.raises(WriteFailed, match="closed"):
        await writer.commit(putting("late"))
    await writer.settle()
    await writer.close()

    assert (keys_in(store), writer.statistics().rows_dropped) == ([], 1)


async def test_a_cancelled_writer_stores_what_waits(store: Store, clock: HandClock) -> None:
    """Even an impatient end commits what was queued before it."""
    slow = Slow()
    writer = store.writer(clock)
    async with trio.open_nursery() as nursery:
        await nursery.start(writer.run)
        writer.queue_nowait(slow.write("slow"))
        await slow.wait_begun()
        writer.queue_nowait(putting("waiting"))
        nursery.cancel_scope.cancel()
        slow.may_end.set()

    assert keys_in(store) == ["slow", "waiting"]


async def test_a_writer_cancelled_while_it_gathers_stores_what_waits(
    store: Store, clock: HandClock
) -> None:
    """A batch that is being gathered is not lost either."""
    writer = store.writer(clock, gathering=Gathering(flush_interval_ms=10**9, max_rows=10**9))
    async with trio.open_nursery() as nursery:
        await nursery.start(writer.run)
        writer.queue_nowait(putting("one"))
        await wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()

    assert keys_in(store) == ["one"]


async def test_who_waits_on_a_writer_out_of_time_is_told(
    store: Store, clock: HandClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the last deadline passes, nobody waits for ever."""
    monkeypatch.setattr(writer_module, "_LAST_COMMITS_S", 0.0)
    failures: list[WriteFailed] = []
    slow = Slow()
    writer = store.writer(clock)

    async def commit() -> None:
        with trio.CancelScope(shield=True):
            try:
                await writer.commit(putting("too late"))
            except WriteFailed as failure:
                failures.append(failure)

    async with trio.open_nursery() as nursery:
        await nursery.start(writer.run)
        writer.queue_nowait(slow.write("slow"))
        await slow.wait_begun()
        nursery.start_soon(commit)
        await wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()
        slow.may_end.set()

    assert [failure.reason for failure in failures] == ["the writer has stopped"]
    assert keys_in(store) == ["slow"]


async def test_a_cancelled_caller_leaves_its_write_in_the_queue(
    store: Store, clock: HandClock
) -> None:
    """A write that was asked for is stored, also when nobody waits any more."""
    slow = Slow()
    async with running(store, clock) as writer:
        writer.queue_nowait(slow.write("slow"))
        await slow.wait_begun()
        with trio.move_on_after(0):
            await writer.commit(putting("asked for"))
        slow.may_end.set()

    assert keys_in(store) == ["asked for", "slow"]


async def test_groups_are_bounded(
    store: Store, clock: HandClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A long queue is stored in several transactions, in its order."""
    monkeypatch.setattr(writer_module, "_GROUP_ROWS_MAX", 4)
    slow = Slow()
    async with running(store, clock) as writer:
        writer.queue_nowait(slow.write("slow"))
        await slow.wait_begun()
        for number in range(6):
            writer.queue_nowait(putting(str(number), rows=2))
        slow.may_end.set()
        await writer.settle()

        assert writer.statistics().commits == 4


async def test_commits_are_timed(store: Store, clock: HandClock) -> None:
    """The metrics hear how long each commit took, by the clock that was handed in."""
    seconds: list[float] = []

    def wait(_transaction: object) -> None:
        clock.advance_s(0.25)

    async with running(store, clock, on_commit=seconds.append) as writer:
        await writer.commit(Write(apply=wait))

    assert seconds == [0.25]


async def test_a_writer_on_a_closed_store_fails_its_writes(
    clock: HandClock, tmp_path: Path
) -> None:
    """A store that is gone is an error for each write, and never a hang."""
    other = Store.open(tmp_path / "other", SMALL, is_server=True)
    async with running(other, clock) as writer:
        other.close()
        with pytest.raises(StoreFailed):
            await writer.commit(putting("one"))

        assert not writer.statistics().last_commit_ok
