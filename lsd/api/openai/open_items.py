"""Items of a streamed response that are still growing: each tells of its own beginning and end."""

from abc import ABC, abstractmethod
from typing import Any

import attrs

from lsd.api.openai.response_events import ResponseEvents
from lsd.api.openai.response_items import (
    CUSTOM_CALL,
    FUNCTION_CALL,
    MESSAGE,
    REASONING,
    Item,
    Status,
    call_item,
    item_id,
    message_item,
    reasoning_item,
    summary_part,
    text_part,
)
from lsd.conversation import JsonValue, TextChunk, Thought, ThoughtChunk


@attrs.define(eq=False, kw_only=True)
class OpenItem(ABC):
    """One item; `answer` are the digits of its answer's id, `place` is where it stands there."""

    events: ResponseEvents
    answer: str
    place: int
    id: str = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.id = item_id(self._kind(), self.answer, self.place)

    def begin(self) -> None:
        """Tells that it is there, with nothing said yet."""
        item = self._item("in_progress")
        self.events.tell("response.output_item.added", output_index=self.place, item=item)

    def end(self, status: Status) -> Item:
        """Tells that it is whole."""
        self._end_part()
        item = self._item(status)
        self.events.tell("response.output_item.done", output_index=self.place, item=item)
        return item

    @abstractmethod
    def _kind(self) -> str: ...

    @abstractmethod
    def _item(self, status: Status) -> Item:
        """The item as far as it has grown."""

    @abstractmethod
    def _end_part(self) -> None:
        """Tells that what is being said is whole."""

    def _tell(self, kind: str, **fields: Any) -> None:
        self.events.tell(kind, item_id=self.id, output_index=self.place, **fields)


@attrs.define(eq=False, kw_only=True)
class OpenMessage(OpenItem):
    """What the model says; each of its texts is a part."""

    _texts: list[list[str]] = attrs.field(factory=list, init=False)
    _current: str | None = attrs.field(default=None, init=False)

    def say(self, chunk: TextChunk) -> None:
        """Adds a piece of a text."""
        if chunk.id != self._current:
            self._end_part()
            self._current = chunk.id
            self._texts.append([])
            self._tell_part("response.content_part.added", part=text_part(""))
        self._texts[-1].append(chunk.text)
        self._tell_part("response.output_text.delta", delta=chunk.text, logprobs=[])

    def _kind(self) -> str:
        return MESSAGE

    def _item(self, status: Status) -> Item:
        return message_item(self.id, map("".join, self._texts), status)

    def _end_part(self) -> None:
        if self._current is not None:
            self._current = None
            text = "".join(self._texts[-1])
            self._tell_part("response.output_text.done", text=text, logprobs=[])
            self._tell_part("response.content_part.done", part=text_part(text))

    def _tell_part(self, kind: str, **fields: Any) -> None:
        self._tell(kind, content_index=len(self._texts) - 1, **fields)


@attrs.define(eq=False, kw_only=True)
class OpenThought(OpenItem):
    """A thought: its text is shown, else its summaries; all of it is kept until it is sealed."""

    chunk_id: str
    _texts: list[str] = attrs.field(factory=list, init=False)
    _signatures: list[str] = attrs.field(factory=list, init=False)
    _provider_type: str | None = attrs.field(default=None, init=False)
    _extra_data: JsonValue = attrs.field(default=None, init=False)
    _shown: list[list[str]] = attrs.field(factory=list, init=False)
    _current: str | None = attrs.field(default=None, init=False)
    _summaries: dict[str, list[str]] = attrs.field(factory=dict, init=False)

    def say(self, chunk: ThoughtChunk) -> None:
        """Adds a piece of the thought."""
        if chunk.summary_text:
            key = chunk.summary_id or ""
            self._summaries.setdefault(key, []).append(chunk.summary_text)
            if not self._texts:
                self._show(f"summary {key}", chunk.summary_text)
        if chunk.text:
            self._texts.append(chunk.text)
            self._show("text", chunk.text)
        if chunk.signature is not None:
            self._signatures.append(chunk.signature)
        self._provider_type = chunk.provider_type or self._provider_type
        if chunk.extra_data is not None:
            self._extra_data = chunk.extra_data

    def _kind(self) -> str:
        return REASONING

    def _item(self, status: Status) -> Item:
        summary = tuple(
            {"type": "summary_text", "text": "".join(texts)} for texts in self._summaries.values()
        )
        thought = Thought(
            text="".join(self._texts) if self._texts else None,
            signature="".join(self._signatures) if self._signatures else None,
            summary=summary or None,
            provider_type=self._provider_type,
            extra_data=self._extra_data,
        )
        return reasoning_item(self.id, thought, map("".join, self._shown), status)

    def _show(self, part: str, text: str) -> None:
        if part != self._current:
            self._end_part()
            self._current = part
            self._shown.append([])
            self._tell_part("response.reasoning_summary_part.added", part=summary_part(""))
        self._shown[-1].append(text)
        self._tell_part("response.reasoning_summary_text.delta", delta=text)

    def _end_part(self) -> None:
        if self._current is not None:
            self._current = None
            text = "".join(self._shown[-1])
            self._tell_part("response.reasoning_summary_text.done", text=text)
            self._tell_part("response.reasoning_summary_part.done", part=summary_part(text))

    def _tell_part(self, kind: str, **fields: Any) -> None:
        self._tell(kind, summary_index=len(self._shown) - 1, **fields)


@attrs.define(eq=False, kw_only=True)
class OpenCall(OpenItem):
    """A call of a tool, whose name is known from the beginning."""

    call_id: str
    name: str
    is_custom: bool
    _arguments: list[str] = attrs.field(factory=list, init=False)

    def say(self, text: str) -> None:
        """Adds a piece of its arguments."""
        self._arguments.append(text)
        self._tell(f"{self._argument_event}.delta", delta=text)

    def _kind(self) -> str:
        return CUSTOM_CALL if self.is_custom else FUNCTION_CALL

    def _item(self, status: Status) -> Item:
        text = "".join(self._arguments)
        named = (self.id, self.call_id, self.name, text)
        return call_item(*named, status, is_custom=self.is_custom)

    def _end_part(self) -> None:
        text = "".join(self._arguments)
        whole = {"input": text} if self.is_custom else {"name": self.name, "arguments": text}
        self._tell(f"{self._argument_event}.done", **whole)

    @property
    def _argument_event(self) -> str:
        kind = "custom_tool_call_input" if self.is_custom else "function_call_arguments"
        return f"response.{kind}"
