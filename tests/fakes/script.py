"""The words in which a test tells the fake provider what to put on the wire, byte by byte."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import attrs
import trio

if TYPE_CHECKING:
    from tests.fakes.recorded import RecordedRequest


@attrs.frozen
class Status:
    """The status of the head; 200 without it."""

    code: int
    reason: str = ""


@attrs.frozen
class Header:
    """One more header line. A `Content-Length` replaces the true one."""

    name: str
    value: str


@attrs.frozen
class Head:
    """Sends the head now, before any body; what follows is `Chunked`."""


@attrs.frozen
class Body:
    """The whole body, with its `Content-Length`; sends the head first."""

    data: bytes


@attrs.frozen
class Chunked:
    """One chunk of a chunked body; sends the head before the first one."""

    data: bytes


@attrs.frozen
class Raw:
    """Bytes as they are, head or not: for whatever is not HTTP."""

    data: bytes


@attrs.frozen
class Delay:
    """Silence."""

    ms: float


@attrs.frozen
class Until:
    """Silence until the event is set."""

    event: trio.Event


@attrs.frozen
class Split:
    """From here on, writes `size` bytes at a time, with `gap_ms` between."""

    size: int
    gap_ms: float = 0


@attrs.frozen
class SplitAt:
    """Cuts the next write at `offset`, with a gap that keeps the halves apart."""

    offset: int
    gap_ms: float = 5


@attrs.frozen
class Fin:
    """Closes the connection in good order, whatever is missing."""


@attrs.frozen
class Rst:
    """Resets the connection."""


@attrs.frozen
class Hang:
    """Says nothing any more until the peer goes away."""


@attrs.frozen
class ExpectClose:
    """Says nothing for `ms`, in which the peer should go away; then the script goes on."""

    ms: float


Step = (
    Status
    | Header
    | Head
    | Body
    | Chunked
    | Raw
    | Delay
    | Until
    | Split
    | SplitAt
    | Fin
    | Rst
    | Hang
    | ExpectClose
)


@attrs.frozen
class Script:
    """What one request gets. With `require_key`, only a request that shows this key."""

    steps: tuple[Step, ...]
    require_key: str | None = None


Answer = Script | Callable[["RecordedRequest"], Script]
"""A script, or a function that writes one when it sees the request."""


def script(*steps: Step, require_key: str | None = None) -> Script:
    """The script of these steps."""
    return Script(steps, require_key)
