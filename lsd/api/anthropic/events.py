"""A neutral stream as the events of a message: one block after the other, each whole.

Source of the sequence: Anthropic's page on streaming messages, autumn 2026.
"""

from collections.abc import Iterable
from typing import Any, Protocol, assert_never

import attrs

from lsd.api.anthropic.answer import Ending, is_own_block, is_sealed, usage_body
from lsd.api.anthropic.thoughts import shown_signature, thought_block
from lsd.api.anthropic.unfinished_json import UnfinishedObject
from lsd.conversation import (
    ContentChunk,
    TextChunk,
    Thought,
    ThoughtChunk,
    ToolCallChunk,
    UnknownChunk,
    Usage,
    encode_json,
)

PING = b'event: ping\ndata: {"type":"ping"}\n\n'
STOP = b'event: message_stop\ndata: {"type":"message_stop"}\n\n'


def event(kind: str, **fields: Any) -> bytes:
    """One event as it is sent; its name stands in front of the data, or clients pass it over."""
    data = encode_json({"type": kind, **fields})
    return b"event: %s\ndata: %s\n\n" % (kind.encode(), data)


class _OpenBlock(Protocol):
    """The block that is being sent; every method gives events."""

    @property
    def is_whole(self) -> bool:
        """Whether another block may begin now."""

    def fits(self, chunk: ContentChunk) -> bool:
        """Whether a chunk continues this block."""

    def add(self, chunk: Any) -> bytes:
        """The events for one more chunk."""

    def close(self) -> bytes:
        """The events that are left; a block that has none to show was never opened."""


@attrs.define(eq=False)
class MessageEvents:
    """Writes the events between the start of a message and its end.

    Pieces that belong to another tool call than the open one wait until that is whole: clients
    cannot go back to a block. `keeps_unknown`: blocks of an unknown kind are of this API's own.
    """

    keeps_unknown: bool = False
    calls_tools: bool = attrs.field(default=False, init=False)
    _next_index: int = attrs.field(default=0, init=False)
    _open: _OpenBlock | None = attrs.field(default=None, init=False)
    _waiting: list[ContentChunk] = attrs.field(factory=list, init=False)
    _closed_calls: set[str] = attrs.field(factory=set, init=False)
    _is_ending: bool = attrs.field(default=False, init=False)

    def content(self, chunks: Iterable[ContentChunk]) -> bytes:
        """The events for what has arrived; often fewer, perhaps none."""
        return b"".join([self._take(chunk) for chunk in chunks if self._is_shown(chunk)])

    def end(self) -> bytes:
        """The events that were still held back."""
        self._is_ending = True
        waiting, self._waiting = self._waiting, []
        first: dict[str, int] = {}
        for place, chunk in enumerate(waiting):
            first.setdefault(chunk.id, place)
        waiting.sort(key=lambda chunk: first[chunk.id])
        made = [self._take(chunk) for chunk in waiting]
        return b"".join(made) + self._close()

    def _take(self, chunk: ContentChunk) -> bytes:
        made = b""
        if self._open is not None and not self._open.fits(chunk):
            if not self._open.is_whole and not self._is_ending:
                self._waiting.append(chunk)
                return b""
            made = self._close()
        if self._open is None:
            if chunk.id in self._closed_calls:
                return made
            self._open = self._begin(chunk)
        made += self._open.add(chunk)
        if self._waiting and self._open.is_whole:
            waiting, self._waiting = self._waiting, []
            made += b"".join([self._take(each) for each in waiting])
        return made

    def _begin(self, chunk: ContentChunk) -> _OpenBlock:
        index = self._next_index
        self._next_index += 1
        match chunk:
            case TextChunk():
                return _OpenText(index)
            case ThoughtChunk():
                return _OpenThought(index, chunk.id)
            case ToolCallChunk():
                self.calls_tools = True
                return _OpenCall(index, chunk.id)
            case UnknownChunk():
                return _WholeBlock(index)
            case never:
                assert_never(never)

    def _is_shown(self, chunk: ContentChunk) -> bool:
        match chunk:
            case TextChunk():
                return bool(chunk.text)
            case ThoughtChunk() | ToolCallChunk():
                return True
            case UnknownChunk():
                return self.keeps_unknown and is_own_block(chunk.data)
            case never:
                assert_never(never)

    def _close(self) -> bytes:
        block, self._open = self._open, None
        if block is None:
            return b""
        if isinstance(block, _OpenCall):
            self._closed_calls.add(block.id)
        return block.close()


def message_start(message_id: str, model: str, usage: Usage) -> bytes:
    """The event that opens a message, and the ping that follows it."""
    message: dict[str, Any] = {
        "id": message_id,
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": usage_body(attrs.evolve(usage, output_tokens=1)),
    }
    return event("message_start", message=message) + PING


def message_delta(ending: Ending, usage: Usage, *, calls_tools: bool, **more: Any) -> bytes:
    """The event that tells why a message ends and what it has cost, with `more` at its top."""
    delta = ending.fields(calls_tools=calls_tools)
    return event("message_delta", delta=delta, usage=usage_body(usage), **more)


def _start(index: int, block: dict[str, Any]) -> bytes:
    return event("content_block_start", index=index, content_block=block)


def _delta(index: int, kind: str, **fields: str) -> bytes:
    return event("content_block_delta", index=index, delta={"type": kind, **fields})


def _stop(index: int) -> bytes:
    return event("content_block_stop", index=index)


@attrs.define(eq=False)
class _WholeBlock:
    """A block of this API's own kind, which came whole."""

    index: int

    @property
    def is_whole(self) -> bool:
        return True

    def fits(self, _: ContentChunk) -> bool:
        return False

    def add(self, chunk: UnknownChunk) -> bytes:
        return _start(self.index, chunk.data)

    def close(self) -> bytes:
        return _stop(self.index)


@attrs.define(eq=False)
class _OpenText:
    index: int
    _has_started: bool = attrs.field(default=False, init=False)

    @property
    def is_whole(self) -> bool:
        return True

    def fits(self, chunk: ContentChunk) -> bool:
        return isinstance(chunk, TextChunk)

    def add(self, chunk: TextChunk) -> bytes:
        delta = _delta(self.index, "text_delta", text=chunk.text)
        if self._has_started:
            return delta
        self._has_started = True
        return _start(self.index, {"type": "text", "text": ""}) + delta

    def close(self) -> bytes:
        return _stop(self.index)


@attrs.define(eq=False)
class _OpenThought:
    """A thought; whether it can be shown as one is known with its first text, or at its end."""

    index: int
    _id: str
    _thought: Thought = attrs.field(factory=Thought, init=False)
    _summaries: dict[str, str] = attrs.field(factory=dict, init=False)
    _has_started: bool = attrs.field(default=False, init=False)

    @property
    def is_whole(self) -> bool:
        return True

    def fits(self, chunk: ContentChunk) -> bool:
        if not isinstance(chunk, ThoughtChunk):
            return False
        return chunk.id == self._id or not (is_sealed(self._thought) or self._summaries)

    def add(self, chunk: ThoughtChunk) -> bytes:
        thought = self._thought
        self._id = chunk.id
        self._thought = Thought(
            text=_joined(thought.text, chunk.text),
            signature=_joined(thought.signature, chunk.signature),
            extra_data=thought.extra_data if chunk.extra_data is None else chunk.extra_data,
            provider_type=chunk.provider_type or thought.provider_type,
        )
        text = chunk.text or (self._summary(chunk) if self._thought.text is None else "")
        if not text:
            return b""
        delta = _delta(self.index, "thinking_delta", thinking=text)
        if self._has_started:
            return delta
        self._has_started = True
        return _start(self.index, {"type": "thinking", "thinking": "", "signature": ""}) + delta

    def close(self) -> bytes:
        summary = tuple({"type": "summary_text", "text": text} for text in self._summaries.values())
        thought = attrs.evolve(self._thought, summary=summary or None)
        if self._has_started:
            return self._signed(shown_signature(thought))
        block = thought_block(thought)
        if block["type"] == "redacted_thinking":
            return _start(self.index, block) + _stop(self.index)
        opening = _start(self.index, {"type": "thinking", "thinking": "", "signature": ""})
        return opening + self._signed(block["signature"])

    def _signed(self, signature: str) -> bytes:
        return _delta(self.index, "signature_delta", signature=signature) + _stop(self.index)

    def _summary(self, chunk: ThoughtChunk) -> str:
        """What a piece of a summary adds to the visible text."""
        if chunk.summary_text is None:
            return ""
        key = chunk.summary_id or ""
        gap = "\n\n" if self._summaries and key not in self._summaries else ""
        self._summaries[key] = self._summaries.get(key, "") + chunk.summary_text
        return gap + chunk.summary_text


def _joined(text: str | None, more: str | None) -> str | None:
    return text if more is None else (text or "") + more


@attrs.define(eq=False)
class _OpenCall:
    """A tool call; it starts when its name is known to its end, which its arguments tell."""

    index: int
    id: str
    _name: str = attrs.field(default="", init=False)
    _early_arguments: str = attrs.field(default="", init=False)
    """What came before the name."""
    _arguments: UnfinishedObject = attrs.field(factory=UnfinishedObject, init=False)
    _has_started: bool = attrs.field(default=False, init=False)

    @property
    def is_whole(self) -> bool:
        return self._name != "" and self._arguments.is_whole

    def fits(self, chunk: ContentChunk) -> bool:
        return isinstance(chunk, ToolCallChunk) and chunk.id == self.id

    def add(self, chunk: ToolCallChunk) -> bytes:
        self._name += chunk.raw_name
        if not chunk.raw_arguments:
            return b""
        self._arguments.add(chunk.raw_arguments)
        arguments = self._early_arguments + chunk.raw_arguments
        self._early_arguments = "" if self._name else arguments
        return self._opening() + self._piece(arguments) if self._name else b""

    def close(self) -> bytes:
        held = b""
        if not self._has_started:
            held = self._opening() + self._piece(self._early_arguments or "{}")
        return held + _stop(self.index)

    def _opening(self) -> bytes:
        if self._has_started:
            return b""
        self._has_started = True
        block = {"type": "tool_use", "id": self.id, "name": self._name, "input": {}}
        return _start(self.index, block)

    def _piece(self, arguments: str) -> bytes:
        return _delta(self.index, "input_json_delta", partial_json=arguments)
