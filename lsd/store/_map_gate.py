"""Readers of a memory map on one side, the one who replaces the map on the other."""

import threading  # noqa: TID251 - reads run in the event loop and in trio's threads alike
from collections.abc import Iterator
from contextlib import contextmanager

import attrs


@attrs.define(eq=False)
class MapGate:
    """Counts the reads that are under way; lets nobody in while the map is replaced.

    A replaced map would pull the pages from under a running read. Reads are short, and a map is
    replaced a few times in the life of a store, so waiting here is rare and brief.
    """

    _changed: threading.Condition = attrs.field(factory=threading.Condition, init=False)
    _readers: int = attrs.field(default=0, init=False)
    _is_closed: bool = attrs.field(default=False, init=False)

    def enter(self) -> None:
        """Begins a read; every `enter` has its `leave`."""
        with self._changed:
            while self._is_closed:
                self._changed.wait()
            self._readers += 1

    def leave(self) -> None:
        """Ends a read."""
        with self._changed:
            self._readers -= 1
            if self._is_closed and not self._readers:
                self._changed.notify_all()

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Nobody reads inside this block. One caller at a time, who is not reading himself."""
        with self._changed:
            self._is_closed = True
            while self._readers:
                self._changed.wait()
        try:
            yield
        finally:
            with self._changed:
                self._is_closed = False
                self._changed.notify_all()
