"""What the rest of LSD sees of the network: a request goes out, a response comes in, pieces first.

Callers hold to this interface, so that the bytes may be carried by whatever carries them best.
There are no timeouts here: whoever knows the limit cancels the call.
"""

from collections.abc import Mapping
from typing import Protocol

import attrs

from lsd.conversation import LsdError, WireRequest


class WireResponse(Protocol):
    """A response whose head has arrived and whose body is on its way.

    Whoever was given one closes it, read or not. A body read to its end gives its connection
    back to the pool; any other one is cut off.
    """

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

        Raises BodyTooLarge beyond `bytes_max`, TransportFailed when the body is cut.
        """

    async def receive_some(self) -> bytes:
        """The next piece of the body as it arrives, content codings undone; `b""` at its end.

        Raises TransportFailed when the body is cut.
        """

    async def aclose(self) -> None:
        """Lets go of the connection. At once, even when cancelled; a second call does nothing."""


class Transport(Protocol):
    """Carries requests to servers and their responses back. One serves all tasks of a process."""

    async def send(self, request: WireRequest) -> WireResponse:
        """The response, as soon as its head has arrived.

        Redirects are not followed. When this is cancelled, the connection is closed.
        Raises TransportFailed.
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
class BodyTooLarge(LsdError):
    """A response's body went beyond what its reader allows."""

    bytes_max: int

    def __str__(self) -> str:
        return f"response body: found more than {self.bytes_max} bytes; wanted at most those"
