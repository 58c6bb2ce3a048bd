"""What the rest of LSD sees of the network: a request goes out, a response comes in, pieces first.

Callers hold to this interface, so that the bytes may be carried by whatever carries them best.
A deadline goes along with a request, because it nearly never comes: keeping it costs a fraction of
what a cancel scope does. Whoever knows the limit tells by the deadline which one was reached.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from math import inf
from typing import Protocol

import attrs
import trio

from lsd.conversation import LsdError, WireRequest


class WireResponse(Protocol):
    """A response whose head has arrived and whose body is on its way.

    Whoever was given one closes it, unless `read` has given its body. A body read to its end gives
    its connection back to the pool; any other one is cut off. `deadline`, by trio's clock, is until
    when it may be read: at first that of the request, but it may be set anew before each piece.
    """

    deadline: float

    @property
    def status(self) -> int:
        """The status as it came; nothing is followed, nothing is repeated for its sake."""

    @property
    def headers(self) -> Mapping[str, str]:
        """By lower-case name; several values of one name are joined by `, `."""

    @property
    def may_be_read_on(self) -> bool:
        """Whether nothing is lost when `receive_some` is cancelled."""

    async def read(self, bytes_max: int) -> bytes:
        """The rest of the body, content codings undone.

        Raises BodyTooLarge beyond `bytes_max`, TransportFailed when the body is cut, and
        DeadlineReached.
        """

    async def receive_some(self) -> bytes:
        """The next piece of the body as it arrives, content codings undone; `b""` at its end.

        Raises TransportFailed when the body is cut, and DeadlineReached.
        """

    async def aclose(self) -> None:
        """Lets go of the connection. At once, even when cancelled; a second call does nothing."""


class Transport(Protocol):
    """Carries requests to servers and their responses back. One serves all tasks of a process."""

    async def send(self, request: WireRequest, deadline: float = inf) -> WireResponse:
        """The response, as soon as its head has arrived.

        Redirects are not followed. When this is cancelled, the connection is closed.
        Raises TransportFailed, and DeadlineReached at `deadline`, which is by trio's clock.
        """

    async def aclose(self) -> None:
        """Closes all connections, those in use, too."""


@attrs.define(eq=False)
class TransportFailed(LsdError):
    """A request found no server, or its response broke off.

    `sent`: some byte of the request may have reached the server. `reason` never holds anything
    of the request, which may contain credentials.
    """

    reason: str
    sent: bool

    def __str__(self) -> str:
        return self.reason


@attrs.define(eq=False)
class DeadlineReached(LsdError):
    """There is no whole response at the time by which it was wanted."""

    def __str__(self) -> str:
        return "response: found none by its deadline"


@contextmanager
def until(deadline: float) -> Iterator[None]:
    """Cancels what is inside at `deadline`. Raises DeadlineReached then."""
    with trio.move_on_at(deadline) as scope:
        yield
    if scope.cancelled_caught:
        raise DeadlineReached


@attrs.define(eq=False)
class BodyTooLarge(LsdError):
    """A response's body went beyond what its reader allows."""

    bytes_max: int

    def __str__(self) -> str:
        return f"response body: found more than {self.bytes_max} bytes; wanted at most those"
