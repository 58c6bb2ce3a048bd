"""Credentials as the configuration writes them down: when they are looked up, what is secret."""

import pytest

from lsd.config import (
    CredentialMissing,
    DynamicLocation,
    EnvLocation,
    FallbackLocation,
    LiteralLocation,
    NoneLocation,
    Secrets,
)
from lsd.inference.written_credentials import Credentials, WrittenCredentials

NOTHING: dict[str, str] = {}


def test_what_no_request_has_a_say_in_is_kept() -> None:
    """As the environment was when it was first asked."""
    environment = {"KEY": "sk-first"}
    secrets = Secrets(environment)
    written = WrittenCredentials(
        {"api_key": EnvLocation("KEY"), "endpoint": LiteralLocation("here"), "no": NoneLocation()}
    )

    first = written.find(secrets, NOTHING)
    environment["KEY"] = "sk-second"

    assert first.values == {"api_key": "sk-first", "endpoint": "here", "no": None}
    assert written.find(secrets, {"KEY": "sk-callers"}) is first


def test_what_is_missing_may_still_appear() -> None:
    """It is asked for again at the next call."""
    environment: dict[str, str] = {}
    written = WrittenCredentials({"api_key": EnvLocation("KEY")})
    with pytest.raises(CredentialMissing):
        written.find(Secrets(environment), NOTHING)

    environment["KEY"] = "sk-late"

    assert written.find(Secrets(environment), NOTHING).values == {"api_key": "sk-late"}


def test_an_optional_credential_may_appear_too() -> None:
    """That there is none is not kept."""
    environment: dict[str, str] = {}
    written = WrittenCredentials({"api_key": EnvLocation("KEY", optional=True)})
    assert written.find(Secrets(environment), NOTHING).values == {"api_key": None}

    environment["KEY"] = "sk-late"

    assert written.find(Secrets(environment), NOTHING).values == {"api_key": "sk-late"}


@pytest.mark.parametrize(
    "location",
    [
        DynamicLocation("key"),
        FallbackLocation(default=DynamicLocation("key"), fallback=EnvLocation("KEY")),
    ],
    ids=["dynamic", "with a fallback"],
)
def test_what_requests_bring_along_is_each_ones_own(
    location: DynamicLocation | FallbackLocation,
) -> None:
    """No caller is served with another one's key."""
    written = WrittenCredentials({"api_key": location, "endpoint": LiteralLocation("here")})
    secrets = Secrets({"KEY": "sk-own"})

    for key in ("sk-one", "sk-two"):
        found = written.find(secrets, {"key": key})
        assert found.values == {"api_key": key, "endpoint": "here"}
        assert found.secrets == {key}


def test_an_address_is_no_secret() -> None:
    """Nor is what is not there."""
    values = {"api_key": "sk-1", "endpoint": "here", "region": "eu", "session_token": None}

    assert Credentials(values).secrets == {"sk-1"}
    assert "sk-1" not in repr(Credentials(values))
