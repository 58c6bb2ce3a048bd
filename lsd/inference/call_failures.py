"""Every way in which a call of a provider fails, as the one error that says so."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager

from lsd.config import CredentialMissing
from lsd.conversation import MISSING_CREDENTIAL_CODE, AttemptFailed
from lsd.inference.limits import TimeLimitReached
from lsd.inference.masking import masked
from lsd.network import BodyTooLarge, TransportFailed


@contextmanager
def attempt_failures(provider_type: str, provider_name: str) -> Iterator[None]:
    """Whatever goes wrong inside leaves as AttemptFailed."""
    try:
        yield
    except TransportFailed as failure:
        text = f"{provider_type}: {failure.reason}"
        raise AttemptFailed(kind="transport", text=text) from failure
    except BodyTooLarge as failure:
        raise AttemptFailed(kind="malformed", text=f"{provider_type}: {failure}") from failure
    except TimeLimitReached as failure:
        raise AttemptFailed(kind="timeout", text=str(failure)) from failure
    except CredentialMissing as missing:
        text = f'provider "{provider_name}": {missing}'
        # Only what the caller should have brought along is the caller's doing.
        code = MISSING_CREDENTIAL_CODE if missing.is_callers else None
        raise AttemptFailed(kind="config", text=text, code=code) from missing


def mask_failure(failure: AttemptFailed, secrets: Collection[str]) -> None:
    """Takes credentials out of everything that a failure tells."""
    failure.text = masked(failure.text, secrets)
    if failure.message is not None:
        failure.message = masked(failure.message, secrets)
    if failure.raw_response is not None:
        failure.raw_response = masked(failure.raw_response, secrets)
