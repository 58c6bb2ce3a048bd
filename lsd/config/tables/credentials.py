"""Where a credential is found: the location, never the credential itself."""

import re
from functools import partial
from pathlib import PurePath
from typing import Annotated, Final

import attrs

from lsd.config.kinds import TextForm


@attrs.frozen
class EnvLocation:
    """`env::VAR`: the value of an environment variable.

    An `optional` one, which only built-in defaults have, means no credential where the variable
    is unset.
    """

    name: str
    optional: bool = False

    def __str__(self) -> str:
        return f"env::{self.name}"


@attrs.frozen
class PathLocation:
    """`path::/abs/file`: the content of a file."""

    path: str

    def __str__(self) -> str:
        return f"path::{self.path}"


@attrs.frozen
class PathFromEnvLocation:
    """`path_from_env::VAR`: the content of the file that an environment variable names."""

    name: str

    def __str__(self) -> str:
        return f"path_from_env::{self.name}"


@attrs.frozen
class DynamicLocation:
    """`dynamic::name`: an entry of the request's own `credentials`."""

    name: str

    def __str__(self) -> str:
        return f"dynamic::{self.name}"


@attrs.frozen
class SdkLocation:
    """`sdk`: what the SDK of the cloud would find."""

    def __str__(self) -> str:
        return "sdk"


@attrs.frozen
class NoneLocation:
    """`none`: no credential is sent."""

    def __str__(self) -> str:
        return "none"


@attrs.frozen
class LiteralLocation:
    """The value itself, in the fields that hold no secret: a region, an endpoint."""

    value: str

    def __str__(self) -> str:
        return self.value


SingleLocation = (
    EnvLocation
    | PathLocation
    | PathFromEnvLocation
    | DynamicLocation
    | SdkLocation
    | NoneLocation
    | LiteralLocation
)

FORMS: Final = {
    EnvLocation: "env::VAR",
    PathLocation: "path::/absolute/file",
    PathFromEnvLocation: "path_from_env::VAR",
    DynamicLocation: "dynamic::name",
    SdkLocation: "sdk",
    NoneLocation: "none",
    LiteralLocation: "a literal",
}
"""How each kind of location is written."""


def parse_location(text: str, *, literal: bool) -> SingleLocation:
    """The location that `text` names; with `literal`, a text without `::` stands for itself.

    Raises ValueError, which never holds the text: it may be the credential itself, put in the
    wrong place.
    """
    form, colons, rest = text.partition("::")
    match form, bool(colons):
        case "sdk", False:
            return SdkLocation()
        case "none", False:
            return NoneLocation()
        case (("env" | "path" | "path_from_env" | "dynamic"), True):
            return _with_name(form, rest)
        case _ if literal and re.match(r"[a-z_]+::", text) is None:
            return LiteralLocation(text)
        case _:
            allowed = [FORMS[each] for each in FORMS if literal or each is not LiteralLocation]
            raise ValueError(
                f"this is not the location of a credential; wanted one of {', '.join(allowed)}"
            )


def _with_name(form: str, name: str) -> SingleLocation:
    if not name:
        raise ValueError(f'found nothing after "{form}::"; wanted {form}::NAME')
    match form:
        case "env":
            return EnvLocation(name)
        case "path_from_env":
            return PathFromEnvLocation(name)
        case "dynamic":
            return DynamicLocation(name)
        case _ if not PurePath(name).is_absolute():
            raise ValueError("found a relative path; wanted path::/absolute/file")
        case _:
            return PathLocation(name)


_LOCATION: Final = TextForm(
    kind="credential location",
    parse=partial(parse_location, literal=False),
    show=str,
    placeholder=NoneLocation(),
    secret=True,
)


@attrs.frozen(kw_only=True)
class FallbackLocation:
    """Two locations; the second counts only while the first has nothing."""

    default: Annotated[SingleLocation, _LOCATION]
    fallback: Annotated[SingleLocation, _LOCATION]

    def __str__(self) -> str:
        return f"{self.default}, else {self.fallback}"


Location = SingleLocation | FallbackLocation

Credential = Annotated[SingleLocation, _LOCATION] | FallbackLocation
"""A key that says where a credential is."""

PlainLocation = Annotated[SingleLocation, _LOCATION]
"""The same without the fallback form."""

LiteralOrLocation = Annotated[
    SingleLocation,
    TextForm(
        kind="value or location",
        parse=partial(parse_location, literal=True),
        show=str,
        placeholder=LiteralLocation(""),
    ),
]
"""A key that also takes a plain value."""


@attrs.frozen(kw_only=True)
class ApiKeyDefaults:
    """Where the key of a provider type is, unless a provider says so itself."""

    api_key_location: Credential | None = None


@attrs.frozen(kw_only=True)
class CredentialDefaults:
    """Where the credential of a provider type of GCP is, unless a provider says so itself."""

    credential_location: Credential | None = None
