"""The events of a streamed answer, as its bytes come in."""

from collections.abc import Iterable

import attrs
import trio

from lsd.conversation import (
    AttemptFailed,
    ContentChunk,
    ModelChunk,
    StreamEvent,
    StreamFault,
    TextChunk,
    ThoughtChunk,
)
from lsd.network import TransportFailed, WireResponse
from lsd.providers import StreamDecoder

FIRST_BYTES_MAX = 512
"""Of bytes that have come together, so many are decoded at once until the stream has started: a
provider that was quick to send a long answer is not the reason for its first words to be late."""


@attrs.define(eq=False)
class StreamReader:
    """Reads a response through its decoder, up to the one end.

    `has_end_mark`: the stream had said by itself that it was over.
    """

    _response: WireResponse
    _decoder: StreamDecoder
    is_over: bool = attrs.field(default=False, init=False)
    has_end_mark: bool = attrs.field(default=False, init=False)
    _bytes_max: int | None = attrs.field(default=FIRST_BYTES_MAX, init=False)
    _unread: bytes = attrs.field(default=b"", init=False)

    async def receive_first(self, patience_s: float | None = None) -> list[StreamEvent]:
        """All events up to the first with content or a regular end.

        Every fault before it is that of the attempt. After `patience_s` it is given what there
        is, perhaps nothing, unless the response does not let itself be read on after a
        cancellation. Raises AttemptFailed and DeadlineReached.
        """
        held: list[StreamEvent] = []
        is_patience_over = False
        if patience_s is None or not self._response.may_be_read_on:
            await self._receive_until_started(held)
        else:
            with trio.move_on_after(patience_s) as scope:
                await self._receive_until_started(held)
            is_patience_over = scope.cancelled_caught
        self._bytes_max = None
        if is_patience_over or _has_started(held):
            return held
        raise AttemptFailed(kind="transport", text="stream ended before first chunk")

    async def _receive_until_started(self, held: list[StreamEvent]) -> None:
        while not self.is_over and not _has_started(held):
            for event in await self.receive():
                if isinstance(event, StreamFault) and not _has_started(held):
                    raise event.failure
                held.append(event)

    def keep(self, deadline: float) -> None:
        """From now on, reading ends at `deadline`, by trio's clock."""
        self._response.deadline = deadline

    async def receive(self) -> list[StreamEvent]:
        """The events of the next bytes; often none. Raises DeadlineReached."""
        if self._decoder.ended:
            self.has_end_mark = True
            return self._finish(cut=False)
        try:
            data = self._unread or await self._response.receive_some()
        except TransportFailed:
            return self._finish(cut=True)
        self._unread = b""
        if self._bytes_max is not None:
            data, self._unread = data[: self._bytes_max], data[self._bytes_max :]
        return self._decoder.feed(data) if data else self._finish(cut=False)

    async def aclose(self) -> None:
        """Lets go of the connection."""
        await self._response.aclose()

    def _finish(self, *, cut: bool) -> list[StreamEvent]:
        # A decoder tells what is left each time it is asked, so it is asked once.
        self.is_over = True
        return self._decoder.finish(cut=cut)


def _has_started(events: Iterable[StreamEvent]) -> bool:
    return any(
        isinstance(event, ModelChunk)
        and (event.finish_reason is not None or any(map(_says_something, event.content)))
        for event in events
    )


def _says_something(piece: ContentChunk) -> bool:
    """Not so a piece that only opens a text or a thought, in which there may never be anything."""
    match piece:
        case TextChunk():
            return bool(piece.text)
        case ThoughtChunk():
            said = piece.text or piece.signature or piece.summary_text
            return bool(said) or piece.extra_data is not None
        case _:
            return True
