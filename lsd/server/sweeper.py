"""What is swept away from time to time: parts of the store whose rows grow old."""

from typing import Protocol

import trio

from lsd.conversation import LsdError
from lsd.telemetry import Clock, logger

log = logger(__name__)


class Swept(Protocol):
    """A part of the store that knows which of its rows nobody needs any more."""

    def sweep(self, *, now_ms: int) -> int:
        """Removes them; tells how many. Blocks."""


async def sweep_forever(what: str, swept: Swept, clock: Clock, interval_s: float) -> None:
    """Sweeps every `interval_s` seconds until it is cancelled. A failure waits for the next."""
    while True:
        await trio.sleep(interval_s)
        try:
            removed = await trio.to_thread.run_sync(_sweep, swept, clock.now_ms())
        except LsdError as error:
            log.warning("not swept", what=what, reason=str(error))
        else:
            log.debug("swept", what=what, rows=removed)


def _sweep(swept: Swept, now_ms: int) -> int:
    return swept.sweep(now_ms=now_ms)
