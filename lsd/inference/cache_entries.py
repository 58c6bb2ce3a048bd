"""Entries of the inference cache: an answer or a stream, and back again.

An entry holds what the model said, the raw texts, the token counts and the finish reason; not what
the call had cost, which is nothing the second time.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import attrs

from lsd.conversation import (
    ContentChunk,
    ModelChunk,
    ModelResponse,
    OutputBlock,
    Text,
    TextChunk,
    Thought,
    ThoughtChunk,
    ToolCall,
    ToolCallChunk,
    Unknown,
    UnknownChunk,
    Usage,
    encode_json,
)
from lsd.inference.journal import ModelCall

_BLOCKS: dict[str, type[OutputBlock]] = {
    each.tag: each for each in (Text, ToolCall, Thought, Unknown)
}
_CHUNKS: dict[str, type[ContentChunk]] = {
    "text": TextChunk,
    "tool_call": ToolCallChunk,
    "thought": ThoughtChunk,
    "unknown": UnknownChunk,
}
_CHUNK_TAGS = {cls: tag for tag, cls in _CHUNKS.items()}


def answer_to_cache(call: ModelCall) -> bytes:
    """The entry of a whole answer."""
    output = [[block.tag, _fields(block)] for block in call.answer.output]
    return encode_json({**_shared(call), "output": output})


def answer_from_cache(call: ModelCall, entry: Any) -> None:
    """Fills a call with what its entry holds."""
    _fill(call, entry, tuple(_block(tag, fields) for tag, fields in entry["output"]))


def stream_to_cache(call: ModelCall, chunks: Sequence[ModelChunk]) -> bytes:
    """The entry of a stream: the content of its chunks, as it was cut."""
    shown = [
        [[_CHUNK_TAGS[type(each)], _fields(each)] for each in chunk.content]
        for chunk in chunks
        if chunk.content
    ]
    return encode_json({**_shared(call), "chunks": shown})


def stream_from_cache(call: ModelCall, entry: Any) -> list[ModelChunk]:
    """Fills a call, and gives the chunks of its stream; the finish reason comes last."""
    _fill(call, entry, ())
    chunks = [
        ModelChunk(content=[_CHUNKS[tag](**fields) for tag, fields in content])
        for content in entry["chunks"]
    ]
    return [*chunks, ModelChunk(finish_reason=call.answer.finish_reason)]


def _block(tag: str, fields: Mapping[str, Any]) -> OutputBlock:
    if fields.get("summary") is not None:
        fields = {**fields, "summary": tuple(fields["summary"])}
    return _BLOCKS[tag](**fields)


def _shared(call: ModelCall) -> dict[str, Any]:
    return {
        "raw_request": call.raw_request,
        "raw_response": call.raw_response,
        "usage": _fields(call.answer.usage),
        "finish_reason": call.answer.finish_reason,
        "stop_sequence": call.answer.stop_sequence,
    }


def _fill(call: ModelCall, entry: Any, output: tuple[OutputBlock, ...]) -> None:
    call.cached = True
    call.cost = Decimal(0)
    call.raw_request = entry["raw_request"]
    call.raw_response = entry["raw_response"]
    call.answer = ModelResponse(
        output=output,
        usage=Usage(**entry["usage"]),
        finish_reason=entry["finish_reason"],
        stop_sequence=entry.get("stop_sequence"),
    )


def _fields(value: attrs.AttrsInstance) -> dict[str, Any]:
    return attrs.asdict(value, recurse=False)
