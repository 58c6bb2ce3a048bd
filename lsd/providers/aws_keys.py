"""Keys of AWS: how each place that gives them out is asked, and what it answers.

Nothing here sends anything. Source: AWS, "Retrieve instance metadata", "Container credential
provider", "AssumeRoleWithWebIdentity" and "Process credential provider", autumn 2026.
"""

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from html import unescape
from typing import Any, Final, TypeGuard
from urllib.parse import urlencode, urlsplit

import attrs

from lsd.conversation import AttemptFailed, JsonValue, NotJson, WireRequest, decode_json
from lsd.providers._http_errors import failed_answer

METADATA_BASE: Final = "http://169.254.169.254"
CONTAINER_BASE: Final = "http://169.254.170.2"

METADATA_TOKEN_S: Final = 21_600
"""Seconds for which the token of the metadata service is asked: the most that it gives."""

_CONTAINER_HOSTS: Final = frozenset(
    {"localhost", "127.0.0.1", "::1", "169.254.170.2", "169.254.170.23", "fd00:ec2::23"}
)
"""Whom a container may ask for keys without TLS: itself, and the agents of ECS and EKS."""

_ROLES_PATH: Final = "/latest/meta-data/iam/security-credentials/"


@attrs.frozen(kw_only=True)
class AwsKeys:
    """A pair of keys, for some time or for good. Times are seconds since 1970."""

    access_key_id: str
    secret_access_key: str = attrs.field(repr=False)
    session_token: str | None = attrs.field(default=None, repr=False)
    issued_at_s: float = 0.0
    expires_at_s: float = math.inf

    @property
    def value(self) -> str:
        """What requests show of it."""
        return self.access_key_id


def metadata_token_request(base: str) -> WireRequest:
    """Asks the metadata service of an instance for the token that it wants to be shown."""
    headers = {"x-aws-ec2-metadata-token-ttl-seconds": str(METADATA_TOKEN_S)}
    return WireRequest(method="PUT", url=f"{base}/latest/api/token", headers=headers)


def metadata_roles_request(base: str, token: str) -> WireRequest:
    """Asks for the name of the instance's role."""
    return _metadata(base, _ROLES_PATH, token)


def metadata_keys_request(base: str, token: str, role: str) -> WireRequest:
    """Asks for the keys of the instance's role."""
    return _metadata(base, _ROLES_PATH + role, token)


def metadata_region_request(base: str, token: str) -> WireRequest:
    """Asks for the region that the instance runs in."""
    return _metadata(base, "/latest/meta-data/placement/region", token)


def container_request(
    relative: str | None, full: str | None, authorization: str | None
) -> WireRequest:
    """Asks the agent of a container, by its path or its whole URL. Raises AttemptFailed (config).

    `authorization` is the header that the agent wants, if any.
    """
    url = f"{CONTAINER_BASE}{relative}" if relative else full or ""
    parts = urlsplit(url)
    if parts.scheme != "https" and parts.hostname not in _CONTAINER_HOSTS:
        text = f"aws: the address of the container's agent is {url!r}; wanted https, or this host"
        raise AttemptFailed(kind="config", text=text)
    headers = {} if authorization is None else {"Authorization": authorization}
    return WireRequest(method="GET", url=url, headers=headers)


def web_identity_request(url: str, *, role: str, session: str, token: str) -> WireRequest:
    """Asks the token service for the keys of a role, for the bearer of somebody else's token."""
    fields = {
        "Action": "AssumeRoleWithWebIdentity",
        "Version": "2011-06-15",
        "RoleArn": role,
        "RoleSessionName": session,
        "WebIdentityToken": token,
    }
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "text/xml"}
    return WireRequest(method="POST", url=url, headers=headers, body=urlencode(fields).encode())


def token_service_url(region: str | None, override: str | None) -> str:
    """Where the token service is: as the operator says, else in the region, else in the world."""
    if override:
        return override
    if region is None:
        return "https://sts.amazonaws.com/"
    domain = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
    return f"https://sts.{region}.{domain}/"


def check_answered(
    asked: WireRequest, status: int, headers: Mapping[str, str], body: bytes
) -> None:
    """Raises AttemptFailed for an answer that is a refusal; nothing secret is shown."""
    if status == 200:
        return
    failure = failed_answer(f"aws: {_shown(asked)}", status, headers, body)
    failure.raw_response = None
    code, message = _tag(body.decode(errors="replace"), "Code"), _message_in(body)
    if code or message:
        failure.text = f"aws: {_shown(asked)} returned HTTP {status}: {code}: {message}"
    if 400 <= status < 500 and not failure.transient:
        failure.kind = "auth"
    raise failure


def read_keys(document: JsonValue, issued_at_s: float, where: str) -> AwsKeys:
    """The keys in what metadata services, agents and processes answer.

    Raises AttemptFailed, which shows nothing secret.
    """
    found = document if isinstance(document, dict) else {}
    identifier, secret = found.get("AccessKeyId"), found.get("SecretAccessKey")
    if not _is_header_text(identifier) or not isinstance(secret, str) or not secret:
        raise _unusable(where, "found no AccessKeyId with its SecretAccessKey")
    token = found.get("SessionToken") or found.get("Token") or None
    if token is not None and not _is_header_text(token):
        raise _unusable(where, "found a token that no header may hold")
    return AwsKeys(
        access_key_id=identifier,
        secret_access_key=secret,
        session_token=token,
        issued_at_s=issued_at_s,
        expires_at_s=_expiration(found.get("Expiration"), where),
    )


def read_json(body: bytes, where: str) -> JsonValue:
    """The JSON in an answer. Raises AttemptFailed, which shows nothing of it."""
    try:
        return decode_json(body)
    except NotJson:
        raise _unusable(where, "found no JSON") from None


def read_web_identity(body: bytes, issued_at_s: float, where: str) -> AwsKeys:
    """The keys in the XML that the token service answers. Raises AttemptFailed."""
    text = body.decode(errors="replace")
    names = ("AccessKeyId", "SecretAccessKey", "SessionToken", "Expiration")
    return read_keys({name: _tag(text, name) for name in names}, issued_at_s, where)


def _expiration(value: Any, where: str) -> float:
    if not value:
        return math.inf
    try:
        time = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise _unusable(where, f"found the expiration {value!r}") from None
    return (time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp()


def _is_header_text(value: Any) -> TypeGuard[str]:
    return isinstance(value, str) and bool(value) and value.isascii() and value.isprintable()


def _metadata(base: str, path: str, token: str) -> WireRequest:
    headers = {"x-aws-ec2-metadata-token": token}
    return WireRequest(method="GET", url=base + path, headers=headers)


def _tag(text: str, name: str) -> str:
    """What stands between the tags of this name; the token service nests no tags in its texts."""
    found = re.search(rf"<{name}>([^<]*)</{name}>", text)
    return unescape(found[1]).strip() if found else ""


def _message_in(body: bytes) -> str:
    return _tag(body.decode(errors="replace"), "Message")


def _shown(asked: WireRequest) -> str:
    parts = urlsplit(asked.url)
    return f"{parts.netloc}{parts.path}"


def _unusable(where: str, found: str) -> AttemptFailed:
    text = f"aws: {where}: {found}; wanted keys"
    return AttemptFailed(kind="malformed", text=text)
