"""The requests that are being served, so that a stop can wait for them or cut them off."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import attrs
import trio


@attrs.define(eq=False)
class InFlight:
    """Counts requests by route, and can end them all."""

    _scopes: dict[trio.CancelScope, str] = attrs.field(factory=dict, init=False)
    _is_stopping: bool = attrs.field(default=False, init=False)

    @contextmanager
    def one(self, route: str) -> Iterator[trio.CancelScope]:
        """A request is served inside of this; its scope is cancelled when all must end."""
        with trio.CancelScope() as scope:
            if self._is_stopping:
                scope.cancel()
            self._scopes[scope] = route
            try:
                yield scope
            finally:
                del self._scopes[scope]

    @property
    def is_stopping(self) -> bool:
        """Whether requests were cut off because the daemon stops."""
        return self._is_stopping

    def cut_off(self) -> None:
        """Cancels what is being served, and all that still comes."""
        self._is_stopping = True
        for scope in list(self._scopes):
            scope.cancel()

    def by_route(self) -> dict[str, int]:
        """How many requests there are, by route."""
        return dict(Counter(self._scopes.values()))
