"""The stream decoder of Anthropic's Messages: server-sent events to chunks and faults."""

from collections.abc import Mapping
from typing import Any

import attrs

from lsd.conversation import (
    AttemptFailed,
    ModelChunk,
    NotJson,
    StreamEvent,
    StreamFault,
    decode_json,
)
from lsd.providers._anthropic_answer import (
    finish_reason_of,
    reported_error,
    stop_sequence_of,
    usage_in,
)
from lsd.providers._anthropic_blocks import BadDelta, BlockReader
from lsd.providers._anthropic_target import Received, Target
from lsd.providers._event_stream import (
    LONG_EVENT_BYTES_MAX,
    BrokenEvent,
    EventStream,
    ServerSentEvent,
)
from lsd.providers._http_errors import ended_early, undecodable
from lsd.telemetry import logger

log = logger(__name__)


@attrs.define(eq=False)
class MessageStream:
    """Reads one streamed message.

    Each fault is fatal: what follows it would not fit to what came before. The end of the bytes
    is good after the end mark or a stop reason only.
    """

    target: Target
    headers: Mapping[str, str]
    _events: EventStream = attrs.field(init=False)
    _blocks: BlockReader = attrs.field(init=False)
    _counts: dict[str, Any] = attrs.field(factory=dict, init=False)
    _ended: bool = attrs.field(default=False, init=False)
    _has_finished: bool = attrs.field(default=False, init=False)
    _has_content: bool = attrs.field(default=False, init=False)

    def __attrs_post_init__(self) -> None:
        self._events = EventStream(LONG_EVENT_BYTES_MAX)
        self._blocks = BlockReader(self.target)

    @property
    def ended(self) -> bool:
        return self._ended

    def feed(self, data: bytes) -> list[StreamEvent]:
        told: list[StreamEvent] = []
        for event in self._events.feed(data):
            if self._ended:
                break
            told.append(self._take(event))
        return told

    def finish(self, *, cut: bool) -> list[StreamEvent]:
        if self._ended:
            return []
        self._ended = True
        if self._has_finished:
            return []
        return [StreamFault(failure=self._ended_early(cut), fatal=True)]

    def _take(self, event: ServerSentEvent | BrokenEvent) -> StreamEvent:
        if isinstance(event, BrokenEvent):
            return self._malformed(event.reason, event.text)
        raw = event.data
        try:
            document = decode_json(raw)
        except NotJson as error:
            if event.name == "error":
                return self._reported({"error": {"message": raw}}, raw)
            return self._malformed(f"found an event that is not JSON ({error})", raw)
        if not isinstance(document, dict):
            return self._malformed("found an event that is no JSON object", raw)
        if event.name == "error" or document.get("type") == "error":
            return self._reported(document, raw)
        return self._read(document, raw)

    def _read(self, document: Received, raw: str) -> StreamEvent:
        chunk = ModelChunk(raw=raw, document=document)
        match document.get("type"):
            case "message_start":
                message = document.get("message")
                self._read_usage(message if isinstance(message, dict) else {}, chunk)
            case "content_block_start" | "content_block_delta" | "content_block_stop":
                try:
                    self._blocks.read(document, chunk.content)
                except BadDelta as error:
                    return self._malformed(str(error), raw)
            case "message_delta":
                self._read_usage(document, chunk)
                delta = document.get("delta")
                if isinstance(delta, dict):
                    chunk.finish_reason = finish_reason_of(delta.get("stop_reason"))
                    chunk.stop_sequence = stop_sequence_of(delta)
            case "message_stop":
                self._ended = True
            case _:
                pass  # pings, and events that are yet to be invented
        self._has_content = self._has_content or bool(chunk.content)
        self._has_finished = self._has_finished or chunk.finish_reason is not None
        return chunk

    def _read_usage(self, document: Received, chunk: ModelChunk) -> None:
        chunk.usage, raw_usage = usage_in(document)
        chunk.raw_usage = raw_usage
        for name, count in (raw_usage or {}).items():
            before = self._counts.get(name)
            if isinstance(count, int) and isinstance(before, int) and count < before:
                log.warning(
                    "token count fell during a stream; the greater one counts",
                    provider_type=self.target.provider_type,
                    count=name,
                    before=before,
                    after=count,
                )
            self._counts[name] = count

    def _reported(self, document: Received, raw: str) -> StreamFault:
        self._ended = True
        failure = reported_error(self.target, document, self.headers, raw)
        return StreamFault(failure=failure, fatal=True, raw=raw)

    def _malformed(self, reason: str, raw: str) -> StreamFault:
        self._ended = True
        failure = undecodable(self.target.provider_type, reason, self.headers, raw)
        return StreamFault(failure=failure, fatal=True, raw=raw)

    def _ended_early(self, cut: bool) -> AttemptFailed:
        return ended_early(
            self.target.provider_type,
            self.headers,
            after_content=self._has_content,
            cut=cut,
            missing="neither a stop reason nor an end mark",
        )
