"""Key files of Google's cloud: what they must hold, and that errors show nothing of it."""

from typing import Any

import pytest

from lsd.config import AuthorizedUser, BadGcpCredential, ServiceAccountKey, read_gcp_credential
from lsd.config.gcp_credentials import TOKEN_URI
from tests.fakes.gcp_keys import EMAIL, authorized_user, pem, service_account


def refused(text: str) -> str:
    """Why a text is no credential."""
    with pytest.raises(BadGcpCredential) as caught:
        read_gcp_credential(text)
    return str(caught.value)


@pytest.mark.parametrize("key", ["rsa_pkcs8", "rsa_pkcs1"])
def test_the_key_of_a_service_account(key: str) -> None:
    """Case 55: it names the account, the key, and where tokens are to be had."""
    found = read_gcp_credential(service_account(private_key=pem(key)))

    assert isinstance(found, ServiceAccountKey)
    assert (found.private_key_id, found.client_email) == ("k1", EMAIL)
    assert found.token_uri == "https://oauth2.example/token"


def test_what_may_be_left_out() -> None:
    """Google's own endpoint serves unless the file names another one."""
    found = read_gcp_credential(service_account(type=None, token_uri=None))

    assert isinstance(found, ServiceAccountKey)
    assert found.token_uri == TOKEN_URI


def test_the_login_of_a_user() -> None:
    """As gcloud leaves it; the project that pays for the calls is part of it."""
    found = read_gcp_credential(authorized_user(quota_project_id="payer"))
    plain = read_gcp_credential(authorized_user())

    assert isinstance(found, AuthorizedUser)
    assert (found.client_id, found.client_secret) == ("c-1", "user-secret")
    assert (found.refresh_token, found.quota_project_id) == ("user-refresh", "payer")
    assert isinstance(plain, AuthorizedUser)
    assert plain.quota_project_id is None


TYPES = "service_account or authorized_user; no other type is supported"
NOT_EMPTY = "wanted a string that is not empty"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("ya29.token", "found no JSON; wanted the key file of a service account"),
        ("[]", "found list; wanted the JSON object of a service account's key"),
        (service_account(private_key_id=None), f"private_key_id: missing; {NOT_EMPTY}"),
        (service_account(private_key=None), f"private_key: missing; {NOT_EMPTY}"),
        (service_account(client_email=7), f"client_email: found something else; {NOT_EMPTY}"),
        (service_account(client_email=""), f"client_email: found something else; {NOT_EMPTY}"),
        (
            service_account(private_key=pem("ec_pkcs8")),
            "private_key: found a key of another kind; wanted an RSA key",
        ),
        (
            service_account(token_uri="/token"),
            "token_uri: found no URL; wanted an absolute http:// or https:// URL",
        ),
        (authorized_user(refresh_token=None), f"refresh_token: missing; {NOT_EMPTY}"),
        (
            authorized_user(quota_project_id=7),
            f"quota_project_id: found something else; {NOT_EMPTY}",
        ),
        (
            service_account(type="external_account"),
            'type: found "external_account"; wanted ' + TYPES,
        ),
    ],
)
def test_what_cannot_be_used_is_told_by_its_field(text: str, reason: str) -> None:
    """Case 55: the field is named, and no value is shown."""
    assert refused(text) == reason


@pytest.mark.parametrize("text", [service_account(), authorized_user()])
def test_nothing_secret_shows(text: str) -> None:
    """A credential may end up in a log or a traceback."""
    shown: Any = repr(read_gcp_credential(text))

    assert "user-secret" not in shown
    assert "user-refresh" not in shown
    assert "private_key=" not in shown
