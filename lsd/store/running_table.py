"""The inferences in progress in all worker processes, in memory that they share.

Feedback may be given while the inference is still running, and in another worker than its own.
"""

import mmap
import os
from pathlib import Path
from typing import Final, Literal

import attrs

from lsd.store.layout import ID_BYTES, id_key
from lsd.store.worker_table import WorkerTable

SLOTS: Final = 4096
"""Inferences of one worker that others see, 128 KB; more at a time are seen by their own only."""

_NAME: Final = "running"
_ROW: Final = 2 * ID_BYTES
"""An inference, and its episode."""

_REGION: Final = SLOTS * _ROW
_EMPTY: Final = bytes(_ROW)


@attrs.define(eq=False)
class RunningTable:
    """A region for each worker, numbered from 1."""

    _memory: mmap.mmap
    _workers: WorkerTable

    @classmethod
    def create(cls, folder: Path, workers: WorkerTable) -> "RunningTable":
        """An empty table in place of an older one, beside the table of the workers."""
        path = folder / _NAME
        path.unlink(missing_ok=True)
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            os.ftruncate(file, workers.workers * _REGION)
            return cls(mmap.mmap(file, 0), workers)
        finally:
            os.close(file)

    @classmethod
    def open(cls, folder: Path, workers: WorkerTable) -> "RunningTable":
        """The table that the server has created."""
        file = os.open(folder / _NAME, os.O_RDWR | os.O_CLOEXEC)
        try:
            return cls(mmap.mmap(file, 0), workers)
        finally:
            os.close(file)

    def enter(self, worker: int) -> "RunningDesk":
        """The desk of this process, with nothing on it."""
        start = (worker - 1) * _REGION
        self._memory[start : start + _REGION] = bytes(_REGION)
        return RunningDesk(self._memory, self._workers, worker)


@attrs.define(eq=False)
class RunningDesk:
    """Notes what runs in this process, and finds what runs in others."""

    _memory: mmap.mmap
    _workers: WorkerTable
    _worker: int
    _free: list[int] = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        start = (self._worker - 1) * _REGION
        self._free = list(range(start, start + _REGION, _ROW))

    def note(self, inference_id: str, episode_id: str) -> int | None:
        """Others see the inference until its place is cleared; None: there is no place."""
        if not self._free:
            return None
        place = self._free.pop()
        self._memory[place : place + _ROW] = id_key(inference_id) + id_key(episode_id)
        return place

    def clear(self, place: int) -> None:
        """The inference has ended; what it leaves is queued before this."""
        self._memory[place : place + _ROW] = _EMPTY
        self._free.append(place)

    def is_elsewhere(self, target_id: str, level: Literal["inference", "episode"]) -> bool:
        """Whether another worker runs the inference, or one of the episode."""
        key = id_key(target_id)
        if not any(key):  # it looks like an empty place, and is the id of nothing
            return False
        offset = 0 if level == "inference" else ID_BYTES
        place = self._memory.find(key)
        while place >= 0:
            worker = place // _REGION + 1
            is_aligned = place % _ROW == offset
            if is_aligned and worker != self._worker and self._workers.is_living(worker):
                return True
            place = self._memory.find(key, place + 1)
        return False
