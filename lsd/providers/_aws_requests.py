"""Requests to a service of AWS: where they go, and how they are signed once all edits are made."""

import re
from typing import Any
from urllib.parse import quote, urlsplit

import attrs

from lsd.config import AwsProvider, Location
from lsd.conversation import AttemptFailed, Edits, WireRequest
from lsd.providers._host import Credentials
from lsd.providers._sealing import USER_AGENT, seal
from lsd.providers.sigv4 import (
    ALGORITHM,
    DATE_HEADER,
    TOKEN_HEADER,
    SigningScope,
    authorization,
)

EVENT_STREAM = "application/vnd.amazon.eventstream"

_REGION = re.compile(r"[a-z0-9-]+")
_ACCESS_KEY_ID = re.compile(r"[!-+\-.0-~]+")
"""Printable, and neither a comma nor a slash."""

_HOST = re.compile(r"[A-Za-z0-9._~:\[\]-]+")

_AUTHORIZATION = "Authorization"
_PATH_SAFE = "/%-_.~!$&'()*+,;=:@"
"""What stands in the path of an address as it is, so that nobody on the way escapes it again."""


@attrs.frozen(kw_only=True)
class AwsService:
    """One service, as one configured provider calls it.

    `host` is the beginning of its host's name, `signed_as` its name in signatures. The locations
    tell an operator which key is wrong.
    """

    provider_type: str
    host: str
    signed_as: str
    region_location: Location | None
    endpoint_location: Location | None

    @classmethod
    def of(
        cls, provider: AwsProvider, provider_type: str, *, host: str, signed_as: str
    ) -> "AwsService":
        """The service as this provider is configured to call it."""
        return cls(
            provider_type=provider_type,
            host=host,
            signed_as=signed_as,
            region_location=provider.region,
            endpoint_location=provider.endpoint_url,
        )

    def request(
        self,
        path: str,
        body: dict[str, Any],
        credentials: Credentials,
        edits: Edits,
        *,
        stream: bool,
        prefill: str = "",
        left_out: tuple[str, ...] = (),
    ) -> WireRequest:
        """The signed request for `path`, which is escaped already.

        It is signed after the edits, and what they do to its headers counts: a date or token is
        signed as the edit has it, and another `Authorization` is sent in place of the signature.
        Raises AttemptFailed (config).
        """
        region = self._region(credentials)
        url = self._address(credentials, region) + path
        headers = _headers(credentials, stream=stream)
        wire = seal(
            url, headers, body, edits, self.provider_type, prefill=prefill, left_out=left_out
        )
        if wire.headers.get(_AUTHORIZATION) != ALGORITHM:
            return wire
        scope = SigningScope(
            region=region,
            service=self.signed_as,
            access_key_id=self._access_key_id(credentials),
            secret_access_key=credentials["secret_access_key"] or "",
        )
        signature = authorization(wire, scope, _date(wire, credentials))
        return attrs.evolve(wire, headers={**wire.headers, _AUTHORIZATION: signature})

    def _access_key_id(self, credentials: Credentials) -> str:
        identifier = credentials["access_key_id"] or ""
        if _ACCESS_KEY_ID.fullmatch(identifier):
            return identifier
        # It stands in a header, between signs of its own; a caller may have brought anything.
        raise self._refusal("access_key_id: found characters that no id of a key has")

    def _region(self, credentials: Credentials) -> str:
        region = credentials.get("region") or ""
        if _REGION.fullmatch(region):
            return region
        # It becomes part of a host's name: any other text could lead to a stranger.
        reason = f"region ({self.region_location}): found {region!r}"
        raise self._refusal(f"{reason}; wanted the name of one, such as us-east-1")

    def _address(self, credentials: Credentials, region: str) -> str:
        """The scheme, the host and what the path begins with."""
        endpoint = credentials.get("endpoint")
        if endpoint is None:
            domain = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
            return f"https://{self.host}.{region}.{domain}"
        try:
            parts = urlsplit(endpoint)
            is_good = parts.port != 0 and _HOST.fullmatch(parts.netloc) is not None
        except ValueError:
            is_good = False
        if not is_good or parts.scheme not in ("http", "https"):
            reason = f"endpoint_url ({self.endpoint_location}): found no URL of a host"
            raise self._refusal(f"{reason}; wanted one with http:// or https://")
        path = quote(parts.path.removesuffix("/"), safe=_PATH_SAFE)
        return f"{parts.scheme}://{parts.netloc.lower()}{path}"

    def _refusal(self, reason: str) -> AttemptFailed:
        return AttemptFailed(kind="config", text=f"{self.provider_type}: {reason}")


def _headers(credentials: Credentials, *, stream: bool) -> dict[str, str]:
    """All headers before the edits. What will be signed says so until it is."""
    headers = {"Content-Type": "application/json", "User-Agent": USER_AGENT}
    if stream:
        # A compressed stream would be held back until the compressor has a block together.
        headers["Accept-Encoding"] = "identity"
    else:
        headers["Accept"] = "application/json"
    key = credentials.get("api_key")
    if key is not None:
        headers[_AUTHORIZATION] = f"Bearer {key}"
    elif credentials.get("access_key_id") is not None:
        headers[DATE_HEADER] = credentials["signed_at"] or ""
        token = credentials.get("session_token")
        if token is not None:
            headers[TOKEN_HEADER] = token
        headers[_AUTHORIZATION] = ALGORITHM
    return headers


def _date(wire: WireRequest, credentials: Credentials) -> str:
    sent = {name.lower(): value for name, value in wire.headers.items()}
    return sent.get(DATE_HEADER.lower(), credentials["signed_at"] or "")
