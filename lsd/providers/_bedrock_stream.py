"""The stream decoder of Bedrock's Converse API: event stream to chunks and faults."""

from collections.abc import Mapping

import attrs

from lsd.conversation import (
    AttemptFailed,
    ContentChunk,
    ModelChunk,
    NotJson,
    StreamEvent,
    StreamFault,
    TextChunk,
    ThoughtChunk,
    ToolCallChunk,
    decode_json,
)
from lsd.providers._aws_errors import failed_in_stream
from lsd.providers._aws_frames import BrokenFrame, Frame, FrameReader
from lsd.providers._bedrock_answer import finish_reason_of, usage_in
from lsd.providers._bedrock_target import PROVIDER_TYPE, Received
from lsd.providers._http_errors import request_id, undecodable
from lsd.telemetry import logger

log = logger(__name__)


@attrs.define(eq=False)
class _OpenCall:
    """A tool call whose input is on its way."""

    id: str
    has_input: bool = False


@attrs.define(eq=False)
class ConverseStream:
    """Reads one streamed message.

    Each fault is fatal: what follows it would not fit to what came before. After the message has
    stopped only its counts are awaited, and it is whole without them.
    """

    headers: Mapping[str, str]
    _frames: FrameReader = attrs.field(factory=FrameReader, init=False)
    _calls: dict[int, _OpenCall] = attrs.field(factory=dict, init=False)
    _ended: bool = attrs.field(default=False, init=False)
    _has_finished: bool = attrs.field(default=False, init=False)
    _has_content: bool = attrs.field(default=False, init=False)

    @property
    def ended(self) -> bool:
        return self._ended

    def feed(self, data: bytes) -> list[StreamEvent]:
        told: list[StreamEvent] = []
        for frame in self._frames.feed(data):
            if self._ended:
                break
            event = self._take(frame)
            if event is not None:
                told.append(event)
        return told

    def finish(self, *, cut: bool) -> list[StreamEvent]:
        if self._ended:
            return []
        self._ended = True
        if self._has_finished:
            return []
        return [StreamFault(failure=self._ended_early(cut), fatal=True)]

    def _take(self, frame: Frame | BrokenFrame) -> StreamEvent | None:
        if isinstance(frame, BrokenFrame):
            return self._malformed(frame.reason, "")
        raw = frame.payload.decode(errors="replace")
        match frame.text(":message-type"):
            case "event":
                return self._event(frame.text(":event-type"), frame.payload, raw)
            case "exception":
                return self._reported(frame.text(":exception-type"), frame.payload, raw)
            case "error":
                payload = frame.text(":error-message").encode() or frame.payload
                return self._reported(frame.text(":error-code"), payload, raw)
            case kind:
                _ignore(f"message of type {kind!r}")
                return None

    def _event(self, kind: str, payload: bytes, raw: str) -> StreamEvent | None:
        if kind not in _KNOWN_EVENTS:
            _ignore(f"event {kind!r}")
            return None
        try:
            document = decode_json(payload)
        except NotJson as error:
            return self._malformed(f"found an event that is not JSON ({error})", raw)
        if not isinstance(document, dict):
            return self._malformed("found an event that is no JSON object", raw)
        chunk = ModelChunk(raw=raw, document=document)
        match kind:
            case "contentBlockStart":
                self._start(document, chunk.content)
            case "contentBlockDelta":
                reason = self._continue(document, chunk.content)
                if reason is not None:
                    return self._malformed(reason, raw)
            case "contentBlockStop":
                self._stop(document, chunk.content)
            case "messageStop":
                chunk.finish_reason = finish_reason_of(document.get("stopReason")) or "unknown"
                self._has_finished = True
            case "metadata":
                chunk.usage, chunk.raw_usage = usage_in(document)
                self._ended = self._has_finished
            case _:
                pass
        self._has_content = self._has_content or bool(chunk.content)
        return chunk

    def _start(self, document: Received, content: list[ContentChunk]) -> None:
        start = document.get("start")
        match start:
            case {"toolUse": {"toolUseId": str(identifier), "name": str(name)}}:
                self._calls[_index_of(document)] = _OpenCall(identifier)
                content.append(ToolCallChunk(id=identifier, raw_name=name))
            case _ if start:
                _ignore("block of unknown kind")
            case _:
                pass  # what kind of block it is shows with its first piece

    def _continue(self, document: Received, content: list[ContentChunk]) -> str | None:
        """Appends what a delta says; the reason why it cannot be read, if it cannot."""
        index = _index_of(document)
        match document.get("delta"):
            case {"text": str(text)}:
                content.append(TextChunk(id=str(index), text=text))
            case {"toolUse": {"input": str(piece)}}:
                call = self._calls.get(index)
                if call is None:
                    return f"found input for the block {index}, where no tool was called"
                if piece:
                    call.has_input = True
                    content.append(ToolCallChunk(id=call.id, raw_arguments=piece))
            case {"reasoningContent": {"text": str(text)}}:
                content.append(_thought(index, text=text))
            case {"reasoningContent": {"signature": str(data)} | {"redactedContent": str(data)}}:
                content.append(_thought(index, signature=data))
            case _:
                _ignore("piece of unknown kind")
        return None

    def _stop(self, document: Received, content: list[ContentChunk]) -> None:
        call = self._calls.pop(_index_of(document), None)
        if call is not None and not call.has_input:
            # A tool without arguments; a whole message has an empty object for them.
            content.append(ToolCallChunk(id=call.id, raw_arguments="{}"))

    def _reported(self, name: str, payload: bytes, raw: str) -> StreamFault:
        self._ended = True
        failure = failed_in_stream(PROVIDER_TYPE, name, self.headers, payload)
        return StreamFault(failure=failure, fatal=True, raw=raw)

    def _malformed(self, reason: str, raw: str) -> StreamFault:
        self._ended = True
        failure = undecodable(PROVIDER_TYPE, reason, self.headers, raw)
        return StreamFault(failure=failure, fatal=True, raw=raw or None)

    def _ended_early(self, cut: bool) -> AttemptFailed:
        when = "early" if self._has_content else "before first chunk"
        how = "the connection broke" if cut else "there was no stop reason"
        if self._frames.has_rest:
            how += ", in the middle of a frame"
        return AttemptFailed(
            kind="transport",
            text=f"{PROVIDER_TYPE}: stream ended {when}; {how}",
            request_id=request_id(self.headers),
        )


_KNOWN_EVENTS = frozenset(
    {
        "messageStart",
        "contentBlockStart",
        "contentBlockDelta",
        "contentBlockStop",
        "messageStop",
        "metadata",
    }
)


def _index_of(document: Received) -> int:
    """The place of the block that an event is about; JSON leaves out zeros now and then."""
    index = document.get("contentBlockIndex")
    return index if isinstance(index, int) else 0


def _thought(index: int, *, text: str | None = None, signature: str | None = None) -> ThoughtChunk:
    return ThoughtChunk(id=str(index), text=text, signature=signature, provider_type=PROVIDER_TYPE)


def _ignore(what: str) -> None:
    log.warning("unknown part of a stream dropped", provider_type=PROVIDER_TYPE, part=what)
