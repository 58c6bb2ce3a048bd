"""What is swept away from time to time: entries of the inference cache that have expired."""

import trio

from lsd.conversation import LsdError
from lsd.store import InferenceCache
from lsd.telemetry import Clock, logger

log = logger(__name__)


async def sweep_forever(cache: InferenceCache, clock: Clock, interval_s: float) -> None:
    """Sweeps every `interval_s` seconds until it is cancelled. A failure waits for the next."""
    while True:
        await trio.sleep(interval_s)
        try:
            removed = await trio.to_thread.run_sync(_sweep, cache, clock.now_ms())
        except LsdError as error:
            log.warning("inference cache not swept", reason=str(error))
        else:
            log.debug("inference cache swept", entries=removed)


def _sweep(cache: InferenceCache, now_ms: int) -> int:
    return cache.sweep(now_ms=now_ms)
