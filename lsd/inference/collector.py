"""Puts the pieces of a streamed answer together again."""

from typing import assert_never

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
)


@attrs.define(eq=False)
class ContentCollector:
    """Joins chunks of one kind and id; blocks stand in the order in which they first appeared."""

    _texts: dict[str, list[str]] = attrs.field(factory=dict, init=False)
    _calls: dict[str, tuple[list[str], list[str]]] = attrs.field(factory=dict, init=False)
    _thoughts: dict[str, "_Thinking"] = attrs.field(factory=dict, init=False)
    _unknown: dict[str, Unknown] = attrs.field(factory=dict, init=False)
    _order: dict[tuple[type, str], None] = attrs.field(factory=dict, init=False)

    def add(self, chunks: list[ContentChunk]) -> None:
        """Takes in the content of one chunk of the stream."""
        for chunk in chunks:
            if isinstance(chunk, TextChunk) and (known := self._texts.get(chunk.id)) is not None:
                known.append(chunk.text)
                continue
            self._order[type(chunk), chunk.id] = None
            match chunk:
                case TextChunk():
                    self._texts[chunk.id] = [chunk.text]
                case ToolCallChunk():
                    names, arguments = self._calls.setdefault(chunk.id, ([], []))
                    names.append(chunk.raw_name)
                    arguments.append(chunk.raw_arguments)
                case ThoughtChunk():
                    self._thoughts.setdefault(chunk.id, _Thinking()).add(chunk)
                case UnknownChunk():
                    self._unknown[chunk.id] = Unknown(
                        data=chunk.data,
                        model_name=chunk.model_name,
                        provider_name=chunk.provider_name,
                    )
                case never:
                    assert_never(never)

    def blocks(self) -> tuple[OutputBlock, ...]:
        """What has arrived so far."""
        return tuple(self._block(kind, key) for kind, key in self._order)

    def _block(self, kind: type, key: str) -> OutputBlock:
        if kind is TextChunk:
            return Text(text="".join(self._texts[key]))
        if kind is ToolCallChunk:
            names, arguments = self._calls[key]
            return ToolCall(id=key, name="".join(names), arguments="".join(arguments))
        if kind is ThoughtChunk:
            return self._thoughts[key].thought()
        return self._unknown[key]


@attrs.define(eq=False)
class _Thinking:
    texts: list[str] = attrs.Factory(list)
    signatures: list[str] = attrs.Factory(list)
    summaries: dict[str, list[str]] = attrs.Factory(dict)
    provider_type: str | None = None
    extra_data: JsonValue = None

    def add(self, chunk: ThoughtChunk) -> None:
        if chunk.text is not None:
            self.texts.append(chunk.text)
        if chunk.signature is not None:
            self.signatures.append(chunk.signature)
        if chunk.summary_text is not None:
            self.summaries.setdefault(chunk.summary_id or "", []).append(chunk.summary_text)
        if chunk.provider_type is not None:
            self.provider_type = chunk.provider_type
        if chunk.extra_data is not None:
            self.extra_data = chunk.extra_data

    def thought(self) -> Thought:
        summary = tuple(
            {"type": "summary_text", "text": "".join(pieces)} for pieces in self.summaries.values()
        )
        return Thought(
            text="".join(self.texts) if self.texts else None,
            signature="".join(self.signatures) if self.signatures else None,
            summary=summary or None,
            provider_type=self.provider_type,
            extra_data=self.extra_data,
        )
