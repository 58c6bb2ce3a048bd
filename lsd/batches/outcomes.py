"""What becomes of an item after a run: a pure decision."""

from collections.abc import Callable

import attrs

from lsd.conversation import LsdError
from lsd.inference import Answered, Ended, InferenceFailed
from lsd.store import BatchItem, ItemError

FIRST_PAUSE_S = 5.0
"""Seconds before the second run of an item; each further run doubles them."""

PAUSE_S_MAX = 300.0

DOUBLINGS_MAX = 16
"""By then the pause has long been the greatest."""

SPREAD = 0.2
"""A pause is longer or shorter by up to so much of it: what failed together does not come back
together."""

CAPACITY_WAIT_S_MIN = 0.1
"""A limit that is about to give way is not asked in a circle."""


@attrs.frozen(kw_only=True)
class Decider:
    """`status_of` tells what `/inference` would have answered; `uniform` gives 0 to 1."""

    attempts_max: int
    status_of: Callable[[LsdError], int]
    uniform: Callable[[], float]

    def after(self, item: BatchItem, ended: Ended, now_ms: int) -> BatchItem:
        """The item that ran, as it is now."""
        if isinstance(ended, Answered):
            return attrs.evolve(
                item,
                state="completed",
                finished_ms=now_ms,
                variant_name=ended.variant_name,
                usage=ended.usage.decode(),
                finish_reason=ended.finish_reason,
            )
        failure = ended.failure
        if failure.cause == "rate_limit" and failure.retry_after_s is not None:
            wait_s = max(failure.retry_after_s, CAPACITY_WAIT_S_MIN)
            return _again(item, now_ms, wait_s, attempts=item.attempts - 1)
        if _may_heal(failure) and item.attempts < self.attempts_max:
            wait_s = max(failure.retry_after_s or 0.0, self._pause_s(item.attempts))
            return _again(item, now_ms, wait_s, attempts=item.attempts)
        return self.failed(item, failure, now_ms)

    def failed(self, item: BatchItem, error: LsdError, now_ms: int) -> BatchItem:
        """The item has failed for good."""
        told = ItemError(status=self.status_of(error), message=str(error))
        return failed_with(item, told, now_ms)

    def _pause_s(self, attempts: int) -> float:
        pause = min(PAUSE_S_MAX, FIRST_PAUSE_S * 2.0 ** min(attempts - 1, DOUBLINGS_MAX))
        return pause * (1 + SPREAD * (2 * self.uniform() - 1))


def failed_with(item: BatchItem, error: ItemError, now_ms: int) -> BatchItem:
    """The item has failed for good, for a reason that is known already."""
    return attrs.evolve(item, state="failed", finished_ms=now_ms, error=error)


def _again(item: BatchItem, now_ms: int, wait_s: float, *, attempts: int) -> BatchItem:
    not_before_ms = now_ms + round(wait_s * 1000)
    return attrs.evolve(item, state="pending", attempts=attempts, not_before_ms=not_before_ms)


def _may_heal(failure: InferenceFailed) -> bool:
    """Whether the last that was heard of any of the providers is something that passes."""
    if failure.cause == "timeout":
        return True
    last = {(each.model, each.provider): each.failure for each in failure.failures}
    return any(each.transient for each in last.values())
