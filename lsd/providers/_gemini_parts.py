"""The parts of an answer of Gemini's as content blocks, and as chunks of a stream."""

import attrs

from lsd.conversation import (
    ContentChunk,
    JsonValue,
    OutputBlock,
    Text,
    TextChunk,
    Thought,
    ThoughtChunk,
    ToolCall,
    ToolCallChunk,
    Unknown,
    UnknownChunk,
    encode_json,
)
from lsd.providers._gemini_target import Received, Target
from lsd.providers.tool_call_ids import new_tool_call_id
from lsd.telemetry import logger

log = logger(__name__)

_TEXT_ID = "0"
"""All texts of a stream are pieces of one."""

_OF_ANY_PART = frozenset({"thought", "thoughtSignature"})


@attrs.define(eq=False)
class PartReader:
    """Reads the parts of one answer, which are either all of it or come in a stream."""

    target: Target
    _call_ids: set[str] = attrs.field(factory=set, init=False)
    _open_thought: str | None = attrs.field(default=None, init=False)
    _thoughts: int = attrs.field(default=0, init=False)
    _unknown: int = attrs.field(default=0, init=False)

    def blocks(self, part: JsonValue) -> list[OutputBlock]:
        """What a part says. A signature stands before what it signs; empty texts say nothing."""
        if not isinstance(part, dict):
            return [self._unknown_block(part)]
        signature = _text(part, "thoughtSignature") or None
        if part.get("thought") is True:
            return [self._thought(part, signature)]
        blocks: list[OutputBlock] = []
        if signature is not None:
            blocks.append(Thought(signature=signature, provider_type=self.target.provider_type))
        match part:
            case {"text": str(text)}:
                blocks += [Text(text=text)] if text else []
            case {"functionCall": {"name": str()} as call} if _is_whole(call):
                blocks.append(self._tool_call(call))
            case _ if part.keys() - _OF_ANY_PART:
                blocks.append(self._unknown_block(part))
            case _:
                pass
        return blocks

    def read(self, part: JsonValue, content: list[ContentChunk]) -> None:
        """Appends to `content` what a part of a stream says."""
        content += [chunk for block in self.blocks(part) for chunk in self._chunks(block)]

    def _thought(self, part: Received, signature: str | None) -> OutputBlock:
        if part.keys() - _OF_ANY_PART - {"text"}:
            return self._unknown_block(part)
        text = part.get("text")
        return Thought(
            text=text if isinstance(text, str) else None,
            signature=signature,
            provider_type=self.target.provider_type,
        )

    def _tool_call(self, call: Received) -> ToolCall:
        """The call. Pieces of a stream are joined by id, so that no two calls may share one."""
        identifier = _text(call, "id")
        if not identifier or identifier in self._call_ids:
            identifier = new_tool_call_id(self.target.random)
        self._call_ids.add(identifier)
        arguments = call.get("args")
        text = encode_json({} if arguments is None else arguments).decode()
        return ToolCall(id=identifier, name=call["name"], arguments=text)

    def _unknown_block(self, part: JsonValue) -> Unknown:
        target = self.target
        return Unknown(data=part, model_name=target.model_name, provider_name=target.provider_name)

    def _chunks(self, block: OutputBlock) -> list[ContentChunk]:
        match block:
            case Thought():
                return self._thought_chunks(block)
            case Text():
                self._open_thought = None
                return [TextChunk(id=_TEXT_ID, text=block.text)]
            case ToolCall():
                self._open_thought = None
                return [
                    ToolCallChunk(id=block.id, raw_name=block.name, raw_arguments=block.arguments)
                ]
            case Unknown():
                self._open_thought = None
                return self._unknown_chunks(block)

    def _thought_chunks(self, block: Thought) -> list[ContentChunk]:
        """The texts of thoughts in a row are pieces of one, until a signature ends it."""
        if self._open_thought is None or block.text is None:
            self._open_thought = str(self._thoughts)
            self._thoughts += 1
        chunk = ThoughtChunk(
            id=self._open_thought,
            text=block.text,
            signature=block.signature,
            provider_type=block.provider_type,
        )
        if block.text is None or block.signature is not None:
            self._open_thought = None
        return [chunk] if block.text or block.signature else []

    def _unknown_chunks(self, block: Unknown) -> list[ContentChunk]:
        if self.target.discard_unknown_chunks:
            log.warning(
                "unknown part of a stream dropped",
                provider_type=self.target.provider_type,
                model_name=self.target.model_name,
                provider_name=self.target.provider_name,
            )
            return []
        chunk = UnknownChunk(
            id=str(self._unknown),
            data=block.data,
            model_name=block.model_name,
            provider_name=block.provider_name,
        )
        self._unknown += 1
        return [chunk]


def _is_whole(call: Received) -> bool:
    """Whether it is a whole call; those in pieces come only to who has asked for pieces."""
    return "partialArgs" not in call and "willContinue" not in call


def _text(fields: Received, name: str) -> str:
    value = fields.get(name)
    return value if isinstance(value, str) else ""
