"""The requests that are being served, so that a stop can wait for them or cut them off."""

from collections import Counter

import attrs
import trio


@attrs.define(eq=False)
class InFlight:
    """Counts requests by route, and can end them all.

    Each has a cancel scope that no other request has at the same time: its own, or that of its
    connection.
    """

    _routes: dict[trio.CancelScope, str] = attrs.field(factory=dict, init=False)
    _is_stopping: bool = attrs.field(default=False, init=False)
    is_draining: bool = attrs.field(default=False, init=False)
    """Whether the daemon is about to stop, and new requests are better sent elsewhere."""

    def begin(self, scope: trio.CancelScope, route: str) -> None:
        """A request is served within `scope`, which is cancelled when all must end."""
        self._routes[scope] = route
        if self._is_stopping:
            scope.cancel()

    def end(self, scope: trio.CancelScope) -> None:
        """The request within `scope` is over."""
        del self._routes[scope]

    @property
    def is_stopping(self) -> bool:
        """Whether requests were cut off because the daemon stops."""
        return self._is_stopping

    def cut_off(self) -> None:
        """Cancels what is being served, and all that still comes."""
        self._is_stopping = True
        for scope in list(self._routes):
            scope.cancel()

    def by_route(self) -> dict[str, int]:
        """How many requests there are, by route."""
        return dict(Counter(self._routes.values()))
