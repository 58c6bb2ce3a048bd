"""Credentials that are fetched rather than written down: tokens and keys with a lifetime."""

from collections.abc import Callable, Mapping
from typing import Protocol

from lsd.config import Provider


class SignIn(Protocol):
    """How calls of one provider get credentials that no location holds. Serves all its calls."""

    @property
    def refusal_statuses(self) -> frozenset[int]:
        """The statuses of answers that may be about the credentials."""

    @property
    def cloud_wide(self) -> "SignIn":
        """The same for all services of the provider's cloud, such as its storage."""

    async def credentials(self, dynamic: Mapping[str, str], /) -> Mapping[str, str | None]:
        """What the dialect is told beside its configured credentials, by its names for it.

        `dynamic` are the credentials of the request. Raises AttemptFailed or CredentialMissing.
        """

    def forget(
        self, credentials: Mapping[str, str | None], headers: Mapping[str, str], body: bytes, /
    ) -> bool:
        """Whether this answer refuses `credentials`, and fresh ones may be better.

        Only answers of `refusal_statuses` are shown. If so, the next call of `credentials` does
        not give the same again without having asked for new ones.
        """


SignInMaker = Callable[[Provider], SignIn | None]
"""From a provider's table to its way of signing in; None if its locations hold all it needs."""


def no_sign_in(_: Provider) -> None:
    """For gateways whose providers all have their credentials written down."""
