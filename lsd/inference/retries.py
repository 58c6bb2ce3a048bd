"""Whether a model is asked again, and after how long: a pure decision.

A *pass* is one run through a model's routing list. Trying again helps only after failures that
may heal by themselves.
"""

from collections.abc import Callable, Sequence

from lsd.conversation import AttemptFailed

FIRST_BACKOFF_S = 1.0
"""Seconds before the first retry; each further one doubles it."""

DOUBLINGS_MAX = 32
"""Two to this power is a century of seconds; a float ends at two to the 1024th."""


def wait_before_retry(
    failures: Sequence[AttemptFailed],
    *,
    passes_made: int,
    num_retries: int,
    max_delay_s: float,
    uniform: Callable[[], float],
) -> float | None:
    """Seconds to wait before the next pass; None if there must be none.

    `failures` are those of the pass just made. `uniform` gives a number in [0, 1) that spreads
    the retries of many callers. A provider that asks for a longer wait than `max_delay_s` ends
    the retries: waiting less would only be refused again.
    """
    if passes_made > num_retries:
        return None
    transient = [failure for failure in failures if failure.transient]
    if not transient:
        return None
    asked = min(failure.retry_after_s or 0.0 for failure in transient)
    doublings = min(passes_made - 1, DOUBLINGS_MAX)
    backoff = min(max_delay_s, FIRST_BACKOFF_S * 2.0**doublings)
    wait = max(min(max_delay_s, backoff + uniform() * backoff), asked)
    return wait if wait <= max_delay_s else None
