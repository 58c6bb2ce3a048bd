"""The writer: one task of a process that commits everything waiting as one transaction.

A commit costs a sync of the disk, however many writes it holds; so what arrives while one commit
is under way goes into the next one together. The event loop never waits for a disk.
"""

from collections.abc import Callable, Iterable
from functools import partial
from select import select

import attrs
import trio

from lsd.conversation import LsdError
from lsd.store._group_commit import Outcome, Write, commit_group
from lsd.store._writer_tally import WriterTally
from lsd.store.engine import Environment
from lsd.store.errors import WriteFailed
from lsd.store.worker_table import Progress
from lsd.telemetry import Clock

_GROUP_ROWS_MAX = 10_000
"""Rows of one transaction. More would hold up other processes, and gain nothing: at this size
the sync is a small part of the commit."""

_LAST_COMMITS_S = 60.0
"""How long a cancelled writer goes on committing what waits: a slow disk gets through a full
queue, a hung one does not keep the process from ending."""

_PAUSE_S = 0.000_01
"""Enough to be put aside: on one processor, the event loop that a request has woken would
else wait for the end of the whole commit."""

_WRITES_WITH_PAUSES_MAX = 110
"""One client that asks without a break comes to some 80 in the time that records are gathered. More
come of a load under which all answers wait for each other: the sooner this is over the better for
them."""

_HASTE_LOOK_S = 0.005
"""In batch mode, so often a writer looks whether a reader in another process waits for it: short
beside the second that the reader waits, and only while records are gathered."""


@attrs.frozen(kw_only=True)
class Gathering:
    """Batch mode: a commit waits for company, this long or until there are so many rows."""

    flush_interval_ms: int
    max_rows: int


@attrs.frozen(kw_only=True)
class WriterStatistics:
    """What the writer has done so far. Counts start at 0 with the process."""

    is_running: bool
    last_commit_ok: bool
    """False from a failed commit until one succeeds."""
    rows_waiting: int
    rows_dropped: int
    """Rows for which nobody waited, and which are not stored."""
    write_errors: int
    commits: int
    writes_queued: int
    writes_settled: int
    """Both only rise. When this has reached the `writes_queued` of a moment, all that was queued
    then is committed, or given up."""


@attrs.define(eq=False)
class _Waiting:
    """Somebody who waits for something in the queue."""

    done: trio.Event = attrs.field(factory=trio.Event, init=False)
    outcome: Outcome = None


_Queued = tuple[Write | None, _Waiting | None]
"""A place in the queue, and who waits for it. Without a write it is a barrier."""


@attrs.define(eq=False)
class Writer:
    """Takes writes from the tasks of the event loop and commits them in groups.

    `run` belongs into a nursery around everything that writes; `close` ends it. `rows_max` bounds
    the queue: new writes for which nobody waits are dropped beyond it. `on_commit` is told the
    seconds of each commit. `progress` tells other worker processes, where there are any.
    """

    _environment: Environment
    _clock: Clock
    _gathering: Gathering | None = None
    _rows_max: int | None = None
    _on_commit: Callable[[float], None] = lambda _seconds: None
    _progress: Progress | None = None

    _queue: list[_Queued] = attrs.field(factory=list, init=False)
    _rows_waiting: int = attrs.field(default=0, init=False)
    _rows_awaited: int = attrs.field(default=0, init=False)
    _arrived: trio.Event = attrs.field(factory=trio.Event, init=False)
    _hurry: trio.Event = attrs.field(factory=trio.Event, init=False)
    _ended: trio.Event = attrs.field(factory=trio.Event, init=False)
    _limiter: trio.CapacityLimiter = attrs.field(
        factory=lambda: trio.CapacityLimiter(1), init=False
    )
    _is_running: bool = attrs.field(default=False, init=False)
    _is_closed: bool = attrs.field(default=False, init=False)
    _tally: WriterTally = attrs.field(factory=WriterTally, init=False)
    _queued: int = attrs.field(default=0, init=False)
    _settled: int = attrs.field(default=0, init=False)

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Commits until `close` is called and nothing waits.

        When cancelled, it commits what waits before it gives way.
        """
        self._is_running = True
        task_status.started()
        try:
            while await self._wait_for_work():
                await self._commit_waiting()
        finally:
            self._is_closed = True
            with trio.move_on_after(_LAST_COMMITS_S, shield=True):
                while self._queue:
                    await self._commit_waiting()
            self._is_running = False
            self._give_up_waiting()
            self._ended.set()

    def configure(self, *, gathering: Gathering | None, rows_max: int | None) -> None:
        """Gathers and bounds otherwise from now on."""
        self._gathering = gathering
        self._rows_max = rows_max
        # What is being gathered the old way need not wait for its end.
        self._hurry.set()

    def queue_nowait(self, write: Write) -> None:
        """Has `write` committed soon. If that fails, the log and the statistics tell."""
        if self._is_closed:
            self._tally.count_turned_away(write, "the writer is closed")
        elif self._rows_max is None or self._has_room_for(write, self._rows_max):
            self._append(write, None)
        else:
            reason = f"the queue is full at write_queue_capacity = {self._rows_max}"
            self._tally.count_turned_away(write, reason)

    async def commit(self, write: Write) -> None:
        """Returns once `write` is committed.

        Raises what kept it from being stored: StoreFull, StoreFailed, WriteFailed, or the
        WriteRefused of the write itself. When cancelled, the write is committed all the same.
        """
        if self._is_closed:
            raise WriteFailed("the writer is closed")
        waiting = _Waiting()
        self._rows_awaited += write.rows
        self._append(write, waiting)
        await self._wait_for(waiting)
        if waiting.outcome is not None:
            raise waiting.outcome

    async def settle(self) -> None:
        """Returns once everything queued before is committed, or given up. Asks for haste.

        That holds for the other worker processes, too; for them it waits some seconds at most.
        """
        behind = () if self._progress is None else self._progress.others_behind()
        if self._settled != self._queued:
            waiting = _Waiting()
            self._append(None, waiting)
            await self._wait_for(waiting)
        if self._progress is not None and behind:
            await self._progress.wait_for(behind)

    async def close(self) -> None:
        """Takes no more writes, and returns once all are committed and `run` is about to end."""
        self._is_closed = True
        self._arrived.set()
        self._hurry.set()
        if self._is_running:
            await self._ended.wait()

    def statistics(self) -> WriterStatistics:
        """Where the writer stands now."""
        return WriterStatistics(
            is_running=self._is_running,
            last_commit_ok=self._tally.last_commit_ok,
            rows_waiting=self._rows_waiting,
            rows_dropped=self._tally.rows_dropped,
            write_errors=self._tally.write_errors,
            commits=self._tally.commits,
            writes_queued=self._queued,
            writes_settled=self._settled,
        )

    def _append(self, write: Write | None, waiting: _Waiting | None) -> None:
        if not self._queue:
            self._arrived.set()
        self._queue.append((write, waiting))
        self._queued += 1
        if self._progress is not None:
            self._progress.note_queued(self._queued)
        if write is not None:
            self._rows_waiting += write.rows
        gathering = self._gathering
        if gathering is not None and self._rows_waiting >= gathering.max_rows:
            self._hurry.set()

    async def _wait_for(self, waiting: _Waiting) -> None:
        self._hurry.set()
        await waiting.done.wait()

    async def _wait_for_work(self) -> bool:
        """Returns when a commit is due; False: closed, and nothing waits."""
        while not self._queue:
            if self._is_closed:
                return False
            self._arrived = trio.Event()
            await self._arrived.wait()
        if self._gathering is not None:
            with trio.move_on_after(self._gathering.flush_interval_ms / 1000):
                await self._wait_hurry()
        # With a queue that never gets empty, this is where a cancelled writer learns of it.
        await trio.lowlevel.checkpoint()
        return True

    async def _wait_hurry(self) -> None:
        """Returns when somebody waits for what is queued, here or in another process."""
        if self._progress is None:
            await self._hurry.wait()
            return
        while not (self._hurry.is_set() or self._progress.is_haste_wanted()):
            with trio.move_on_after(_HASTE_LOOK_S):
                await self._hurry.wait()

    async def _commit_waiting(self) -> None:
        """Commits one group in a thread, and tells those who wait for it."""
        group = self._take()
        try:
            outcomes, seconds = await self._commit_group(
                [write for write, _ in group if write is not None],
                is_awaited=any(waiting is not None for _, waiting in group),
            )
        except trio.Cancelled:  # before the thread had begun; later it cannot be cancelled
            self._put_back(group)
            raise
        if any(outcomes):
            following = iter(outcomes)
            for write, waiting in group:
                if write is not None and (error := next(following)) is not None:
                    self._note_failure(write, waiting, error)
        self._settle(group)
        if outcomes:
            self._tally.count_group(outcomes)
            self._on_commit(seconds)

    async def _commit_group(
        self, writes: list[Write], *, is_awaited: bool
    ) -> tuple[list[Outcome], float]:
        """One outcome for each write, and the seconds it took."""
        if not writes:  # nothing but barriers
            return [], 0.0
        has_pauses = not is_awaited and len(writes) <= _WRITES_WITH_PAUSES_MAX
        commit = partial(self._commit_in_thread, writes, _pause if has_pauses else None)
        return await trio.to_thread.run_sync(commit, limiter=self._limiter)

    def _commit_in_thread(
        self, writes: list[Write], pause: Callable[[], None] | None
    ) -> tuple[list[Outcome], float]:
        started = self._clock.monotonic()
        outcomes = commit_group(self._environment, writes, pause)
        return outcomes, self._clock.monotonic() - started

    def _take(self) -> list[_Queued]:
        """The next group, out of the queue: at least one write, and barriers behind it."""
        if self._rows_waiting <= _GROUP_ROWS_MAX:
            group, self._queue = self._queue, []
            self._rows_waiting = self._rows_awaited = 0
        else:
            length = self._length_of_group()
            group = self._queue[:length]
            del self._queue[:length]
            self._count_rows(group, -1)
        if self._hurry.is_set() and not self._queue:
            self._hurry = trio.Event()
        self._tally.count_taken()
        return group

    def _length_of_group(self) -> int:
        rows = 0
        for length, (write, _) in enumerate(self._queue):
            weight = 0 if write is None else write.rows
            if rows and rows + weight > _GROUP_ROWS_MAX:
                return length
            rows += weight
        return len(self._queue)

    def _put_back(self, group: list[_Queued]) -> None:
        """The group is first in the queue again."""
        self._queue[:0] = group
        self._count_rows(group, 1)

    def _count_rows(self, come_or_gone: Iterable[_Queued], sign: int) -> None:
        for write, waiting in come_or_gone:
            if write is not None:
                self._rows_waiting += sign * write.rows
                if waiting is not None:
                    self._rows_awaited += sign * write.rows

    def _note_failure(self, write: Write, waiting: _Waiting | None, error: LsdError) -> None:
        if waiting is not None:
            waiting.outcome = error
        self._tally.count_failure(write, error, is_awaited=waiting is not None)

    def _settle(self, group: list[_Queued]) -> None:
        self._settled += len(group)
        if self._progress is not None:
            self._progress.note_settled(self._settled)
        for _, waiting in group:
            if waiting is not None:
                waiting.done.set()

    def _give_up_waiting(self) -> None:
        """Tells all that still wait that nothing comes any more."""
        given_up, self._queue = self._queue, []
        self._count_rows(given_up, -1)
        for write, waiting in given_up:
            if write is not None:
                self._note_failure(write, waiting, WriteFailed("the writer has stopped"))
        self._settle(given_up)

    def _has_room_for(self, write: Write, rows_max: int) -> bool:
        """A write greater than the whole queue finds room in an empty one.

        Those that somebody waits for take no room: nobody sends more of them than he waits for, and
        one call that stores thousands of rows must not cost others their records.
        """
        unawaited = self._rows_waiting - self._rows_awaited
        return not unawaited or unawaited + write.rows <= rows_max


def _pause() -> None:
    """Nobody waits for this commit: others may have the processor."""
    select((), (), (), _PAUSE_S)
