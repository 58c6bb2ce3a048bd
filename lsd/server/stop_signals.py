"""SIGTERM and SIGINT: the first asks the daemon to finish its work, a second one to stop now."""

import signal

import attrs
import trio

from lsd.telemetry import logger

log = logger(__name__)

FORCED_EXIT_BASE = 128
"""A process ended by signal n is told to its parent as 128 + n. Source: POSIX shells."""


@attrs.define(eq=False)
class StopSignals:
    """What the signals have asked for so far."""

    _first: trio.Event = attrs.field(factory=trio.Event, init=False)
    _second: trio.Event = attrs.field(factory=trio.Event, init=False)
    _last_signal: int = attrs.field(default=signal.SIGTERM, init=False)

    async def watch(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Listens until it is cancelled."""
        with trio.open_signal_receiver(signal.SIGTERM, signal.SIGINT, signal.SIGHUP) as received:
            task_status.started()
            async for number in received:
                if number == signal.SIGHUP:
                    log.warning("configuration not reloaded: not supported yet; restart instead")
                    continue
                self._last_signal = number
                if self._first.is_set():
                    self._second.set()
                self._first.set()

    async def wait_asked(self) -> None:
        """Returns at the first signal."""
        await self._first.wait()

    async def wait_insisted(self) -> None:
        """Returns at the second signal."""
        await self._second.wait()

    @property
    def forced_exit_code(self) -> int:
        """The exit code of a stop that did not wait for the work to be finished."""
        return FORCED_EXIT_BASE + self._last_signal
