"""One epoll that tells of the bytes and the ends of many sockets, on Linux.

Trio asks the system anew before each wait, and learns of a peer's leaving only by reading. Here a
socket is registered once, edge-triggered: the kernel tells when bytes have come, and when the peer
has closed. A wait then costs no call of the system, and watching for the end costs nothing.
"""

import select
import socket
import types
from collections.abc import Callable, Generator
from math import inf
from typing import Any, Final
from weakref import WeakMethod

import attrs
import trio
from trio.lowlevel import current_task, reschedule  # in `trio`, Python looks names up slowly

from lsd.network._alarms import Alarms
from lsd.network._joint_sends import NOT_JOINED, TASKS_MIN, JointSends

HAS_EPOLL = hasattr(select, "epoll")
"""Elsewhere than on Linux, nothing in this module works."""

_EVENTS_MAX = 256
"""Taken from the kernel in one step; what is left over is told in the next."""


_BYTES_ALONE = getattr(select, "EPOLLIN", 0)
"""What is told while the peer is there."""


def nobody_asks() -> None:
    """Until somebody wants to know that the peer has left."""


class _Woken:
    """The outcome of a wait: nothing is said. Of trio's own, each can be used only once."""

    def unwrap(self) -> None:
        """Nothing."""


_WOKEN: Final[Any] = _Woken()


@attrs.define(eq=False, repr=False)
class SocketPoller:
    """Wakes those who wait for the sockets that it watches. Works while `run` does."""

    alarms: Alarms = attrs.field(factory=Alarms, init=False)
    _epoll: "select.epoll" = attrs.field(init=False)
    watched: "dict[int, WatchedSocket]" = attrs.field(factory=dict, init=False)
    joint_sends: JointSends = attrs.field(factory=JointSends, init=False)

    def __attrs_post_init__(self) -> None:
        self._epoll = select.epoll()

    def watch(self, watched: "WatchedSocket") -> None:
        """From now on, `watched` is told; until it is closed. Raises OSError."""
        # Edge-triggered: bytes that nobody reads because of back-pressure do not wake us again.
        self._epoll.register(watched.socket, select.EPOLLIN | select.EPOLLRDHUP | select.EPOLLET)
        self.watched[watched.socket.fileno()] = watched
        watched.poller, watched.joint_sends = self, self.joint_sends

    async def run(self) -> None:
        """Until cancelled."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self.alarms.run)
            number_of_epoll = self._epoll.fileno()
            while True:
                await trio.lowlevel.wait_readable(number_of_epoll)
                while self._tell() >= TASKS_MIN:
                    await self.joint_sends.join()

    def close(self) -> None:
        """For the time after `run`, when all sockets are closed."""
        self._epoll.close()

    def _tell(self) -> int:
        """Tells the sockets what the kernel knows of them; how many there are."""
        find, told = self.watched.get, self._epoll.poll(0, _EVENTS_MAX)
        for number, events in told:
            watched = find(number)
            if watched is not None:
                watched.note(events)
        return len(told)


@attrs.define(eq=False, repr=False)
class WatchedSocket:
    """A non-blocking socket, and what the kernel has told of it.

    `is_readable`: bytes or the end may be there, so that reading is worth a try. `is_gone`: the
    peer has closed its side or broken off; `when_gone` is called once then, from any task, and must
    not raise. `is_late`: the `deadline` that is kept has come; `alarm_at` is for the alarms. One
    task waits at a time.
    """

    socket: socket.socket
    poller: SocketPoller | None = attrs.field(default=None, init=False)
    is_readable: bool = attrs.field(default=False, init=False)
    is_gone: bool = attrs.field(default=False, init=False)
    is_late: bool = attrs.field(default=False, init=False)
    when_gone: Callable[[], None] = attrs.field(default=nobody_asks, init=False)
    deadline: float = attrs.field(default=inf, init=False)
    alarm_at: float = attrs.field(default=inf, init=False)
    joint_sends: JointSends = attrs.field(default=NOT_JOINED, init=False)
    _waiting: trio.lowlevel.Task | None = attrs.field(default=None, init=False)
    _sleep: object = attrs.field(init=False)
    """What a task yields to the loop when it wants to sleep. Trio makes one for each wait, and two
    coroutines that hand it on, which costs more than the rest of the waiting."""

    def __attrs_post_init__(self) -> None:
        # What knows itself is not freed when it is let go, but when the collector comes.
        own_stop = WeakMethod(self._stop_waiting)

        def stop_waiting(reason: object) -> trio.lowlevel.Abort:
            stop = own_stop()
            return trio.lowlevel.Abort.SUCCEEDED if stop is None else stop(reason)

        waiting = trio.lowlevel.wait_task_rescheduled(stop_waiting)  # noqa: ASYNC105 (see above)
        self._sleep = waiting.send(None)

    def note(self, events: int) -> None:
        """Takes what the kernel has told."""
        if events != _BYTES_ALONE and not self.is_gone:
            self.is_gone = True
            self.when_gone()
        self.is_readable = True
        self.wake()

    def keep(self, deadline: float) -> None:
        """At `deadline`, of trio's clock, whoever waits is woken, and `is_late`."""
        self.deadline = deadline
        self.is_late = False
        if deadline < self.alarm_at and self.poller is not None:
            self.poller.alarms.set(self)

    def be_late(self) -> None:
        """The deadline has come."""
        self.is_late = True
        self.wake()

    @types.coroutine
    def wait_readable(self) -> Generator[Any, Any, None]:
        """Until there may be something to read, or `wake` is called."""
        if self._waiting is not None:
            raise trio.BusyResourceError("another task is already receiving")
        self._waiting = current_task()
        (yield self._sleep).unwrap()

    def _stop_waiting(self, _: object) -> trio.lowlevel.Abort:
        self._waiting = None
        return trio.lowlevel.Abort.SUCCEEDED

    def wake(self) -> None:
        """Lets the task that waits go on."""
        waiting = self._waiting
        if waiting is not None:
            self._waiting = None
            reschedule(waiting, _WOKEN)

    def send(self, data: bytes | memoryview) -> int:
        """How much of it the system has taken, as the socket's own `send`, unencrypted."""
        joint_sends = self.joint_sends
        if joint_sends.are_joined:
            return joint_sends.send(self.socket, data)
        return self.socket.send(data)

    def note_read(self, size: int, size_max: int) -> None:
        """A read of at most `size_max` bytes has given so many."""
        # Less than asked for means that there is no more (epoll(7)); after the peer's end the
        # kernel will not tell again.
        self.is_readable = size == size_max or self.is_gone

    def close(self) -> bool:
        """Closes the socket; False: it was closed before."""
        number = self.socket.fileno()
        if number < 0:
            return False
        if self.poller is not None:
            self.poller.watched.pop(number, None)
            self.poller.alarms.unset(self)
        trio.lowlevel.notify_closing(self.socket)
        self.socket.close()
        self.wake()
        return True
