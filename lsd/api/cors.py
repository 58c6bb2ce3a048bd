"""Pages of other origins: what their browsers are told about which answers they may read."""

import re
from collections.abc import Callable, Collection, Mapping
from typing import Final

import attrs

from lsd.api.exchange import Headers

EXPOSED: Final = (
    "x-lsd-inference-id",
    "x-lsd-gateway-version",
    "x-lsd-provider",
    "x-lsd-cache",
    "x-lsd-ignored",
    "x-request-id",
    "request-id",
    "retry-after",
    "retry-after-ms",
    "x-should-retry",
)
"""The headers of answers that pages may read beside those that they always may."""

_ANY: Final = "*"

_NAMES: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~, -]+")
"""What a list of header names is made of; anything else is not given back."""


@attrs.frozen
class Cors:
    """The rule of a configuration. Credentials that browsers keep by themselves are never allowed.

    `methods_of` tells the methods that a path has.
    """

    _allow_origins: Collection[str]
    _methods_of: Callable[[str], Collection[str]]

    def of_answer(self, headers: Mapping[str, str]) -> Headers:
        """What any answer to a request with these headers gets; mostly nothing."""
        origin = headers.get("origin")
        if origin is None or not self._allow_origins:
            return ()
        if _ANY in self._allow_origins:
            origin = _ANY
        elif origin not in self._allow_origins:
            return ()
        return (
            (b"access-control-allow-origin", origin.encode("latin-1")),
            (b"access-control-expose-headers", ", ".join(EXPOSED).encode()),
            (b"vary", b"Origin, Access-Control-Request-Headers"),
        )

    def of_preflight(self, path: str | None, headers: Mapping[str, str]) -> Headers:
        """What `OPTIONS` on a path is answered beside that: what a request to it may be."""
        if not self.of_answer(headers):
            return ()
        methods = [] if path is None else sorted(self._methods_of(path))
        allowed = {
            b"access-control-allow-methods": ", ".join(methods)
            or headers.get("access-control-request-method", ""),
            b"access-control-allow-headers": headers.get("access-control-request-headers", ""),
        }
        return tuple(
            (name, value.encode()) for name, value in allowed.items() if _NAMES.fullmatch(value)
        )
