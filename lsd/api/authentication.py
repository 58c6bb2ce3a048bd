"""Who asks: which routes want a key, and where a request shows it."""

from collections.abc import Mapping

import attrs

from lsd.access import Authenticator

_ALWAYS_OPEN = frozenset(
    {
        *((method, path) for method in ("GET", "HEAD") for path in ("/status", "/health")),
        # What clients probe to find out whether anything is there at all.
        *(("HEAD", path) for path in ("/", "/openai", "/openai/v1", "/anthropic", "/anthropic/v1")),
    }
)

_METRICS = frozenset({("GET", "/metrics"), ("HEAD", "/metrics")})

_TAKES_X_API_KEY = ("/openai/", "/anthropic/")
"""Paths below which clients may show the key in `x-api-key`, as theirs do."""


@attrs.frozen(kw_only=True)
class Authentication:
    """The rule of a configuration; without an authenticator everybody may do everything."""

    authenticator: Authenticator | None
    metrics_are_public: bool = False

    def public_id(self, method: str, path: str | None, headers: Mapping[str, str]) -> str | None:
        """Whose key a request shows; None where none is wanted.

        `path` is None where there is nothing that could be open. Raises NotAuthenticated, and
        StoreFailed if the store cannot be read.
        """
        if self.authenticator is None or self._is_open(method, path):
            return None
        takes_both = path is not None and path.startswith(_TAKES_X_API_KEY)
        return self.authenticator.public_id(
            headers.get("authorization"), headers.get("x-api-key") if takes_both else None
        )

    def _is_open(self, method: str, path: str | None) -> bool:
        if path is None:
            return False
        asked = (method, path)
        return asked in _ALWAYS_OPEN or (self.metrics_are_public and asked in _METRICS)
