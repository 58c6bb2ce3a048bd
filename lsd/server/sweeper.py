"""What is swept away from time to time: parts of the store whose rows grow old."""

from collections.abc import Callable, Mapping
from typing import Protocol

import trio

from lsd.conversation import LsdError
from lsd.telemetry import Clock, logger

log = logger(__name__)


class Swept(Protocol):
    """A part of the store that knows which of its rows nobody needs any more."""

    def sweep(self, *, now_ms: int) -> int:
        """Removes some of them; tells how many, 0 when none is left. Blocks."""


async def sweep_forever(
    parts: Callable[[], Mapping[str, Swept]], clock: Clock, interval_s: float
) -> None:
    """Sweeps every `interval_s` seconds until it is cancelled. A failure waits for the next.

    `parts` gives what is to be swept then, by name.
    """
    while True:
        await trio.sleep(interval_s)
        for what, swept in parts().items():
            try:
                removed = await _sweep(swept, clock.now_ms())
            except LsdError as error:
                log.warning("not swept", what=what, reason=str(error))
            else:
                log.debug("swept", what=what, rows=removed)


async def _sweep(swept: Swept, now_ms: int) -> int:
    """Sweeps until nothing is left; how many rows."""
    removed = 0
    # A thread cannot be cancelled: a stop waits for the part that it is at.
    while some := await trio.to_thread.run_sync(lambda: swept.sweep(now_ms=now_ms)):
        removed += some
    return removed
