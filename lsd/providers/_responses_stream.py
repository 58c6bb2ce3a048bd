"""The stream decoder of OpenAI's Responses API: events, told apart by `type`, to chunks."""

import re
from collections.abc import Mapping

import attrs

from lsd.conversation import (
    ContentChunk,
    ModelChunk,
    NotJson,
    StreamEvent,
    StreamFault,
    TextChunk,
    ThoughtChunk,
    ToolCallChunk,
)
from lsd.providers._event_stream import BrokenEvent, EventStream, ServerSentEvent
from lsd.providers._http_errors import ended_early, failed_inside, undecodable
from lsd.providers._openai_family import Received, Target
from lsd.providers._openai_stream import END_MARK
from lsd.providers._responses_items import (
    CALL_TYPES,
    BadItem,
    arguments_of,
    call_chunk,
    finish_reason_of,
    signature_chunk,
    unknown_chunk,
    usage_of,
)
from lsd.providers._split_characters import EventDecoder
from lsd.providers.tool_call_ids import new_tool_call_id
from lsd.telemetry import logger

log = logger(__name__)

_TEXT_DELTAS = frozenset({"response.output_text.delta", "response.refusal.delta"})
_ARGUMENT_DELTAS = frozenset(
    {"response.function_call_arguments.delta", "response.custom_tool_call_input.delta"}
)
_ENDS = frozenset({"response.completed", "response.incomplete"})

_REPEATING = re.compile(
    r"keepalive|ping|response\.(?:created|queued|in_progress"
    r"|content_part\..*"
    r"|(?:output_text|refusal|reasoning_text|reasoning_summary_text)\.done"
    r"|reasoning_summary_part\.(?:added|done)"
    r"|output_text[._]annotation\..*"
    r"|(?:function_call_arguments|custom_tool_call_input)\.done"
    r"|[a-z_]+_call(?:_[a-z]+)?\.[a-z_]+|mcp_list_tools\.[a-z_]+)"
)
"""Types of events that say again what deltas say, or how far a tool of the provider is.

Source: OpenAI's reference of streaming events, 2025.
"""


@attrs.define(eq=False)
class ResponsesStream:
    """Reads one streamed response.

    One bad event, or one that reports an error, is a fault after which reading goes on. A response
    that has failed is over, and so is one whose end was told; the end of the bytes alone is a
    fatal fault, unless the provider has just reported an error, which explains it.
    """

    target: Target
    headers: Mapping[str, str]
    _events: EventStream = attrs.field(factory=EventStream, init=False)
    _json: EventDecoder = attrs.field(factory=EventDecoder, init=False)
    _calls: dict[str, ToolCallChunk] = attrs.field(factory=dict, init=False)
    _argued: set[str] = attrs.field(factory=set, init=False)
    _signed: set[int] = attrs.field(factory=set, init=False)
    _unknown_count: int = attrs.field(default=0, init=False)
    _ended: bool = attrs.field(default=False, init=False)
    _has_content: bool = attrs.field(default=False, init=False)
    _has_just_reported: bool = attrs.field(default=False, init=False)

    @property
    def ended(self) -> bool:
        return self._ended

    def feed(self, data: bytes) -> list[StreamEvent]:
        return self._take_all(self._events.feed(data))

    def finish(self, *, cut: bool) -> list[StreamEvent]:
        told = self._take_all(self._events.end(cut=cut))
        if not self._ended and not self._has_just_reported:
            failure = ended_early(
                self.target.provider_type,
                self.headers,
                after_content=self._has_content,
                cut=cut,
                missing="no event that ends the response",
            )
            told.append(StreamFault(failure=failure, fatal=True))
        self._ended = True
        return told

    def _take_all(self, events: list[ServerSentEvent | BrokenEvent]) -> list[StreamEvent]:
        told: list[StreamEvent] = []
        for event in events:
            if self._ended:
                break
            taken = self._take(event)
            if taken is not None:
                told.append(taken)
        return told

    def _take(self, event: ServerSentEvent | BrokenEvent) -> StreamEvent | None:
        if isinstance(event, BrokenEvent):
            self._ended = event.fatal
            return self._malformed(event.reason, event.text, fatal=event.fatal)
        raw = event.data
        if raw.strip() == END_MARK:
            return None
        try:
            document = self._json.decode(raw)
        except NotJson as error:
            if event.name == "error":
                return self._reported({"error": {"message": raw}}, raw)
            return self._malformed(f"found an event that is not JSON ({error})", raw)
        if not isinstance(document, dict):
            return self._malformed("found an event that is no JSON object", raw)
        if document.get("type") == "error" or (
            "type" not in document and (event.name == "error" or document.get("error"))
        ):
            return self._reported({**document, "type": None}, raw)
        if document.get("type") == "response.failed":
            self._ended = True
            response = document.get("response")
            return self._reported(response if isinstance(response, dict) else {}, raw, fatal=True)
        return self._read(document, raw)

    def _read(self, document: Received, raw: str) -> StreamEvent:
        chunk = ModelChunk(raw=raw, document=document)
        try:
            self._read_event(document, chunk)
        except BadItem as error:
            return self._malformed(str(error), raw)
        if chunk.content:
            self._has_content = True
            self._has_just_reported = False
        return chunk

    def _read_event(self, document: Received, chunk: ModelChunk) -> None:
        kind, place = _text(document, "type"), _place(document, "output_index")
        if kind in _TEXT_DELTAS:
            text = _text(document, "delta")
            if text:
                part = f"{place}.{_place(document, 'content_index')}"
                chunk.content.append(TextChunk(id=part, text=text))
        elif kind == "response.reasoning_summary_text.delta":
            summary = str(_place(document, "summary_index"))
            chunk.content.append(
                self._thought(place, summary_id=summary, summary_text=_text(document, "delta"))
            )
        elif kind == "response.reasoning_text.delta":
            chunk.content.append(self._thought(place, text=_text(document, "delta")))
        elif kind in _ARGUMENT_DELTAS:
            chunk.content.append(self._arguments(document))
        elif kind == "response.output_item.added":
            self._read_beginning(document, chunk.content)
        elif kind == "response.output_item.done":
            self._read_end(document, place, chunk.content)
        elif kind in _ENDS:
            self._read_response(document, chunk)
        elif not _REPEATING.fullmatch(kind):
            self._read_unknown(document, chunk.content)

    def _thought(self, place: int, **fields: str) -> ThoughtChunk:
        return ThoughtChunk(id=str(place), provider_type=self.target.provider_type, **fields)

    def _arguments(self, document: Received) -> ToolCallChunk:
        item = _text(document, "item_id")
        if item not in self._calls:
            raise BadItem(f"found arguments of a tool call {item!r} that was never begun")
        self._argued.add(item)
        return ToolCallChunk(id=self._calls[item].id, raw_arguments=_text(document, "delta"))

    def _read_beginning(self, document: Received, content: list[ContentChunk]) -> None:
        item = document.get("item")
        if not isinstance(item, dict) or _text(item, "type") not in CALL_TYPES:
            return
        begun = call_chunk(item, lambda: new_tool_call_id(self.target.random))
        self._calls[_own_id(item)] = begun
        content.append(begun)

    def _read_end(self, document: Received, place: int, content: list[ContentChunk]) -> None:
        """Items that have no deltas are whole only at their end."""
        item = document.get("item")
        if not isinstance(item, dict):
            return
        kind = _text(item, "type")
        if kind == "message":
            return
        if kind in CALL_TYPES:
            self._read_whole_call(item, content)
        elif kind == "reasoning":
            signature = signature_chunk(item, place, self.target)
            if signature is not None and place not in self._signed:
                self._signed.add(place)
                content.append(signature)
        else:
            content.append(unknown_chunk(str(place), item, self.target))

    def _read_whole_call(self, item: Received, content: list[ContentChunk]) -> None:
        """What the events before have left out; servers of few words send the end alone."""
        own = _own_id(item)
        if own not in self._calls:
            self._read_beginning({"item": item}, content)
        arguments = arguments_of(item)
        if arguments and own not in self._argued:
            self._argued.add(own)
            content.append(ToolCallChunk(id=self._calls[own].id, raw_arguments=arguments))

    def _read_response(self, document: Received, chunk: ModelChunk) -> None:
        self._ended = True
        response = document.get("response")
        if not isinstance(response, dict):
            response = {}
        chunk.usage, chunk.raw_usage = usage_of(response)
        chunk.finish_reason = finish_reason_of(response, has_calls=bool(self._calls))

    def _read_unknown(self, document: Received, content: list[ContentChunk]) -> None:
        target = self.target
        if target.discard_unknown_chunks:
            log.warning(
                "unknown part of a stream dropped",
                provider_type=target.provider_type,
                model_name=target.model_name,
                provider_name=target.provider_name,
                part=document.get("type"),
            )
            return
        content.append(unknown_chunk(f"unknown-{self._unknown_count}", dict(document), target))
        self._unknown_count += 1

    def _reported(self, document: Received, raw: str, *, fatal: bool = False) -> StreamFault:
        self._has_just_reported = True
        failure = failed_inside(self.target.provider_type, document, self.headers, raw)
        return StreamFault(failure=failure, fatal=fatal, raw=raw)

    def _malformed(self, reason: str, raw: str, *, fatal: bool = False) -> StreamFault:
        failure = undecodable(self.target.provider_type, reason, self.headers, raw)
        return StreamFault(failure=failure, fatal=fatal, raw=raw)


def _place(document: Received, name: str) -> int:
    """An index in an event, 0 where a server leaves it out."""
    value = document.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def _own_id(item: Received) -> str:
    """How events refer to a call; servers that never do may leave its id out."""
    return _text(item, "id") or _text(item, "call_id")


def _text(document: Received, name: str) -> str:
    value = document.get(name)
    return value if isinstance(value, str) else ""
