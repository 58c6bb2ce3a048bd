"""A beginning that was put into the model's mouth is part of the answer again."""

import attrs
import pytest
from structlog.testing import capture_logs

from lsd.conversation import (
    ModelChunk,
    ModelResponse,
    OutputBlock,
    StreamEvent,
    Text,
    TextChunk,
    Thought,
    ThoughtChunk,
)
from lsd.providers import completed_answer, completed_stream


@attrs.define(eq=False)
class Reader:
    """A decoder that gives what it was told to, one event a time."""

    events: list[StreamEvent]
    ended: bool = False

    def feed(self, data: bytes) -> list[StreamEvent]:
        return [self.events.pop(0)]

    def finish(self, *, cut: bool) -> list[StreamEvent]:
        return self.events


def test_a_single_text_gets_its_beginning() -> None:
    """White space that the model put around its part does not come between."""
    response = completed_answer(ModelResponse(output=(Text(text=' "a": 1}\n'),)), "{")

    assert response.output == (Text(text='{"a": 1}'),)


@pytest.mark.parametrize(
    "output", [(), (Thought(text="hm"),), (Text(text="a"), Text(text="b"))], ids=repr
)
def test_any_other_answer_is_left_alone(output: tuple[OutputBlock, ...]) -> None:
    """Case 8: nobody knows what the beginning would belong to; the log tells of it."""
    with capture_logs() as logs:
        response = completed_answer(ModelResponse(output=output), "{")

    assert response.output == output
    assert [each["blocks"] for each in logs] == [[block.tag for block in output]]


def test_without_a_beginning_nothing_happens() -> None:
    """Most requests put nothing into anybody's mouth."""
    response = ModelResponse(output=(Text(text=" a"),))
    reader = Reader([])

    assert completed_answer(response, "") is response
    assert completed_stream(reader, "") is reader


def test_a_stream_gets_it_with_its_first_text() -> None:
    """Case 9: under the id of the first block of text, whatever block came first, and only once."""
    events: list[StreamEvent] = [
        ModelChunk(content=[ThoughtChunk(id="0", text="hm")]),
        ModelChunk(content=[TextChunk(id="1", text="")]),
        ModelChunk(content=[TextChunk(id="1", text='"a"'), TextChunk(id="1", text=":")]),
        ModelChunk(content=[TextChunk(id="1", text="1}")]),
    ]
    stream = completed_stream(Reader(events), "{")

    told = [*stream.feed(b""), *stream.feed(b""), *stream.finish(cut=False)]

    texts = [
        (piece.id, piece.text)
        for event in told
        if isinstance(event, ModelChunk)
        for piece in event.content
        if isinstance(piece, TextChunk)
    ]
    assert texts == [("1", ""), ("1", '{"a"'), ("1", ":"), ("1", "1}")]
    assert not stream.ended
