"""Credentials as the configuration writes them down, looked up for the calls of one provider."""

from collections.abc import Iterable, Mapping

import attrs

from lsd.config import DynamicLocation, EnvLocation, FallbackLocation, Location, Secrets
from lsd.inference.masking import spellings_of

_SHOWN = frozenset({"endpoint", "quota_project", "region", "signed_at"})
"""What goes with credentials and may be shown."""


@attrs.frozen
class Credentials:
    """What a dialect is told at a call, by its names.

    `secrets` are the values that must not show, in all their spellings.
    """

    values: Mapping[str, str | None] = attrs.field(repr=False)
    secrets: frozenset[str] = attrs.field(init=False, repr=False)

    @secrets.default
    def _secrets(self) -> frozenset[str]:
        return frozenset(
            spellings_of(
                value for name, value in self.values.items() if value and name not in _SHOWN
            )
        )


@attrs.define(eq=False)
class WrittenCredentials:
    """Where everything is that a dialect wants to be told at each call, by its name there.

    What has to be fetched is not among it: that comes by signing in. What no request has a say in
    is looked up until all of it was found, and then `kept`, as Secrets keeps it.
    """

    locations: Mapping[str, Location]
    kept: Credentials | None = attrs.field(default=None, init=False, repr=False)

    def find(self, secrets: Secrets, dynamic: Mapping[str, str]) -> Credentials:
        """`dynamic` are the credentials of the request. Raises CredentialMissing."""
        if self.kept is not None:
            return self.kept
        values = {
            name: secrets.resolve(location, dynamic) for name, location in self.locations.items()
        }
        found = Credentials(values)
        if _is_lasting(self.locations.values()):
            self.kept = found
        return found


def _is_lasting(locations: Iterable[Location]) -> bool:
    """Whether what was found at these locations will be found there again."""
    return not any(
        isinstance(location, DynamicLocation | FallbackLocation)
        or (isinstance(location, EnvLocation) and location.optional)
        for location in locations
    )
