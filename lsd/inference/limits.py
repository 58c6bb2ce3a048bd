"""Timeouts: who set them, and what is said when one is reached.

Models and variants open cancel scopes of their own around what they cover; a `TimeLimitReached`
tells which one was reached first. The limit of a provider, which every call has, is a deadline that
goes along with its request. After the first chunk of a stream there is no nesting any more: the
limits of all scopes are then deadlines that the reader of the stream keeps.
"""

from contextlib import AbstractContextManager, nullcontext
from types import TracebackType
from typing import Literal

import attrs
import trio

from lsd.config import Timeouts
from lsd.conversation import LsdError

STREAM_IDLE_MS = 300_000
"""Default of `streaming.idle_ms` at providers: a model may think for minutes between two chunks,
but a connection silent for five is dead."""


@attrs.frozen
class Limit:
    """One timeout, as it is configured."""

    scope: Literal["provider", "model", "variant", "gateway"]
    name: str
    key: str
    value_ms: int
    seconds: float = attrs.field(init=False, eq=False, repr=False)
    """The same in the unit of cancel scopes."""

    @seconds.default
    def _seconds(self) -> float:
        return self.value_ms / 1000

    def __str__(self) -> str:
        where = self.scope if self.scope == "gateway" else f'{self.scope} "{self.name}"'
        return f"{where}: {self.key} = {self.value_ms} reached"

    @property
    def within_scope(self) -> str:
        """The same where the scope has been named already."""
        return f"{self.key} = {self.value_ms} reached"


@attrs.define(eq=False)
class TimeLimitReached(LsdError):
    """A scope took longer than it may."""

    limit: Limit

    def __str__(self) -> str:
        return str(self.limit)


@attrs.frozen
class Deadline:
    """A limit with the moment (of trio's clock) at which it is reached."""

    at: float
    limit: Limit


def bounded_by(limit: Limit | None) -> AbstractContextManager[None]:
    """Cancels what is inside when the limit is reached. Raises TimeLimitReached then."""
    return _UNBOUNDED if limit is None else _Bound(limit)


_UNBOUNDED: AbstractContextManager[None] = nullcontext()


@attrs.define(eq=False)
class _Bound(AbstractContextManager[None]):
    """A generator would read better, and cost each request three microseconds a scope."""

    _limit: Limit
    _scope: trio.CancelScope = attrs.field(init=False)

    def __enter__(self) -> None:
        self._scope = trio.CancelScope(relative_deadline=self._limit.seconds)
        self._scope.__enter__()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool:
        is_caught = bool(self._scope.__exit__(kind, error, traceback))
        if self._scope.cancelled_caught:
            raise TimeLimitReached(self._limit) from None
        return is_caught


@attrs.frozen(kw_only=True)
class ScopeLimits:
    """The timeouts of one provider, model or variant."""

    plain: Limit | None = None
    """For a whole answer."""
    opening: Limit | None = None
    """For a stream, up to its first chunk: the earlier of its two limits."""
    total: Limit | None = None
    idle: Limit | None = None

    @classmethod
    def of(
        cls,
        scope: Literal["provider", "model", "variant"],
        name: str,
        timeouts: Timeouts,
        *,
        idle_ms: int | None = None,
    ) -> "ScopeLimits":
        """From a `timeouts` table; `idle_ms` is the default of its key."""

        def limit(key: str, value_ms: int | None) -> Limit | None:
            return None if value_ms is None else Limit(scope, name, f"timeouts.{key}", value_ms)

        streaming = timeouts.streaming
        ttft = limit("streaming.ttft_ms", streaming.ttft_ms)
        total = limit("streaming.total_ms", streaming.total_ms)
        return cls(
            plain=limit("non_streaming.total_ms", timeouts.non_streaming.total_ms),
            opening=earlier(ttft, total),
            total=total,
            idle=limit(
                "streaming.idle_ms", idle_ms if streaming.idle_ms is None else streaming.idle_ms
            ),
        )


def earlier(one: Limit | None, other: Limit | None) -> Limit | None:
    """The limit that is reached first."""
    if one is None or other is None:
        return one or other
    return one if one.value_ms <= other.value_ms else other
