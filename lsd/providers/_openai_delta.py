"""What a message, or a delta of one, says: thoughts, text and tool calls as content chunks.

A whole message is read as one long delta, so that both ways of delivery agree.
"""

from collections.abc import Callable
from typing import Any

import attrs

from lsd.conversation import (
    ContentChunk,
    FinishReason,
    JsonValue,
    TextChunk,
    ThoughtChunk,
    UnknownChunk,
    Usage,
)
from lsd.providers._openai_family import Received, Target
from lsd.providers._openai_thoughts import FROM_TAGS, read_thoughts, thought_chunk
from lsd.providers._think_tags import Part, ThinkTags
from lsd.providers._token_counts import count_in, count_of
from lsd.providers._tool_call_slots import BadToolCall, ToolCallSlots
from lsd.providers.tool_call_ids import new_tool_call_id
from lsd.telemetry import logger

log = logger(__name__)

_FINISH_REASONS: dict[str, FinishReason] = {
    "stop": "stop",
    "eos": "stop",
    "eos_token": "stop",
    "stop_sequence": "stop_sequence",
    "length": "length",
    "model_length": "length",
    "tool_calls": "tool_call",
    "function_call": "tool_call",
    "content_filter": "content_filter",
}

_BESIDE_TEXT = frozenset(
    {"reasoning", "reasoning_content", "refusal", "tool_calls", "function_call"}
)
"""What a delta may hold beside its text; most of a stream have nothing else."""

_PART_IDS: dict[Part, str] = {"before": "0", "thought": "1", "after": "2"}


def finish_reason_of(value: JsonValue) -> FinishReason | None:
    """The neutral word; None for null and empty, `unknown` for words not known."""
    if not isinstance(value, str) or not value:
        return None
    return _FINISH_REASONS.get(value, "unknown")


def usage_of(usage: Received) -> Usage:
    """The counts of a usage object; what is not reported stays unknown."""
    details = usage.get("prompt_tokens_details")
    written = usage.get("completion_tokens_details")
    return Usage(
        count_of(usage.get("prompt_tokens")),
        count_of(usage.get("completion_tokens")),
        count_in(details, "cached_tokens") if details else None,
        None,  # nobody reports what was written to a cache
        count_in(written, "reasoning_tokens") if written else None,
    )


def stop_sequence_of(choice: Received) -> str | None:
    """The stop sequence that ended the answer; vLLM tells it, and SGLang."""
    found = choice.get("stop_reason") or choice.get("matched_stop")
    return found if found and isinstance(found, str) else None


@attrs.define(eq=False)
class DeltaReader:
    """Reads the deltas of one answer; `whole` if it is one message that holds everything."""

    target: Target
    whole: bool = False
    _calls: ToolCallSlots | None = attrs.field(default=None, init=False)
    """None until there is a call."""
    _tags: ThinkTags | None = attrs.field(init=False)
    _read_own_thoughts: Callable[[Received, Target], list[ThoughtChunk]] | None = attrs.field(
        init=False
    )
    """The type's own way, if it has one."""
    _unknown_count: int = attrs.field(default=0, init=False)

    @_tags.default
    def _tags_if_wanted(self) -> ThinkTags | None:
        return ThinkTags() if self.target.parse_think_blocks else None

    @_read_own_thoughts.default
    def _way_of_member(self) -> Callable[[Received, Target], list[ThoughtChunk]] | None:
        return self.target.member.read_thoughts

    def read(self, delta: Received, content: list[ContentChunk]) -> None:
        """Appends to `content` what `delta` adds: thoughts, then text, then tool calls.

        Raises BadToolCall; what was understood before it is in `content`.
        """
        has_more = not _BESIDE_TEXT.isdisjoint(delta)
        if self._read_own_thoughts is not None:
            content += self._read_own_thoughts(delta, self.target)
        elif has_more and (delta.get("reasoning") or delta.get("reasoning_content")):
            content += read_thoughts(delta, self.target)
        said = delta.get("content")
        if said:
            if self._tags is None and isinstance(said, str):
                content.append(TextChunk("0", said))
            else:
                self._read_content(said, content)
        if has_more:
            self._read_refusal_and_calls(delta, content)

    def _read_refusal_and_calls(self, delta: Received, content: list[ContentChunk]) -> None:
        refusal = delta.get("refusal")
        if refusal and isinstance(refusal, str):
            self._add_text(refusal, content)
        calls = delta.get("tool_calls") or delta.get("function_call")
        if calls:
            self.end(content)
            self._read_calls(calls if delta.get("tool_calls") else {"function": calls}, content)

    def end(self, content: list[ContentChunk]) -> None:
        """Appends the text that was held back because a tag could have begun there."""
        if self._tags is not None:
            self._add_parts(self._tags.end(), content)

    def check_calls(self) -> None:
        """Raises BadToolCall if a call never got a name."""
        nameless = [] if self._calls is None else self._calls.nameless()
        if nameless:
            raise BadToolCall(f"found no name for tool call {nameless[0]!r}")

    def _read_content(self, said: JsonValue, content: list[ContentChunk]) -> None:
        if isinstance(said, str):
            self._add_text(said, content)
            return
        for part in said if isinstance(said, list) else [said]:
            kind = part.get("type") if isinstance(part, dict) else None
            if kind == "text" and isinstance(part.get("text"), str):
                self._add_text(part["text"], content)
            elif kind == "refusal" and isinstance(part.get("refusal"), str):
                self._add_text(part["refusal"], content)
            elif kind == "thinking" and self.target.member.has_thinking_parts:
                self._add_thinking(part, content)
            else:
                self._add_unknown(part, content)

    def _add_text(self, text: str, content: list[ContentChunk]) -> None:
        if self._tags is not None:
            self._add_parts(self._tags.feed(text), content)
        elif text:
            content.append(TextChunk(id="0", text=text))

    def _add_parts(self, parts: list[tuple[Part, str]], content: list[ContentChunk]) -> None:
        for part, text in parts:
            if part == "thought":
                content.append(
                    ThoughtChunk(
                        id=_PART_IDS[part],
                        text=text,
                        provider_type=self.target.thought_type,
                        extra_data={"reasoning_format": FROM_TAGS},
                    )
                )
            else:
                content.append(TextChunk(id=_PART_IDS[part], text=text))

    def _add_thinking(self, part: Received, content: list[ContentChunk]) -> None:
        """Mistral's `{"type": "thinking", "thinking": [{"type": "text", "text": …}]}`."""
        thinking = part.get("thinking")
        pieces: list[Any] = thinking if isinstance(thinking, list) else [{"text": thinking}]
        for piece in pieces:
            text = piece.get("text") if isinstance(piece, dict) else None
            if isinstance(text, str) and text:
                content.append(thought_chunk(text, self.target))

    def _add_unknown(self, data: JsonValue, content: list[ContentChunk]) -> None:
        target = self.target
        if target.discard_unknown_chunks and not self.whole:
            log.warning(
                "unknown part of a stream dropped",
                provider_type=target.provider_type,
                model_name=target.model_name,
                provider_name=target.provider_name,
            )
            return
        content.append(
            UnknownChunk(
                id=f"unknown-{self._unknown_count}",
                data=data,
                model_name=target.model_name,
                provider_name=target.provider_name,
            )
        )
        self._unknown_count += 1

    def _read_calls(self, calls: JsonValue, content: list[ContentChunk]) -> None:
        if not self.target.member.streams_tool_calls and not self.whole:
            raise BadToolCall("found a streamed tool call, which this type cannot stream")
        for place, item in enumerate(calls if isinstance(calls, list) else [calls]):
            if isinstance(item, dict):
                if item.get("type", "function") not in ("function", "custom", None, ""):
                    self._add_unknown(item, content)
                    continue
                if self.whole:
                    # Each element is a call of its own, whatever indexes and ids it lacks.
                    item = {**item, "index": place}  # noqa: PLW2901 (the element, completed)
            self._add_call(item, content)

    def _add_call(self, item: JsonValue, content: list[ContentChunk]) -> None:
        if self._calls is None:
            random = self.target.random
            self._calls = ToolCallSlots(lambda: new_tool_call_id(random))
        chunk = self._calls.take(item)
        if chunk is not None:
            content.append(chunk)
