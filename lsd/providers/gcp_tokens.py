"""Access tokens of Google's cloud: signed here, or asked for in one HTTP request.

Nothing here sends anything. Source: Google's pages "Using OAuth 2.0 for Server to Server
Applications" and "View and query VM metadata", autumn 2026; RFC 7523; RFC 6749, section 6.
"""

from base64 import urlsafe_b64encode
from collections.abc import Mapping
from random import Random
from typing import Any, Final, TypeGuard
from urllib.parse import urlencode, urlsplit

import attrs

from lsd.config import AuthorizedUser, ServiceAccountKey
from lsd.conversation import AttemptFailed, NotJson, WireRequest, decode_json, encode_json
from lsd.providers._http_errors import failed_answer
from lsd.providers.rs256 import rs256

CLOUD_SCOPE: Final = "https://www.googleapis.com/auth/cloud-platform"

ASSERTION_S: Final = 3600
"""Seconds for which a signature is good; Google takes no longer ones."""

METADATA_HOST: Final = "metadata.google.internal"
_METADATA_PATH: Final = "/computeMetadata/v1/instance/service-accounts/default/token"
_FLAVOR: Final = "Google"
"""Both sides say it: a request that was forwarded by mistake does not, nor does a stranger."""

_GRANT: Final = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_FORM: Final = {"Content-Type": "application/x-www-form-urlencoded"}


@attrs.frozen(kw_only=True)
class AccessToken:
    """A bearer token. Times are seconds since 1970; `quota_project` pays for the calls."""

    value: str = attrs.field(repr=False)
    issued_at_s: float
    expires_at_s: float
    quota_project: str | None = None


@attrs.frozen(kw_only=True)
class MetadataServer:
    """Where machines in Google's cloud get tokens from; it knows the account by the asker."""

    host: str = METADATA_HOST


def self_signed_token(
    key: ServiceAccountKey, audience: str, now_s: int, random: Random
) -> AccessToken:
    """A token that is good without anybody being asked. Signs: call it in a thread."""
    claims = {"iss": key.client_email, "sub": key.client_email, "aud": audience}
    value = _signed(key, claims, now_s, random)
    return AccessToken(value=value, issued_at_s=now_s, expires_at_s=now_s + ASSERTION_S)


def exchange_request(key: ServiceAccountKey, now_s: int, random: Random) -> WireRequest:
    """Asks for a token in exchange for a signature. Signs: call it in a thread."""
    claims = {"iss": key.client_email, "scope": CLOUD_SCOPE, "aud": key.token_uri}
    assertion = _signed(key, claims, now_s, random)
    return _form(key.token_uri, {"grant_type": _GRANT, "assertion": assertion})


def refresh_request(user: AuthorizedUser) -> WireRequest:
    """Asks for a token in the name of a user who has once logged in."""
    fields = {
        "grant_type": "refresh_token",
        "client_id": user.client_id,
        "client_secret": user.client_secret,
        "refresh_token": user.refresh_token,
    }
    return _form(user.token_uri, fields)


def metadata_request(server: MetadataServer) -> WireRequest:
    """Asks for the token of the account that this machine runs under."""
    url = f"http://{server.host}{_METADATA_PATH}"
    return WireRequest(method="GET", url=url, headers={"Metadata-Flavor": _FLAVOR})


def read_token(
    status: int, headers: Mapping[str, str], body: bytes, now_s: float, asked: WireRequest
) -> AccessToken:
    """The token in an answer to `asked`. Raises AttemptFailed, which shows nothing secret."""
    where = f"token endpoint {urlsplit(asked.url).netloc}"
    document = _object(body)
    if status != 200:
        raise _refused(where, status, headers, body, document)
    if "Metadata-Flavor" in asked.headers and headers.get("metadata-flavor") != _FLAVOR:
        text = f"{where}: answered without Metadata-Flavor: {_FLAVOR}; it is no metadata server"
        raise AttemptFailed(kind="config", text=text)
    value, lifetime_s = document.get("access_token"), document.get("expires_in")
    if not _is_token(value) or not _is_number(lifetime_s):
        text = f"{where}: found no access_token with its expires_in; wanted both"
        raise AttemptFailed(kind="malformed", text=text)
    return AccessToken(value=value, issued_at_s=now_s, expires_at_s=now_s + lifetime_s)


def _is_token(value: Any) -> TypeGuard[str]:
    """Whether it is a text that a header may hold."""
    return isinstance(value, str) and bool(value) and value.isascii() and value.isprintable()


def _is_number(value: Any) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _refused(
    where: str, status: int, headers: Mapping[str, str], body: bytes, document: Mapping[str, Any]
) -> AttemptFailed:
    failure = failed_answer(where, status, headers, body)
    failure.raw_response = None
    description = document.get("error_description")
    if isinstance(description, str):
        failure.text += f": {description}"
    if 400 <= status < 500 and not failure.transient:
        failure.kind = "auth"
        if document.get("error") == "invalid_grant":
            failure.text += " (is the clock of this machine right?)"
    return failure


def _object(body: bytes) -> Mapping[str, Any]:
    try:
        document = decode_json(body)
    except NotJson:
        return {}
    return document if isinstance(document, dict) else {}


def _signed(key: ServiceAccountKey, claims: Mapping[str, str], now_s: int, random: Random) -> str:
    """A JSON Web Token. Its keys are in this order, so that equal claims give equal tokens."""
    header = {"alg": "RS256", "typ": "JWT", "kid": key.private_key_id}
    times = {"iat": now_s, "exp": now_s + ASSERTION_S}
    parts = b".".join(_base64url(encode_json(each)) for each in (header, {**claims, **times}))
    signature = rs256(key.private_key, parts, random)
    return b".".join((parts, _base64url(signature))).decode()


def _base64url(data: bytes) -> bytes:
    return urlsafe_b64encode(data).rstrip(b"=")


def _form(url: str, fields: Mapping[str, str]) -> WireRequest:
    return WireRequest(method="POST", url=url, headers=_FORM, body=urlencode(fields).encode())
