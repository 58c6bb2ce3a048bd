"""Where requests of OpenAI's family go, and with which headers."""

from collections.abc import Mapping
from functools import lru_cache
from urllib.parse import quote, urlsplit, urlunsplit

import attrs

from lsd.conversation import AttemptFailed
from lsd.providers._sealing import USER_AGENT, checked

URLS_MAX = 1024
"""Addresses that are remembered; a provider has a few, and callers may name some."""


@lru_cache(maxsize=URLS_MAX)
def request_url(
    provider_type: str, base: str | None, path: str, query: str = "", *, source: str = "endpoint"
) -> str:
    """`path` below `base`, with the query of both.

    A base without a last slash gets one, so that its own path is kept whole. Raises AttemptFailed
    (config) for a bad base, which came from `source`.
    """
    try:
        parts = urlsplit(base or "")
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in ("http", "https") or not parts.netloc:
        found = f"found {'nothing' if base is None else 'no URL'} at {source}"
        reason = f"{found}; wanted an absolute http:// or https:// URL"
        raise AttemptFailed(kind="config", text=f"{provider_type}: {reason}")
    whole_path = (parts.path if parts.path.endswith("/") else f"{parts.path}/") + path
    whole_query = "&".join(each for each in (parts.query, query) if each)
    return urlunsplit((parts.scheme, parts.netloc, whole_path, whole_query, ""))


def request_headers(
    key: str | None,
    *,
    stream: bool = False,
    key_header: str = "Authorization",
    key_prefix: str = "Bearer ",
    further: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """The headers of a request with a JSON body; without a key there is none that names it."""
    headers: dict[str, str] = {}
    if key is not None:
        headers[key_header] = key_prefix + key
    headers["Content-Type"] = "application/json"
    headers["User-Agent"] = USER_AGENT
    if stream:
        headers["Accept"] = "text/event-stream"
        # A compressed stream would be held back until the compressor has a block together.
        headers["Accept-Encoding"] = "identity"
    return headers | dict(further or {})


@attrs.define(eq=False)
class ProviderHeaders:
    """The headers of the requests to one provider, made and checked once while its key stays."""

    key_header: str
    key_prefix: str
    further: Mapping[str, str]
    _made: dict[bool, tuple[str | None, Mapping[str, str]]] = attrs.field(init=False, repr=False)
    """The last ones for a whole answer and for a stream, with their key."""

    @_made.default
    def _without_key(self) -> dict[bool, tuple[str | None, Mapping[str, str]]]:
        return {stream: (None, self._with(None, stream)) for stream in (False, True)}

    def of(self, key: str | None, stream: bool) -> Mapping[str, str]:
        """Those of a request for a whole answer or for a stream; nobody changes them."""
        known_key, made = self._made[stream]
        if key != known_key:
            made = self._with(key, stream)
            self._made[stream] = key, made
        return made

    def _with(self, key: str | None, stream: bool) -> Mapping[str, str]:
        return checked(
            request_headers(
                key,
                stream=stream,
                key_header=self.key_header,
                key_prefix=self.key_prefix,
                further=self.further,
            )
        )


def deployment_path(deployment_id: str, suffix: str) -> str:
    """The path of a deployment at Azure, whose name is one segment whatever it holds."""
    return f"openai/deployments/{quote(deployment_id, safe='')}/{suffix}"


def version_query(api_version: str) -> str:
    """The query that Azure wants to be told the version of its API in."""
    return f"api-version={quote(api_version, safe='')}"
