"""The stream decoder of Gemini: each event is a whole answer with some more of the parts."""

from collections.abc import Mapping

import attrs

from lsd.conversation import (
    AttemptFailed,
    ModelChunk,
    NotJson,
    StreamEvent,
    StreamFault,
    decode_json,
)
from lsd.providers._event_stream import (
    LONG_EVENT_BYTES_MAX,
    BrokenEvent,
    EventStream,
    ServerSentEvent,
)
from lsd.providers._gemini_answer import (
    finish_reason_of,
    first_candidate,
    has_counts,
    is_error,
    nothing_answered,
    parts_of,
    reported_error,
    usage_in,
)
from lsd.providers._gemini_parts import PartReader
from lsd.providers._gemini_target import Received, Target
from lsd.providers._http_errors import ended_early, undecodable


@attrs.define(eq=False)
class ContentStream:
    """Reads one streamed answer.

    Each fault is fatal. There is no end mark: the end of the bytes is good after a finish reason.
    """

    target: Target
    headers: Mapping[str, str]
    _events: EventStream = attrs.field(init=False)
    _parts: PartReader = attrs.field(init=False)
    _usage: Received | None = attrs.field(default=None, init=False)
    """The newest report that was not passed on yet: each event has one, and they are cumulative."""
    _ended: bool = attrs.field(default=False, init=False)
    _has_finished: bool = attrs.field(default=False, init=False)
    _has_content: bool = attrs.field(default=False, init=False)

    def __attrs_post_init__(self) -> None:
        self._events = EventStream(LONG_EVENT_BYTES_MAX, keeps_strays=True)
        self._parts = PartReader(self.target)

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
        if self._ended:
            return told
        strays = self._events.strays()
        failure = self._error_in(strays)
        if failure is not None:
            self._fail(failure, strays, told)
        elif not self._has_finished:
            self._fail(self._ended_early(cut), None, told)
        self._ended = True
        return told

    def _take(self, event: ServerSentEvent | BrokenEvent, told: list[StreamEvent]) -> None:
        if isinstance(event, BrokenEvent):
            self._fail(self._malformed(event.reason, event.text), event.text, told)
            return
        raw = event.data
        try:
            document = decode_json(raw)
        except NotJson as error:
            reason = f"found an event that is not JSON ({error})"
            self._fail(self._malformed(reason, raw), raw, told)
            return
        if is_error(document):
            self._fail(reported_error(self.target, document, self.headers, raw), raw, told)
        elif isinstance(document, dict):
            self._read(document, raw, told)
        else:
            reason = "found an event that is no JSON object"
            self._fail(self._malformed(reason, raw), raw, told)

    def _read(self, document: Received, raw: str, told: list[StreamEvent]) -> None:
        chunk = ModelChunk(raw=raw, document=document)
        usage = document.get("usageMetadata")
        if isinstance(usage, dict) and has_counts(usage):
            self._usage = usage
        candidate = first_candidate(document)
        if candidate is not None:
            for part in parts_of(candidate):
                self._parts.read(part, chunk.content)
            chunk.finish_reason = finish_reason_of(candidate.get("finishReason"))
            self._has_finished = self._has_finished or chunk.finish_reason is not None
        elif not self._says_enough(document):
            failure = nothing_answered(self.target, document, self.headers, raw)
            self._fail(failure, raw, told)
            return
        if self._has_finished:
            self._tell_usage(chunk)
        self._has_content = self._has_content or bool(chunk.content)
        told.append(chunk)

    def _says_enough(self, document: Received) -> bool:
        """Whether an event without an answer is none the worse for it.

        Counts may come alone, and after the answer's end nothing is missed.
        """
        return "promptFeedback" not in document and (
            isinstance(document.get("usageMetadata"), dict) or self._has_finished
        )

    def _tell_usage(self, chunk: ModelChunk) -> None:
        if self._usage is not None:
            chunk.usage, chunk.raw_usage = usage_in(self._usage), self._usage
            self._usage = None

    def _fail(self, failure: AttemptFailed, raw: str | None, told: list[StreamEvent]) -> None:
        self._ended = True
        if self._has_content and self._usage is not None:
            # What was used until here is owed all the same.
            chunk = ModelChunk()
            self._tell_usage(chunk)
            told.append(chunk)
        told.append(StreamFault(failure=failure, fatal=True, raw=raw))

    def _malformed(self, reason: str, raw: str) -> AttemptFailed:
        return undecodable(self.target.provider_type, reason, self.headers, raw)

    def _error_in(self, strays: str) -> AttemptFailed | None:
        """The error that lines outside of all events are."""
        try:
            document = decode_json(strays) if strays else None
        except NotJson:
            return None
        if not is_error(document):
            return None
        return reported_error(self.target, document, self.headers, strays)

    def _ended_early(self, cut: bool) -> AttemptFailed:
        return ended_early(
            self.target.provider_type,
            self.headers,
            after_content=self._has_content,
            cut=cut,
            missing="no finish reason",
        )
