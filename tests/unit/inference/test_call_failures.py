"""Every way in which a call of a provider fails is told by one error."""

import pytest

from lsd.config import CredentialMissing
from lsd.conversation import AttemptFailed
from lsd.inference.call_failures import AttemptFailures, mask_failure
from lsd.inference.limits import Limit
from lsd.network import BodyTooLarge, DeadlineReached, TransportFailed

LIMIT = Limit("provider", "p", "timeout_ms", 5)


def failures(noted: list[AttemptFailed]) -> AttemptFailures:
    """Those of a call of the provider `p`, each entered in a list."""
    return AttemptFailures(
        provider_type="openai",
        provider_name="p",
        limit=LIMIT,
        secrets={"sk-secret"},
        note=noted.append,
    )


@pytest.mark.parametrize(
    ("error", "kind", "told"),
    [
        (TransportFailed("reset", sent=True), "transport", "openai: reset"),
        (BodyTooLarge(5), "malformed", "openai: "),
        (DeadlineReached(), "timeout", 'provider "p": timeout_ms = 5 reached'),
        (
            CredentialMissing("env::K", "environment variable K is not set"),
            "config",
            'provider "p": credential missing: environment variable K is not set',
        ),
        (AttemptFailed(kind="server", text="ill"), "server", "ill"),
    ],
    ids=["transport", "too large", "timeout", "credential", "failed"],
)
def test_what_goes_wrong_is_a_failed_attempt(error: Exception, kind: str, told: str) -> None:
    """Whatever the layer below calls it; it is noted before anybody else hears of it."""
    noted: list[AttemptFailed] = []

    with pytest.raises(AttemptFailed) as failed, failures(noted):
        raise error

    assert failed.value.kind == kind
    assert failed.value.text.startswith(told)
    assert noted == [failed.value]


def test_a_bug_is_not_a_failed_attempt() -> None:
    """It is not hidden by asking the next provider."""
    noted: list[AttemptFailed] = []

    with pytest.raises(ZeroDivisionError), failures(noted):
        raise ZeroDivisionError

    assert noted == []


def test_what_goes_well_is_not_noted() -> None:
    """Nor is anything raised."""
    noted: list[AttemptFailed] = []

    with failures(noted):
        pass

    assert noted == []


def test_nothing_that_a_failure_tells_shows_a_credential() -> None:
    """Neither our sentence nor the provider's own, nor the body that it sent."""
    failure = AttemptFailed(
        kind="auth", text="no: sk-secret", message="sk-secret", raw_response='"sk-secret"'
    )

    mask_failure(failure, {"sk-secret"})

    assert (failure.text, failure.message, failure.raw_response) == ("no: ***", "***", '"***"')
