"""The stream decoder of chat completions: server-sent events to chunks and faults."""

from collections.abc import Mapping

import attrs

from lsd.conversation import (
    AttemptFailed,
    ContentChunk,
    JsonValue,
    ModelChunk,
    NotJson,
    StreamEvent,
    StreamFault,
)
from lsd.providers._event_stream import BrokenEvent, EventStream, ServerSentEvent
from lsd.providers._http_errors import ended_early, failed_inside, undecodable
from lsd.providers._openai_answer import usage_in
from lsd.providers._openai_delta import DeltaReader, finish_reason_of, stop_sequence_of
from lsd.providers._openai_family import Received, Target
from lsd.providers._split_characters import EventDecoder
from lsd.providers._tool_call_slots import BadToolCall

END_MARK = "[DONE]"


@attrs.define(eq=False)
class ChatStream:
    """Reads one streamed completion.

    One bad event, or one that reports an error, is a fault after which reading goes on. The end
    of the bytes is good after the end mark or a finish reason; else it is a fatal fault, unless
    the provider has just reported an error, which explains it.
    """

    target: Target
    headers: Mapping[str, str]
    _events: EventStream = attrs.field(factory=EventStream, init=False)
    _json: EventDecoder = attrs.field(factory=EventDecoder, init=False)
    _reader: DeltaReader = attrs.field(init=False)
    _must_find_usage: bool = attrs.field(init=False)
    _ended: bool = attrs.field(default=False, init=False)
    _has_finished: bool = attrs.field(default=False, init=False)
    _has_content: bool = attrs.field(default=False, init=False)
    _has_just_reported: bool = attrs.field(default=False, init=False)

    def __attrs_post_init__(self) -> None:
        self._reader = DeltaReader(self.target)
        self._must_find_usage = self.target.member.find_usage is not None

    @property
    def ended(self) -> bool:
        return self._ended

    def feed(self, data: bytes) -> list[StreamEvent]:
        told: list[StreamEvent] = []
        for event in self._events.feed(data):
            if self._ended:
                break
            self._take(event, told)
        return told

    def finish(self, *, cut: bool) -> list[StreamEvent]:
        told: list[StreamEvent] = []
        for event in self._events.end(cut=cut):
            if not self._ended:
                self._take(event, told)
        if self._ended:
            return told
        if self._has_finished:
            self._end_well(told)
            return told
        self._ended = True
        self._tell_held_text(told)
        if not self._has_just_reported:
            told.append(StreamFault(failure=self._ended_early(cut), fatal=True))
        return told

    def _take(self, event: ServerSentEvent | BrokenEvent, told: list[StreamEvent]) -> None:
        if isinstance(event, BrokenEvent):
            self._ended = event.fatal
            self._tell_malformed(event.reason, event.text, told, fatal=event.fatal)
            return
        raw = event.data
        try:
            document = self._json.decode(raw)
        except NotJson as error:
            if raw.strip() == END_MARK:
                self._end_well(told)
            elif event.name == "error":
                self._tell_error({"error": {"message": raw}}, raw, told)
            else:
                self._tell_malformed(f"found an event that is not JSON ({error})", raw, told)
            return
        if isinstance(document, dict) and not document.get("error") and event.name != "error":
            self._read(document, raw, told)
        elif isinstance(document, dict) or event.name == "error":
            self._tell_error(document, raw, told)
        else:
            self._tell_malformed("found an event that is no JSON object", raw, told)

    def _read(self, document: Received, raw: str, told: list[StreamEvent]) -> None:
        choices = document.get("choices") or []
        if not isinstance(choices, list) or len(choices) > 1:
            found = (
                f"{len(choices)} choices" if isinstance(choices, list) else "no array of choices"
            )
            self._tell_malformed(f"found {found}; wanted one at most", raw, told)
            return
        content: list[ContentChunk] = []
        chunk = ModelChunk(content, raw, document)
        told.append(chunk)
        if document.get("usage") is not None or self._must_find_usage:
            chunk.usage, chunk.raw_usage = usage_in(self.target, document, self.headers)
        choice = choices[0] if choices else None
        if isinstance(choice, dict):
            delta = choice.get("delta") or choice.get("message")
            try:
                if isinstance(delta, dict):
                    self._reader.read(delta, content)
                if choice.get("finish_reason") is not None:
                    self._take_finish_reason(choice, chunk)
            except BadToolCall as error:
                chunk.raw = ""  # The fault shows it.
                self._tell_malformed(str(error), raw, told)
        if content:
            self._has_content = True
            self._has_just_reported = False

    def _take_finish_reason(self, choice: Received, chunk: ModelChunk) -> None:
        chunk.finish_reason = finish_reason_of(choice["finish_reason"])
        if chunk.finish_reason is not None:
            chunk.stop_sequence = stop_sequence_of(choice)
            self._has_finished = True
            self._reader.end(chunk.content)

    def _end_well(self, told: list[StreamEvent]) -> None:
        self._ended = True
        self._tell_held_text(told)
        try:
            self._reader.check_calls()
        except BadToolCall as error:
            self._tell_malformed(str(error), None, told)

    def _tell_held_text(self, told: list[StreamEvent]) -> None:
        held: list[ContentChunk] = []
        self._reader.end(held)
        if held:
            told.append(ModelChunk(content=held))

    def _tell_error(self, document: JsonValue, raw: str, told: list[StreamEvent]) -> None:
        member = self.target.member
        failure = failed_inside(
            member.provider_type, document, self.headers, raw, member.code_statuses
        )
        self._has_just_reported = True
        told.append(StreamFault(failure=failure, fatal=False, raw=raw))

    def _tell_malformed(
        self, reason: str, raw: str | None, told: list[StreamEvent], *, fatal: bool = False
    ) -> None:
        failure = undecodable(self.target.provider_type, reason, self.headers, raw or "")
        told.append(StreamFault(failure=failure, fatal=fatal, raw=raw))

    def _ended_early(self, cut: bool) -> AttemptFailed:
        return ended_early(
            self.target.provider_type,
            self.headers,
            after_content=self._has_content,
            cut=cut,
            missing="neither a finish reason nor an end mark",
        )
