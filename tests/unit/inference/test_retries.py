"""When a model is asked again, and after how long."""

from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsd.conversation import AttemptFailed, FailureKind
from lsd.inference.retries import wait_before_retry

TRANSIENT = ("rate_limited", "server", "transport", "timeout", "malformed")
LASTING = (
    "client_fault",
    "auth",
    "quota",
    "generation",
    "config",
    "own_limit",
    "limits_unavailable",
)


def failure(kind: FailureKind = "server", **fields: Any) -> AttemptFailed:
    """How a provider's call failed."""
    return AttemptFailed(kind=kind, text="no", **fields)


def wait(
    *failures: AttemptFailed,
    passes_made: int = 1,
    num_retries: int = 100,
    max_delay_s: float = 10.0,
    spread: float = 0.0,
) -> float | None:
    """The decision; `spread` is what the random generator says."""
    return wait_before_retry(
        failures or (failure(),),
        passes_made=passes_made,
        num_retries=num_retries,
        max_delay_s=max_delay_s,
        uniform=lambda: spread,
    )


def test_every_kind_of_failure_either_passes_or_lasts() -> None:
    """There is no kind of failure of which nobody has said whether it may heal."""
    assert sorted(TRANSIENT + LASTING) == sorted(get_args(FailureKind))


@pytest.mark.parametrize("kind", TRANSIENT)
def test_what_may_heal_by_itself_is_tried_again(kind: FailureKind) -> None:
    """Errors of the network, of a busy server or of its answer are worth another try."""
    assert wait(failure(kind)) == 1.0


@pytest.mark.parametrize("kind", LASTING)
def test_what_will_not_heal_is_not_tried_again(kind: FailureKind) -> None:
    """A wrong request, a wrong key or an empty account would only burn time."""
    assert wait(failure(kind)) is None


def test_a_provider_may_forbid_to_be_asked_again() -> None:
    """An error answered with `x-should-retry: false` is believed."""
    assert wait(failure("server", final=True)) is None


def test_one_error_that_may_heal_is_enough() -> None:
    """A pass that ended in 400 and 503 is made again, whatever their order."""
    assert wait(failure("client_fault"), failure("server")) == 1.0
    assert wait(failure("server"), failure("client_fault")) == 1.0


def test_a_pass_without_errors_is_not_made_again() -> None:
    """Where there was nobody to ask, asking again changes nothing."""
    waited = wait_before_retry(
        (), passes_made=1, num_retries=3, max_delay_s=10.0, uniform=lambda: 0.0
    )

    assert waited is None


@pytest.mark.parametrize(
    ("passes_made", "num_retries", "is_retried"),
    [(1, 0, False), (1, 1, True), (2, 1, False), (2, 2, True), (3, 2, False)],
)
def test_there_are_as_many_retries_as_configured(
    passes_made: int, num_retries: int, is_retried: bool
) -> None:
    """With `num_retries = 2` there are three passes at most."""
    waited = wait(passes_made=passes_made, num_retries=num_retries)

    assert (waited is not None) == is_retried


@pytest.mark.parametrize(
    ("passes_made", "spread", "waited"),
    [(1, 0.0, 1.0), (1, 0.5, 1.5), (2, 0.0, 2.0), (2, 0.5, 3.0), (3, 0.0, 4.0), (3, 0.9, 7.6)],
)
def test_the_wait_doubles_and_is_spread(passes_made: int, spread: float, waited: float) -> None:
    """One second, two, four, and up to as much again, so that callers do not come in step."""
    assert wait(passes_made=passes_made, spread=spread) == pytest.approx(waited)


@pytest.mark.parametrize("passes_made", [1, 2, 5, 60, 2_000, 10**9])
def test_no_wait_is_longer_than_the_bound(passes_made: int) -> None:
    """`max_delay_s` bounds every wait, the first and the millionth."""
    waited = wait(passes_made=passes_made, num_retries=10**10, max_delay_s=0.1, spread=0.99)

    assert waited == 0.1


@pytest.mark.parametrize(
    ("asked", "max_delay_s", "waited"),
    [
        (2.0, 3.0, 2.0),
        (2.0, 2.0, 2.0),
        (2.0, 1.0, None),
        (0.5, 3.0, 1.0),
        (0.0, 3.0, 1.0),
    ],
    ids=["longer than the back-off", "the bound", "beyond it", "shorter", "nothing"],
)
def test_a_provider_may_ask_for_a_longer_wait(
    asked: float, max_delay_s: float, waited: float | None
) -> None:
    """`Retry-After` is heeded up to `max_delay_s`; beyond it nothing is waited for at all."""
    assert wait(failure(retry_after_s=asked), max_delay_s=max_delay_s) == waited


@pytest.mark.parametrize(
    ("failures", "waited"),
    [
        ((failure(retry_after_s=7.0), failure(retry_after_s=3.0)), 3.0),
        ((failure(retry_after_s=7.0), failure()), 1.0),
        ((failure(retry_after_s=7.0), failure("auth", retry_after_s=2.0)), 7.0),
        ((failure(retry_after_s=7.0), failure("auth")), 7.0),
    ],
    ids=["the smaller", "one asks for none", "a lasting one does not count", "nor its silence"],
)
def test_of_several_waits_the_smallest_counts(
    failures: tuple[AttemptFailed, ...], waited: float
) -> None:
    """As soon as one provider may answer again, it is worth asking."""
    assert wait(*failures) == waited


@given(
    passes_made=st.integers(1, 10_000),
    max_delay_s=st.floats(0.001, 10_000.0),
    spread=st.floats(0.0, 1.0, exclude_max=True),
    asked=st.none() | st.floats(0.0, 100_000.0),
)
def test_a_wait_lies_between_what_was_asked_and_the_bound(
    passes_made: int, max_delay_s: float, spread: float, asked: float | None
) -> None:
    """Whatever the figures, a retry is neither early for its provider nor late for the operator."""
    waited = wait(
        failure(retry_after_s=asked),
        passes_made=passes_made,
        num_retries=10_000,
        max_delay_s=max_delay_s,
        spread=spread,
    )

    if waited is None:
        assert asked is not None
        assert asked > max_delay_s
    else:
        assert (asked or 0.0) <= waited <= max_delay_s
