"""What the fake provider remembers of a request."""

from typing import Any

import attrs
import orjson
import trio

WAIT_S_MAX = 30.0
"""Nothing that a test waits for takes longer, even on a busy machine."""


@attrs.define(eq=False)
class RecordedRequest:
    """One request as it arrived. Times are trio's.

    `target` is the path with its query as it was sent, `path` the path unescaped.
    `connection` counts the connections of the fake from 1: equal numbers, same connection.
    `answered`: the script was played to its end. `closed_early`: the peer went away before.
    `has_last_word`: the last step of the script has begun, so the peer may have all of it.
    """

    method: str
    target: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes
    scenario: str
    connection: int
    arrived_at: float
    closed_at: float | None = None
    closed_early: bool = False
    answered: bool = False
    has_last_word: bool = False
    _ended: trio.Event = attrs.field(factory=trio.Event, init=False, repr=False)

    def json(self) -> Any:
        """The body, parsed."""
        return orjson.loads(self.body)

    def note_end(self, *, closed_early: bool) -> None:
        """The fake has done with this request."""
        self.closed_early = closed_early
        self.closed_at = trio.current_time() if closed_early else None
        self.answered = not closed_early
        self._ended.set()

    async def wait_ended(self, timeout_s: float = WAIT_S_MAX) -> None:
        """Until the answer is written or the peer has gone."""
        with trio.fail_after(timeout_s):
            await self._ended.wait()

    async def wait_closed(self, timeout_s: float = WAIT_S_MAX) -> None:
        """Until the peer has gone before its answer was complete; fails if it stayed."""
        await self.wait_ended(timeout_s)
        assert self.closed_early, f"{self.method} {self.path}: answered, though it was to be closed"
