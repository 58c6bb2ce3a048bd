"""What becomes of an item, as a table."""

from typing import Any

import attrs
import pytest

from lsd.batches import Decider
from lsd.batches.outcomes import failed_with
from lsd.conversation import AttemptFailed
from lsd.inference import Answered, InferenceFailed, ProviderFailure, Unanswered
from lsd.store import BatchItem, ItemError, Write

NOW_MS = 1_000_000

ITEM = BatchItem(
    inference_id="i", episode_id="e", function_name="f", function_type="chat", state="running"
)

NOTHING = Write(apply=lambda _transaction: None)


def decider(attempts_max: int = 1, number: float = 0.5) -> Decider:
    """Decides with a generator that always gives the same; every status is 502."""
    return Decider(attempts_max=attempts_max, status_of=lambda _error: 502, uniform=lambda: number)


def failed(*attempts: AttemptFailed, cause: Any = "providers") -> Unanswered:
    """A run in which the providers a, b, ... have failed, one after the other."""
    failures = tuple(ProviderFailure("m", "ab"[at % 2], each) for at, each in enumerate(attempts))
    return Unanswered(failure=InferenceFailed(cause, "all failed", failures=failures), records=None)


BUSY = AttemptFailed(kind="server", text="503")
WRONG = AttemptFailed(kind="client_fault", text="400")


def test_an_answer_completes_the_item() -> None:
    """With what cannot be read out of its record."""
    ended = Answered(variant_name="v", usage=b"{}", finish_reason="stop", records=NOTHING)

    after = decider().after(ITEM, ended, NOW_MS)

    assert (after.state, after.variant_name, after.usage) == ("completed", "v", "{}")
    assert (after.finish_reason, after.finished_ms) == ("stop", NOW_MS)


@pytest.mark.parametrize(
    ("attempts", "attempts_max", "ended", "state"),
    [
        (1, 1, failed(BUSY), "failed"),
        (1, 2, failed(BUSY), "pending"),
        (2, 2, failed(BUSY), "failed"),
        (1, 2, failed(WRONG), "failed"),
        (1, 2, failed(WRONG, BUSY), "pending"),
        (1, 2, failed(BUSY, WRONG, WRONG, WRONG), "failed"),
        (1, 2, failed(attrs.evolve(BUSY, final=True)), "failed"),
        (1, 2, failed(cause="timeout"), "pending"),
        (1, 2, failed(cause="rendering"), "failed"),
    ],
)
def test_only_what_may_heal_is_run_again(
    attempts: int, attempts_max: int, ended: Unanswered, state: str
) -> None:
    """And only as often as the configuration says; the last word of each provider counts."""
    item = attrs.evolve(ITEM, attempts=attempts)

    after = decider(attempts_max).after(item, ended, NOW_MS)

    assert after.state == state
    assert (after.error is not None) == (state == "failed")


@pytest.mark.parametrize(
    ("attempts", "retry_after_s", "number", "pause_s"),
    [
        (1, None, 0.5, 5),
        (2, None, 0.5, 10),
        (1, None, 1, 6),
        (1, None, 0, 4),
        (20, None, 0.5, 300),
        (1, 60.0, 0.5, 60),
        (1, 1.0, 0.5, 5),
    ],
)
def test_each_pause_is_longer(
    attempts: int, retry_after_s: float | None, number: float, pause_s: float
) -> None:
    """From five seconds to five minutes, spread, and never shorter than the provider asks for."""
    ended = failed(attrs.evolve(BUSY, retry_after_s=retry_after_s))

    after = decider(99, number).after(attrs.evolve(ITEM, attempts=attempts), ended, NOW_MS)

    assert after.not_before_ms == NOW_MS + pause_s * 1000
    assert after.attempts == attempts


def test_our_own_limit_defers_without_counting() -> None:
    """Until it has room; what it can never let pass fails."""
    limit = AttemptFailed(kind="own_limit", text="limit", resource="token")
    item = attrs.evolve(ITEM, attempts=1)

    later = decider().after(
        item, failed(attrs.evolve(limit, retry_after_s=30.0), cause="rate_limit"), NOW_MS
    )
    never = decider().after(item, failed(limit, cause="rate_limit"), NOW_MS)

    assert (later.state, later.attempts, later.not_before_ms) == ("pending", 0, NOW_MS + 30_000)
    assert never.state == "failed"


def test_a_failure_keeps_what_the_caller_would_have_been_told() -> None:
    """Status and text."""
    after = decider().after(ITEM, failed(WRONG), NOW_MS)

    assert after.error == ItemError(status=502, message="all failed")
    assert failed_with(ITEM, ItemError(status=1, message=""), 5).finished_ms == 5
