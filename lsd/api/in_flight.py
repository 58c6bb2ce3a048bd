"""The requests that are being served, so that a stop can wait for them or cut them off."""

from collections import Counter
from contextlib import AbstractContextManager
from types import TracebackType

import attrs
import trio


@attrs.define(eq=False)
class InFlight:
    """Counts requests by route, and can end them all."""

    _scopes: dict[trio.CancelScope, str] = attrs.field(factory=dict, init=False)
    _is_stopping: bool = attrs.field(default=False, init=False)
    is_draining: bool = attrs.field(default=False, init=False)
    """Whether the daemon is about to stop, and new requests are better sent elsewhere."""

    def one(self, route: str) -> AbstractContextManager[trio.CancelScope]:
        """A request is served inside of this; its scope is cancelled when all must end."""
        return _One(self._scopes, route, self._is_stopping)

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


@attrs.define(eq=False)
class _One(AbstractContextManager[trio.CancelScope]):
    _scopes: dict[trio.CancelScope, str]
    _route: str
    _is_late: bool
    _scope: trio.CancelScope = attrs.field(factory=trio.CancelScope, init=False)

    def __enter__(self) -> trio.CancelScope:
        scope = self._scope
        scope.__enter__()
        if self._is_late:
            scope.cancel()
        self._scopes[scope] = self._route
        return scope

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool:
        del self._scopes[self._scope]
        return bool(self._scope.__exit__(kind, error, traceback))
