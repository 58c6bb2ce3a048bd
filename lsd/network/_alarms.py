"""Deadlines of many sockets, which nearly never come: one timer wakes whoever waits too long."""

from heapq import heapify, heappop, heappush
from itertools import count
from math import inf
from typing import Protocol

import attrs
import trio

STALE_MAX = 256
"""Alarms of closed sockets that are kept for the time being, and as many as there are others."""


class Sleeper(Protocol):
    """Whoever is to be woken at `deadline`, which may change at any moment, by trio's clock.

    `alarm_at`: its alarm goes off then, to look at the deadline; infinite if it has none.
    """

    deadline: float
    alarm_at: float

    def be_late(self) -> None:
        """The deadline has come."""


@attrs.define(eq=False, repr=False)
class Alarms:
    """Calls `be_late` of each sleeper at its deadline. Works while `run` does.

    Deadlines move on long before they come: a sleeper tells only of one that is earlier than its
    alarm, which looks, when it goes off, whether there is another deadline by now. So a request
    sets a number, and touches the heap once in as long as it might take.
    """

    _heap: list[tuple[float, int, Sleeper]] = attrs.field(factory=list, init=False)
    _numbers: "count[int]" = attrs.field(factory=count, init=False)
    _stale: int = attrs.field(default=0, init=False)
    """At least so many entries are nobody's alarm any more, or were when they were counted."""
    _sleep: trio.CancelScope = attrs.field(factory=trio.CancelScope, init=False)

    def set(self, sleeper: Sleeper) -> None:
        """An alarm at the deadline of `sleeper`, in place of a later one."""
        self.unset(sleeper)
        sleeper.alarm_at = sleeper.deadline
        heappush(self._heap, (sleeper.alarm_at, next(self._numbers), sleeper))
        self._sleep.deadline = self._heap[0][0]

    def unset(self, sleeper: Sleeper) -> None:
        """No alarm for `sleeper` any more."""
        if sleeper.alarm_at == inf:
            return
        sleeper.alarm_at = inf
        self._stale += 1
        if self._stale > STALE_MAX and self._stale > len(self._heap) / 2:
            self._heap = [entry for entry in self._heap if entry[2].alarm_at == entry[0]]
            heapify(self._heap)
            self._stale = 0

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            with trio.CancelScope(deadline=self._heap[0][0] if self._heap else inf) as self._sleep:
                await trio.sleep_forever()
            self._ring(trio.current_time())

    def _ring(self, now: float) -> None:
        while self._heap and self._heap[0][0] <= now:
            at, _, sleeper = heappop(self._heap)
            if sleeper.alarm_at != at:
                continue
            sleeper.alarm_at = inf
            if sleeper.deadline <= now:
                sleeper.be_late()
            elif sleeper.deadline < inf:
                self.set(sleeper)
