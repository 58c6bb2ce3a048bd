"""The events of a streamed answer, as its bytes come in."""

from collections.abc import Mapping
from math import inf

import attrs
import pytest
import trio
import trio.testing

from lsd.conversation import (
    AttemptFailed,
    ContentChunk,
    ModelChunk,
    StreamEvent,
    StreamFault,
    TextChunk,
    ThoughtChunk,
    ToolCallChunk,
    UnknownChunk,
)
from lsd.inference.stream_reader import FIRST_BYTES_MAX, StreamReader
from lsd.network import TransportFailed


@attrs.define(eq=False)
class LineDecoder:
    """Makes each piece of the body a chunk of text; `.` is its end mark, `!` a fault."""

    ended: bool = False
    finished: list[bool] = attrs.Factory(list)

    def feed(self, data: bytes) -> list[StreamEvent]:
        if data == b".":
            self.ended = True
            return []
        if data == b"!":
            return [StreamFault(failure=AttemptFailed(kind="server", text="oops"), fatal=False)]
        return [text(data.decode().strip())]

    def finish(self, *, cut: bool) -> list[StreamEvent]:
        self.finished.append(cut)
        return [text("rest")]


SILENCE = b"?"
"""A piece that comes after SILENCE_S only."""

SILENCE_S = 60.0


@attrs.define(eq=False)
class Pieces:
    """A response of these pieces; a None breaks the connection."""

    pieces: list[bytes | None]
    status: int = 200
    headers: Mapping[str, str] = attrs.Factory(dict)
    is_closed: bool = False
    may_be_read_on: bool = True
    deadline: float = inf

    async def read(self, bytes_max: int) -> bytes:
        raise AssertionError("a stream is not read as a whole")

    async def receive_some(self) -> bytes:
        await trio.lowlevel.checkpoint()
        if self.pieces and self.pieces[0] == SILENCE:
            await trio.sleep(SILENCE_S)
        piece = self.pieces.pop(0) if self.pieces else b""
        if piece is None:
            raise TransportFailed("broken", sent=True)
        return piece

    async def aclose(self) -> None:
        self.is_closed = True


def text(said: str) -> ModelChunk:
    """A chunk of text."""
    return ModelChunk(content=[TextChunk(id="0", text=said)])


async def read(*pieces: bytes | None) -> tuple[list[list[StreamEvent]], StreamReader, LineDecoder]:
    """All events, as they come together."""
    decoder = LineDecoder()
    reader = StreamReader(Pieces(list(pieces)), decoder)
    groups = []
    while not reader.is_over:
        groups.append(await reader.receive())
    return groups, reader, decoder


@pytest.mark.parametrize(
    ("pieces", "has_end_mark", "cut"),
    [((b"a", b"."), True, False), ((b"a",), False, False), ((b"a", None), False, True)],
    ids=["end mark", "end of the bytes", "broken"],
)
async def test_a_decoder_is_asked_once_for_what_is_left(
    pieces: tuple[bytes | None, ...], has_end_mark: bool, cut: bool
) -> None:
    """However a stream ends, what its decoder held back is told, and not twice."""
    groups, reader, decoder = await read(*pieces)

    assert [each for group in groups for each in group] == [text("a"), text("rest")]
    assert decoder.finished == [cut]
    assert reader.has_end_mark == has_end_mark


async def test_first_come_all_events_up_to_the_first_content() -> None:
    """What comes behind it is left for later."""
    reader = StreamReader(Pieces([b" ", b" ", b"a", b"b"]), LineDecoder())

    first = await reader.receive_first()
    then = await reader.receive()

    assert first == [text(""), text(""), text("a")]
    assert then == [text("b")]


@pytest.mark.parametrize(
    ("piece", "says_something"),
    [
        (TextChunk(id="0", text=""), False),
        (TextChunk(id="0", text=" "), True),
        (ThoughtChunk(id="0"), False),
        (ThoughtChunk(id="0", text="", provider_type="anthropic"), False),
        (ThoughtChunk(id="0", text="hm"), True),
        (ThoughtChunk(id="0", signature="s"), True),
        (ThoughtChunk(id="0", summary_id="1", summary_text="hm"), True),
        (ThoughtChunk(id="0", extra_data={}), True),
        (ToolCallChunk(id="0"), True),
        (UnknownChunk(id="0", data=None), True),
    ],
    ids=str,
)
async def test_a_piece_that_only_opens_a_block_starts_no_stream(
    piece: ContentChunk, says_something: bool
) -> None:
    """A model may open a text, and fail before the first letter."""

    class Decoder(LineDecoder):
        def feed(self, data: bytes) -> list[StreamEvent]:
            return [ModelChunk(content=[piece])] if data == b"piece" else super().feed(data)

    reader = StreamReader(Pieces([b"piece", b"a"]), Decoder())

    first = await reader.receive_first()

    assert len(first) == (1 if says_something else 2)


async def test_a_regular_end_starts_a_stream_too() -> None:
    """A model that says nothing has answered."""
    end = ModelChunk(finish_reason="stop")

    class Decoder(LineDecoder):
        def feed(self, data: bytes) -> list[StreamEvent]:
            return [end]

    assert await StreamReader(Pieces([b"x"]), Decoder()).receive_first() == [end]


async def test_whoever_has_waited_long_enough_gets_what_there_is(
    autojump_clock: trio.testing.MockClock,
) -> None:
    """The stream counts as started, and is read on where it was left."""
    reader = StreamReader(Pieces([b" ", SILENCE, b"a"]), LineDecoder())

    first = await reader.receive_first(patience_s=15)

    assert first == [text("")]
    assert trio.current_time() == 15
    assert [await reader.receive() for _ in range(2)] == [[text("?")], [text("a")]]


async def test_a_response_that_a_cancellation_would_spoil_is_waited_for(
    autojump_clock: trio.testing.MockClock,
) -> None:
    """Better late than broken."""
    reader = StreamReader(Pieces([SILENCE, b"a"], may_be_read_on=False), LineDecoder())

    assert await reader.receive_first(patience_s=15) == [text("?")]
    assert trio.current_time() == SILENCE_S


async def test_a_fault_before_the_first_content_is_the_attempts() -> None:
    """Behind it, even in the same read, it is an event like any other."""
    with pytest.raises(AttemptFailed, match="oops"):
        await StreamReader(Pieces([b" ", b"!", b"a"]), LineDecoder()).receive_first()

    class Decoder(LineDecoder):
        def feed(self, data: bytes) -> list[StreamEvent]:
            return [text("a"), *super().feed(b"!")]

    first = await StreamReader(Pieces([b"x"]), Decoder()).receive_first()
    assert [type(event) for event in first] == [ModelChunk, StreamFault]


async def test_a_stream_without_content_never_starts() -> None:
    """An end is no answer."""

    class Decoder(LineDecoder):
        def finish(self, *, cut: bool) -> list[StreamEvent]:
            return []

    for pieces in ([], [b" "], [b"."], [b" ", b"."]):
        with pytest.raises(AttemptFailed, match="stream ended before first chunk"):
            await StreamReader(Pieces([*pieces]), Decoder()).receive_first()


async def test_closing_lets_go_of_the_connection() -> None:
    """Read to the end or not."""
    response = Pieces([b"a"])

    await StreamReader(response, LineDecoder()).aclose()

    assert response.is_closed


async def test_the_first_words_do_not_wait_for_all_that_came_with_them() -> None:
    """A long answer that arrives at once is begun to be told before it is decoded; none is lost."""
    long = b"a" * FIRST_BYTES_MAX + b"b" * FIRST_BYTES_MAX + b"c"
    reader = StreamReader(Pieces([long, b"d" * 3 * FIRST_BYTES_MAX]), LineDecoder())

    first = await reader.receive_first()
    second = await reader.receive()
    third = await reader.receive()

    assert first == [text("a" * FIRST_BYTES_MAX)]
    assert second == [text("b" * FIRST_BYTES_MAX + "c")]
    assert third == [text("d" * 3 * FIRST_BYTES_MAX)]
