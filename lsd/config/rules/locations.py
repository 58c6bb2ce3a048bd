"""Which forms of a location a provider type can use."""

from collections.abc import Iterator
from typing import Final

from lsd.config.annotations import keys_of
from lsd.config.findings import Findings
from lsd.config.key_path import KeyPath
from lsd.config.tables.config import Config
from lsd.config.tables.credentials import (
    FORMS,
    DynamicLocation,
    EnvLocation,
    FallbackLocation,
    Location,
    NoneLocation,
    PathFromEnvLocation,
    PathLocation,
    SdkLocation,
)
from lsd.config.tables.provider_types import ProviderTypes

Forms = tuple[type, ...]

_FILES: Final[Forms] = (PathLocation, PathFromEnvLocation)
_BY_KEY: Final[dict[str, Forms]] = {
    "api_key_location": (EnvLocation, *_FILES, DynamicLocation, NoneLocation),
    "credential_location": (EnvLocation, *_FILES, DynamicLocation, SdkLocation),
    "api_key": (EnvLocation, DynamicLocation),
    "access_key_id": (EnvLocation, DynamicLocation, SdkLocation),
    "secret_access_key": (EnvLocation, DynamicLocation, SdkLocation),
    "session_token": (EnvLocation, DynamicLocation, SdkLocation),
}
"""The forms by the keys of providers; a key means the same in every type that has it."""

_RELAY: Final[Forms] = (EnvLocation, PathLocation, DynamicLocation, NoneLocation)


def check_locations(config: Config, findings: Findings) -> None:
    """The location of every provider and of the defaults of every type."""
    for path, kind, table in _tables(config):
        for key, forms in _BY_KEY.items():
            location: Location | None = getattr(table, key, None)
            if location is not None:
                _check((*path, key), location, forms, f"provider type {kind}", findings)
    relay = config.gateway.relay.api_key_location
    _check(("gateway", "relay", "api_key_location"), relay, _RELAY, "the relay", findings)


def _tables(config: Config) -> Iterator[tuple[KeyPath, str, object]]:
    """Every table that can hold locations, with its provider type."""
    for table in ("models", "embedding_models"):
        for name, model in getattr(config, table).items():
            for each, provider in model.providers.items():
                yield (table, name, "providers", each), provider.type, provider
    for key in keys_of(ProviderTypes):
        defaults = getattr(config.provider_types, key.name).defaults
        yield ("provider_types", key.name, "defaults"), key.name, defaults


def _check(path: KeyPath, location: Location, forms: Forms, owner: str, findings: Findings) -> None:
    halves = (
        [location.default, location.fallback]
        if isinstance(location, FallbackLocation)
        else [location]
    )
    for half in halves:
        if not isinstance(half, forms):
            wanted = f"wanted {', '.join(FORMS[each] for each in forms)}"
            found = f"{FORMS[type(half)]} cannot be used by {owner}"
            findings.refuse(path, found, wanted)
