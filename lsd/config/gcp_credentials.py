"""The credentials of Google's cloud as its files hold them: service accounts and users."""

from collections.abc import Mapping
from typing import Any, Final

import attrs

from lsd.config.kinds import HttpUrl
from lsd.config.rsa_keys import BadRsaKey, RsaKey, read_rsa_key
from lsd.conversation import LsdError, NotJson, decode_json, describe_json

TOKEN_URI: Final = "https://oauth2.googleapis.com/token"  # noqa: S105 (an address, no secret)

_SERVICE_ACCOUNT: Final = "service_account"
_USER: Final = "authorized_user"


@attrs.frozen
class BadGcpCredential(LsdError):
    """A text is no credential that can be used. `reason` names the field and shows no value."""

    reason: str

    def __str__(self) -> str:
        return self.reason


@attrs.frozen(kw_only=True)
class ServiceAccountKey:
    """A service account's own key. It signs for the account, without asking anybody."""

    private_key_id: str
    client_email: str
    private_key: RsaKey = attrs.field(repr=False)
    token_uri: str = TOKEN_URI


@attrs.frozen(kw_only=True)
class AuthorizedUser:
    """What `gcloud auth application-default login` leaves behind."""

    client_id: str
    client_secret: str = attrs.field(repr=False)
    refresh_token: str = attrs.field(repr=False)
    quota_project_id: str | None = None
    token_uri: str = TOKEN_URI


GcpCredential = ServiceAccountKey | AuthorizedUser


def read_gcp_credential(text: str) -> GcpCredential:
    """The credential in a JSON text, as Google issues it. Raises BadGcpCredential."""
    try:
        document = decode_json(text)
    except NotJson:
        raise BadGcpCredential("found no JSON; wanted the key file of a service account") from None
    if not isinstance(document, dict):
        found = f"found {type(document).__name__}"
        raise BadGcpCredential(f"{found}; wanted the JSON object of a service account's key")
    kind = document.get("type", _SERVICE_ACCOUNT)
    if kind == _SERVICE_ACCOUNT:
        return _service_account(document)
    if kind == _USER:
        return _user(document)
    # Federated and impersonated accounts need a chain of calls to services of other companies.
    wanted = f"wanted {_SERVICE_ACCOUNT} or {_USER}; no other type is supported"
    raise BadGcpCredential(f"type: found {describe_json(kind)}; {wanted}")


def _service_account(document: Mapping[str, Any]) -> ServiceAccountKey:
    pem = _text(document, "private_key")
    try:
        private_key = read_rsa_key(pem)
    except BadRsaKey as error:
        raise BadGcpCredential(f"private_key: {error}") from None
    return ServiceAccountKey(
        private_key_id=_text(document, "private_key_id"),
        client_email=_text(document, "client_email"),
        private_key=private_key,
        token_uri=_token_uri(document),
    )


def _user(document: Mapping[str, Any]) -> AuthorizedUser:
    has_project = document.get("quota_project_id") is not None
    return AuthorizedUser(
        client_id=_text(document, "client_id"),
        client_secret=_text(document, "client_secret"),
        refresh_token=_text(document, "refresh_token"),
        quota_project_id=_text(document, "quota_project_id") if has_project else None,
        token_uri=_token_uri(document),
    )


def _token_uri(document: Mapping[str, Any]) -> str:
    if document.get("token_uri") is None:
        return TOKEN_URI
    value = _text(document, "token_uri")
    if not HttpUrl().fits(value):
        raise BadGcpCredential(f"token_uri: found no URL; wanted {HttpUrl().wanted}")
    return value


def _text(document: Mapping[str, Any], field: str) -> str:
    value = document.get(field)
    if isinstance(value, str) and value:
        return value
    found = "missing" if field not in document else "found something else"
    raise BadGcpCredential(f"{field}: {found}; wanted a string that is not empty")
