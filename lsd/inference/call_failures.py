"""Every way in which a call of a provider fails, as the one error that says so."""

from collections.abc import Callable, Collection
from contextlib import AbstractContextManager
from types import TracebackType

import attrs

from lsd.config import CredentialMissing
from lsd.conversation import MISSING_CREDENTIAL_CODE, AttemptFailed
from lsd.inference.limits import Limit
from lsd.inference.masking import masked
from lsd.network import BodyTooLarge, DeadlineReached, TransportFailed


@attrs.frozen(kw_only=True)
class AttemptFailures(AbstractContextManager[None]):
    """Whatever goes wrong inside leaves as AttemptFailed, without `secrets`; `note` hears of it.

    `limit` is the one behind the call's deadline. `secrets` may grow while it is open.
    """

    provider_type: str
    provider_name: str
    limit: Limit
    secrets: Collection[str]
    note: Callable[[AttemptFailed], None]

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if error is not None:
            self.take(error)

    def take(self, error: BaseException) -> None:
        """Raises the failure that the error is; none if it is none of a call's."""
        failure = self._failure_of(error)
        if failure is None:
            return
        mask_failure(failure, self.secrets)
        self.note(failure)
        if failure is not error:
            raise failure from error

    def _failure_of(self, error: BaseException) -> AttemptFailed | None:
        match error:
            case AttemptFailed():
                return error
            case TransportFailed(reason=reason):
                return AttemptFailed(kind="transport", text=f"{self.provider_type}: {reason}")
            case BodyTooLarge():
                return AttemptFailed(kind="malformed", text=f"{self.provider_type}: {error}")
            case DeadlineReached():
                return AttemptFailed(kind="timeout", text=str(self.limit))
            case CredentialMissing(is_callers=is_callers):
                text = f'provider "{self.provider_name}": {error}'
                # Only what the caller should have brought along is the caller's doing.
                code = MISSING_CREDENTIAL_CODE if is_callers else None
                return AttemptFailed(kind="config", text=text, code=code)
            case _:
                return None


def mask_failure(failure: AttemptFailed, secrets: Collection[str]) -> None:
    """Takes credentials out of everything that a failure tells."""
    failure.text = masked(failure.text, secrets)
    if failure.message is not None:
        failure.message = masked(failure.message, secrets)
    if failure.raw_response is not None:
        failure.raw_response = masked(failure.raw_response, secrets)
