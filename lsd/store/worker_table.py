"""The table of the worker processes, in memory that they share: who lives, how far each has come.

A reader in one worker must find what another has answered for. Each worker therefore notes how
many writes it has queued and how many of them are settled; a reader waits for what had been queued
when it began. That costs a worker two stores into memory for each write, and a reader nothing
unless somebody is behind.
"""

import mmap
import os
from pathlib import Path
from typing import Final

import attrs
import trio

from lsd.telemetry import logger

_log = logger(__name__)

WAIT_S_MAX: Final = 3.0
"""A reader waits no longer for other workers: one of them may hang. A busy disk needs a second."""

_LOOK_EVERY_S: Final = 0.001
"""While waiting; a commit takes about as long."""

_CELLS: Final = 8
"""Numbers of 8 bytes for each worker: a line of the processor's cache."""

_PROCESS, _QUEUED, _SETTLED, _WANTED, _ID_HEAD = range(5)
"""The cells that are used. A number of 8 bytes that is aligned is never seen half written."""

_NAME: Final = "workers"


@attrs.define(eq=False)
class WorkerTable:
    """One row for each worker, numbered from 1; row 0 stays empty."""

    _cells: memoryview
    workers: int

    @classmethod
    def create(cls, folder: Path, workers: int) -> "WorkerTable":
        """An empty table in place of an older one, in the folder of the state environment."""
        path = folder / _NAME
        path.unlink(missing_ok=True)
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            os.ftruncate(file, (workers + 1) * _CELLS * 8)
            return cls._mapped(file)
        finally:
            os.close(file)

    @classmethod
    def open(cls, folder: Path) -> "WorkerTable":
        """The table that the server has created."""
        file = os.open(folder / _NAME, os.O_RDWR | os.O_CLOEXEC)
        try:
            return cls._mapped(file)
        finally:
            os.close(file)

    @classmethod
    def _mapped(cls, file: int) -> "WorkerTable":
        cells = memoryview(mmap.mmap(file, 0)).cast("Q")
        return cls(cells, len(cells) // _CELLS - 1)

    def enter(self, worker: int) -> "Progress":
        """Makes this process the worker of that number."""
        place = worker * _CELLS
        self._cells[place + _QUEUED] = 0
        self._cells[place + _SETTLED] = 0
        self._cells[place + _WANTED] = 0
        # At last: whoever sees the process sees its counts from the beginning.
        self._cells[place + _PROCESS] = os.getpid()
        return Progress(self._cells, place)

    def strike_out(self, worker: int) -> None:
        """The worker has died: nobody waits for it."""
        self._cells[worker * _CELLS + _PROCESS] = 0

    def is_living(self, worker: int) -> bool:
        """Whether the worker has entered and was not struck out."""
        place = worker * _CELLS
        return place < len(self._cells) and self._cells[place + _PROCESS] != 0

    def living(self) -> int:
        """How many workers there are."""
        return sum(self._cells[place + _PROCESS] != 0 for place in self._places())

    def _places(self) -> range:
        return range(_CELLS, len(self._cells), _CELLS)


@attrs.frozen
class Behind:
    """A worker with writes on their way, and the count of them that a reader waits for."""

    place: int
    process: int
    target: int


@attrs.define(eq=False)
class Progress:
    """The row of this process, and a look at those of the others."""

    _cells: memoryview
    _place: int

    def note_queued(self, writes: int) -> None:
        """So many writes have been queued since the process began."""
        self._cells[self._place + _QUEUED] = writes

    def note_settled(self, writes: int) -> None:
        """So many of them are committed, or given up."""
        self._cells[self._place + _SETTLED] = writes

    def note_head(self, head: int) -> None:
        """The first 64 bits of the latest id that this process has made."""
        self._cells[self._place + _ID_HEAD] = head

    def greatest_head(self) -> int:
        """The greatest of the other processes; of the dead, too."""
        cells, own = self._cells, self._place
        places = range(_CELLS, len(cells), _CELLS)
        return max((cells[place + _ID_HEAD] for place in places if place != own), default=0)

    def is_haste_wanted(self) -> bool:
        """Whether a reader in another worker waits for something that was queued here."""
        wanted = self._cells[self._place + _WANTED]
        return wanted > self._cells[self._place + _SETTLED]

    def others_behind(self) -> list[Behind]:
        """The other workers that have writes on their way; asks them for haste."""
        found: list[Behind] = []
        cells = self._cells
        for place in range(_CELLS, len(cells), _CELLS):
            process, queued = cells[place + _PROCESS], cells[place + _QUEUED]
            if process and place != self._place and cells[place + _SETTLED] < queued:
                cells[place + _WANTED] = queued
                found.append(Behind(place, process, queued))
        return found

    async def wait_for(self, others: list[Behind]) -> None:
        """Returns when they have settled what they had queued, have died, or take too long."""
        with trio.move_on_after(WAIT_S_MAX) as waiting:
            # Another process has no way to set an event here.
            while any(self._is_behind(each) for each in others):  # noqa: ASYNC110
                await trio.sleep(_LOOK_EVERY_S)
        if waiting.cancelled_caught:
            late = [each.place // _CELLS for each in others if self._is_behind(each)]
            _log.warning("read without the last records of other workers", workers=late)

    def _is_behind(self, other: Behind) -> bool:
        cells = self._cells
        is_same = cells[other.place + _PROCESS] == other.process
        return is_same and cells[other.place + _SETTLED] < other.target
