"""The blocks of a streamed message from Claude: begun, continued and ended by their index."""

from collections.abc import Mapping
from typing import Any

import attrs

from lsd.conversation import (
    ContentChunk,
    JsonValue,
    LsdError,
    NotJson,
    TextChunk,
    ThoughtChunk,
    ToolCallChunk,
    UnknownChunk,
    decode_json,
)
from lsd.providers._anthropic_answer import arguments_text
from lsd.providers._anthropic_target import Received, Target
from lsd.telemetry import logger

log = logger(__name__)


@attrs.frozen
class BadDelta(LsdError):
    """A piece of a block does not fit to what came before; what was read stays read."""

    reason: str

    def __str__(self) -> str:
        return self.reason


@attrs.define(eq=False)
class _Block:
    """A block that gathers input: of a tool of ours (`call_id`), or of one of the provider's."""

    start: Received
    call_id: str | None
    pieces: list[str] = attrs.field(factory=list)


@attrs.define(eq=False)
class BlockReader:
    """Reads the events of the blocks of one message."""

    target: Target
    _open: dict[int, _Block] = attrs.field(factory=dict, init=False)
    _unknown_deltas: dict[int, int] = attrs.field(factory=dict, init=False)

    def read(self, event: Received, content: list[ContentChunk]) -> None:
        """Appends to `content` what the event of a block says. Raises BadDelta."""
        index = event.get("index")
        if isinstance(index, bool) or not isinstance(index, int):
            raise BadDelta("found an event of a block without its index")
        match event.get("type"):
            case "content_block_start":
                self._start(index, _object(event.get("content_block")), content)
            case "content_block_delta":
                self._continue(index, _object(event.get("delta")), content)
            case _:
                self._stop(index, content)

    def _start(self, index: int, block: Received, content: list[ContentChunk]) -> None:
        kind = self.target.provider_type
        match block:
            case {"type": "text"}:
                content.append(TextChunk(id=str(index), text=_text(block, "text")))
            case {"type": "tool_use", "id": str(identifier), "name": str(name)}:
                self._open[index] = _Block(block, identifier)
                content.append(ToolCallChunk(id=identifier, raw_name=name))
            case {"type": "thinking"}:
                content.append(
                    ThoughtChunk(
                        id=str(index),
                        text=_text(block, "thinking"),
                        signature=_text(block, "signature") or None,
                        provider_type=kind,
                    )
                )
            case {"type": "redacted_thinking", "data": str(data)}:
                content.append(ThoughtChunk(id=str(index), signature=data, provider_type=kind))
            case _:
                self._open[index] = _Block(block, None)

    def _continue(self, index: int, delta: Received, content: list[ContentChunk]) -> None:
        kind, text = self.target.provider_type, delta.get("text")
        if delta.get("type") == "text_delta" and isinstance(text, str):
            content.append(TextChunk(id=str(index), text=text))
            return
        match delta:
            case {"type": "thinking_delta", "thinking": str(text)}:
                content.append(ThoughtChunk(id=str(index), text=text, provider_type=kind))
            case {"type": "signature_delta", "signature": str(signature)}:
                content.append(ThoughtChunk(id=str(index), signature=signature, provider_type=kind))
            case {"type": "input_json_delta", "partial_json": str(piece)}:
                self._add_input(index, piece, content)
            case _:
                number = self._unknown_deltas.get(index, 0)
                self._unknown_deltas[index] = number + 1
                self._add_unknown(f"{index}:{number}", delta, content)

    def _add_input(self, index: int, piece: str, content: list[ContentChunk]) -> None:
        block = self._open.get(index)
        if block is None:
            raise BadDelta(f"found input for the block {index}, where no tool was called")
        if not piece:
            return
        block.pieces.append(piece)
        if block.call_id is not None:
            content.append(ToolCallChunk(id=block.call_id, raw_arguments=piece))

    def _stop(self, index: int, content: list[ContentChunk]) -> None:
        block = self._open.pop(index, None)
        if block is None:
            return
        if block.call_id is None:
            self._add_unknown(str(index), _with_input(block), content)
        elif not block.pieces:
            # The input stood in the start already, or there is none.
            arguments = arguments_text(block.start.get("input"))
            content.append(ToolCallChunk(id=block.call_id, raw_arguments=arguments))

    def _add_unknown(self, identifier: str, data: JsonValue, content: list[ContentChunk]) -> None:
        target = self.target
        if target.discard_unknown_chunks:
            log.warning(
                "unknown part of a stream dropped",
                provider_type=target.provider_type,
                model_name=target.model_name,
                provider_name=target.provider_name,
            )
            return
        content.append(
            UnknownChunk(
                id=identifier,
                data=data,
                model_name=target.model_name,
                provider_name=target.provider_name,
            )
        )


def _with_input(block: _Block) -> JsonValue:
    """The block as it would stand in a whole message, so that it can be sent back."""
    if not block.pieces:
        return block.start
    text = "".join(block.pieces)
    try:
        value = decode_json(text)
    except NotJson:
        value = text
    return {**block.start, "input": value}


def _object(value: JsonValue) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(block: Received, name: str) -> str:
    value = block.get(name)
    return value if isinstance(value, str) else ""
