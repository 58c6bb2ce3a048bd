"""Credentials: fetched from where the configuration says they are, shown to nobody."""

from collections.abc import Mapping
from pathlib import Path

import attrs

from lsd.config.tables.credentials import (
    DynamicLocation,
    EnvLocation,
    FallbackLocation,
    LiteralLocation,
    Location,
    NoneLocation,
    PathFromEnvLocation,
    PathLocation,
    SdkLocation,
    SingleLocation,
)
from lsd.conversation import LsdError
from lsd.telemetry import logger

log = logger(__name__)


@attrs.frozen
class CredentialMissing(LsdError):
    """There is no credential where it should be.

    `is_callers`: the request should have brought it along.
    """

    location: str
    reason: str
    is_callers: bool = False

    def __str__(self) -> str:
        return f"credential missing: {self.reason}"


@attrs.define(eq=False)
class Secrets:
    """Finds credentials.

    What stands in the environment or in a file is fetched once and then kept; what a request
    brings along is asked for anew each time. Only values that were found are kept, so that a
    credential missing at the start may still appear.
    """

    _environment: Mapping[str, str] = attrs.field(repr=False)
    _found: dict[str, str] = attrs.field(factory=dict, repr=False)
    """By the text of the location."""

    def known(self) -> Mapping[str, str]:
        """What was found so far, by the text of the location."""
        return self._found

    def resolve(self, location: Location, dynamic: Mapping[str, str]) -> str | None:
        """The credential at `location`, None where no key is to be sent or the SDK has its own.

        `dynamic` are the credentials of the request. Raises CredentialMissing.
        """
        match location:
            case NoneLocation() | SdkLocation():
                return None
            case LiteralLocation(value=value):
                return value
            case DynamicLocation(name=name):
                if name not in dynamic:
                    reason = f"the request's credentials hold no {name!r}"
                    raise CredentialMissing(str(location), reason, is_callers=True)
                return dynamic[name]
            case FallbackLocation():
                return self._first_of(location, dynamic)[1]
            case EnvLocation(name=name, optional=True) if not self._environment.get(name):
                return None
            case _:
                return self._static(location)

    def find(
        self, location: Location, dynamic: Mapping[str, str]
    ) -> tuple[SingleLocation, str | None]:
        """The same with the location that had it, which of a pair is one of the two."""
        if isinstance(location, FallbackLocation):
            return self._first_of(location, dynamic)
        return location, self.resolve(location, dynamic)

    def _first_of(
        self, pair: FallbackLocation, dynamic: Mapping[str, str]
    ) -> tuple[SingleLocation, str | None]:
        try:
            return pair.default, self.resolve(pair.default, dynamic)
        except CredentialMissing as missing:
            value = self.resolve(pair.fallback, dynamic)
            log.warning("fallback credential used", reason=missing.reason)
            return pair.fallback, value

    def _static(self, location: EnvLocation | PathLocation | PathFromEnvLocation) -> str:
        place = str(location)
        value = self._found.get(place)
        if value is None:
            value = self._found[place] = self._fetch(location)
        return value

    def _fetch(self, location: EnvLocation | PathLocation | PathFromEnvLocation) -> str:
        if isinstance(location, PathLocation):
            return _content(location, location.path)
        value = self._environment.get(location.name)
        if not value:
            reason = f"environment variable {location.name} is not set"
            raise CredentialMissing(str(location), reason)
        return value if isinstance(location, EnvLocation) else _content(location, value)


def _content(location: Location, path: str) -> str:
    """The text of the file without its last line end."""
    try:
        text = Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise CredentialMissing(str(location), f"file {path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise CredentialMissing(str(location), f"file {path} is not UTF-8 text") from None
    value = text.removesuffix("\n").removesuffix("\r")
    if not value:
        raise CredentialMissing(str(location), f"file {path} is empty")
    return value
