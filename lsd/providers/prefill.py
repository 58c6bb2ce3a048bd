"""Answers that go on from a beginning which the request has put into the model's mouth.

Such an answer comes without its beginning; here it is put back.
"""

import attrs

from lsd.conversation import ModelChunk, ModelResponse, StreamEvent, Text, TextChunk
from lsd.providers.dialect import StreamDecoder
from lsd.telemetry import logger

log = logger(__name__)

JSON_PREFILL_TEXT = "Here is the JSON requested:\n{"
"""The turn of the assistant that makes a model go on with JSON. It ends in the brace itself:
providers refuse a last turn that ends in white space."""

JSON_PREFILL = "{"
"""What of that turn belongs to the answer."""


def completed_answer(response: ModelResponse, prefill: str) -> ModelResponse:
    """`response` with its beginning, if it is a single text; others are left as they are."""
    if not prefill:
        return response
    if len(response.output) != 1 or not isinstance(response.output[0], Text):
        log.warning(
            "answer left without its prefilled beginning: it is not a single text",
            prefill=prefill,
            blocks=[block.tag for block in response.output],
        )
        return response
    text = prefill + response.output[0].text.strip()
    return attrs.evolve(response, output=(Text(text=text),))


def completed_stream(decoder: StreamDecoder, prefill: str) -> StreamDecoder:
    """`decoder`, with the beginning in front of the first text that it reads."""
    return _CompletedStream(decoder, prefill) if prefill else decoder


@attrs.define(eq=False)
class _CompletedStream:
    _decoder: StreamDecoder
    _prefill: str

    @property
    def ended(self) -> bool:
        return self._decoder.ended

    def feed(self, data: bytes) -> list[StreamEvent]:
        return self._completed(self._decoder.feed(data))

    def finish(self, *, cut: bool) -> list[StreamEvent]:
        return self._completed(self._decoder.finish(cut=cut))

    def _completed(self, events: list[StreamEvent]) -> list[StreamEvent]:
        if self._prefill:
            for event in events:
                if isinstance(event, ModelChunk) and self._complete(event):
                    break
        return events

    def _complete(self, chunk: ModelChunk) -> bool:
        for piece in chunk.content:
            if isinstance(piece, TextChunk) and piece.text:
                piece.text = self._prefill + piece.text
                self._prefill = ""
                return True
        return False
