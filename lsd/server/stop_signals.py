"""What SIGTERM, SIGINT and SIGHUP ask of a daemon."""

import signal
from collections.abc import Callable

import attrs
import trio

FORCED_EXIT_BASE = 128
"""A process ended by signal n is told to its parent as 128 + n. Source: POSIX shells."""


@attrs.define(eq=False)
class Stop:
    """Whether the daemon is to finish its work, and whether it is to stop now."""

    _asked: trio.Event = attrs.field(factory=trio.Event, init=False)
    _insisted: trio.Event = attrs.field(factory=trio.Event, init=False)
    _last_signal: int = attrs.field(default=signal.SIGTERM, init=False)

    def ask(self, number: int) -> None:
        """Finish the work; asking again changes nothing."""
        if not self._asked.is_set():
            self._last_signal = number
            self._asked.set()

    def insist(self, number: int) -> None:
        """Stop now."""
        self._last_signal = number
        self._asked.set()
        self._insisted.set()

    def is_asked(self) -> bool:
        """Whether anybody has asked so far."""
        return self._asked.is_set()

    def is_insisted(self) -> bool:
        """Whether the work is not to be waited for."""
        return self._insisted.is_set()

    async def wait_asked(self) -> None:
        """Returns when the work is to be finished."""
        await self._asked.wait()

    async def wait_insisted(self) -> None:
        """Returns when it is not to be waited for."""
        await self._insisted.wait()

    @property
    def last_signal(self) -> int:
        """The signal that counts so far."""
        return self._last_signal

    @property
    def forced_exit_code(self) -> int:
        """The exit code of a stop that did not wait for the work to be finished."""
        return FORCED_EXIT_BASE + self._last_signal


async def watch_signals(
    stop: Stop,
    on_hangup: Callable[[], None],
    *,
    task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Listens until it is cancelled: the first SIGTERM or SIGINT asks, a second one insists.

    `on_hangup` is called for each SIGHUP.
    """
    with trio.open_signal_receiver(signal.SIGTERM, signal.SIGINT, signal.SIGHUP) as received:
        task_status.started()
        async for number in received:
            if number == signal.SIGHUP:
                on_hangup()
            elif stop.is_asked():
                stop.insist(number)
            else:
                stop.ask(number)
