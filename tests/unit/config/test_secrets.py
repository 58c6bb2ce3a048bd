"""Credentials, fetched from where they are."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from lsd.config import (
    CredentialMissing,
    DynamicLocation,
    EnvLocation,
    FallbackLocation,
    LiteralLocation,
    Location,
    NoneLocation,
    PathFromEnvLocation,
    PathLocation,
    SdkLocation,
    Secrets,
)

NOTHING: Mapping[str, str] = {}


def why_missing(secrets: Secrets, location: Location, dynamic: Mapping[str, str] = NOTHING) -> str:
    """The words with which a missing credential is told."""
    with pytest.raises(CredentialMissing) as caught:
        secrets.resolve(location, dynamic)
    return str(caught.value)


def test_environment_variables_hold_values() -> None:
    """An empty one is as good as none."""
    secrets = Secrets({"KEY": "sk-1", "EMPTY": ""})

    assert secrets.resolve(EnvLocation("KEY"), NOTHING) == "sk-1"
    told = "credential missing: environment variable EMPTY is not set"
    assert why_missing(secrets, EnvLocation("EMPTY")) == told


def test_a_file_is_read_without_its_last_line_end(tmp_path: Path) -> None:
    """Editors and `echo` add one; nobody means it."""
    file = tmp_path / "key"
    file.write_text("sk-1\n")

    assert Secrets({}).resolve(PathLocation(str(file)), NOTHING) == "sk-1"
    by_name = PathFromEnvLocation("KEY_FILE")
    assert Secrets({"KEY_FILE": str(file)}).resolve(by_name, NOTHING) == "sk-1"


def test_a_file_that_gives_nothing_is_told_with_its_reason(tmp_path: Path) -> None:
    """Absent, empty, not text."""
    empty, binary = tmp_path / "empty", tmp_path / "binary"
    empty.write_text("\n")
    binary.write_bytes(b"\xff\xfe")
    secrets = Secrets({})

    assert "No such file" in why_missing(secrets, PathLocation(str(tmp_path / "absent")))
    assert "is empty" in why_missing(secrets, PathLocation(str(empty)))
    assert "not UTF-8" in why_missing(secrets, PathLocation(str(binary)))
    assert "KEY_FILE" in why_missing(secrets, PathFromEnvLocation("KEY_FILE"))


def test_what_was_found_is_kept(tmp_path: Path) -> None:
    """A file that changes counts at the next reload; one that appears counts at once."""
    file = tmp_path / "key"
    secrets = Secrets({})
    location = PathLocation(str(file))
    why_missing(secrets, location)

    file.write_text("first")
    assert secrets.resolve(location, NOTHING) == "first"
    file.write_text("second")

    assert secrets.resolve(location, NOTHING) == "first"
    assert Secrets({}).resolve(location, NOTHING) == "second"


def test_requests_bring_dynamic_credentials_along() -> None:
    """They are never kept."""
    secrets = Secrets({})

    assert secrets.resolve(DynamicLocation("mine"), {"mine": "a"}) == "a"
    assert secrets.resolve(DynamicLocation("mine"), {"mine": "b"}) == "b"
    assert "mine" in why_missing(secrets, DynamicLocation("mine"))


def test_some_locations_need_nothing() -> None:
    """No key is sent, the SDK has its own, or the value stands in the configuration."""
    secrets = Secrets({"VLLM_API_KEY": ""})

    assert secrets.resolve(NoneLocation(), NOTHING) is None
    assert secrets.resolve(SdkLocation(), NOTHING) is None
    assert secrets.resolve(EnvLocation("VLLM_API_KEY", optional=True), NOTHING) is None
    assert secrets.resolve(LiteralLocation("eu-west-1"), NOTHING) == "eu-west-1"


def test_the_fallback_counts_while_the_default_has_nothing() -> None:
    """Each request is asked for its own credential first."""
    secrets = Secrets({"KEY": "shared"})
    pair = FallbackLocation(default=DynamicLocation("mine"), fallback=EnvLocation("KEY"))

    assert secrets.resolve(pair, {"mine": "own"}) == "own"
    assert secrets.resolve(pair, NOTHING) == "shared"
    nowhere = FallbackLocation(default=EnvLocation("A"), fallback=EnvLocation("B"))
    assert "B is not set" in why_missing(secrets, nowhere)


def test_nothing_shows_a_credential(tmp_path: Path) -> None:
    """Neither the keeper nor an error."""
    secrets = Secrets({"KEY": "sk-very-secret"})
    secrets.resolve(EnvLocation("KEY"), NOTHING)

    assert "sk-very-secret" not in repr(secrets)
    with pytest.raises(CredentialMissing) as caught:
        secrets.resolve(DynamicLocation("x"), {"y": "sk-very-secret"})
    assert "sk-very-secret" not in repr(caught.value)


def test_of_a_pair_the_half_that_had_something_is_told() -> None:
    """What a value is worth may depend on where it was: a request's token is no key file."""
    here, there = DynamicLocation("k"), EnvLocation("KEY")
    pair = FallbackLocation(default=here, fallback=there)
    secrets = Secrets({"KEY": "sk-1"})

    assert secrets.find(pair, {"k": "token"}) == (here, "token")
    assert secrets.find(pair, {}) == (there, "sk-1")
    assert secrets.find(there, {}) == (there, "sk-1")
    assert secrets.find(SdkLocation(), {}) == (SdkLocation(), None)
