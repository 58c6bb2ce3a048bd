"""The stream decoder of SageMaker: an event stream whose payloads are a stream of their own."""

from collections.abc import Mapping

import attrs

from lsd.conversation import StreamEvent, StreamFault
from lsd.providers._aws_errors import failed_in_stream
from lsd.providers._aws_frames import BrokenFrame, Frame, FrameReader
from lsd.providers._http_errors import undecodable
from lsd.providers._openai_family import Target
from lsd.providers._openai_stream import ChatStream


@attrs.define(eq=False)
class HostedStream:
    """Reads one streamed completion out of the frames that carry it, however they cut it.

    What is hosted ends the stream, by its own end mark; a fault of the frames ends it, too.
    """

    target: Target
    headers: Mapping[str, str]
    _frames: FrameReader = attrs.field(factory=FrameReader, init=False)
    _hosted: ChatStream = attrs.field(init=False)
    _has_failed: bool = attrs.field(default=False, init=False)

    def __attrs_post_init__(self) -> None:
        self._hosted = ChatStream(self.target, self.headers)

    @property
    def ended(self) -> bool:
        return self._has_failed or self._hosted.ended

    def feed(self, data: bytes) -> list[StreamEvent]:
        told: list[StreamEvent] = []
        for frame in self._frames.feed(data):
            if self.ended:
                break
            told += self._take(frame)
        return told

    def finish(self, *, cut: bool) -> list[StreamEvent]:
        if self._has_failed:
            return []
        return self._hosted.finish(cut=cut or self._frames.has_rest)

    def _take(self, frame: Frame | BrokenFrame) -> list[StreamEvent]:
        if isinstance(frame, BrokenFrame):
            self._has_failed = True
            failure = undecodable(self.target.provider_type, frame.reason, self.headers, "")
            return [StreamFault(failure=failure, fatal=True)]
        match frame.text(":message-type"):
            case "event" if frame.text(":event-type") == "PayloadPart":
                return self._hosted.feed(frame.payload)
            case "exception":
                return [self._reported(frame.text(":exception-type"), frame.payload)]
            case "error":
                payload = frame.text(":error-message").encode() or frame.payload
                return [self._reported(frame.text(":error-code"), payload)]
            case _:
                return []

    def _reported(self, name: str, payload: bytes) -> StreamFault:
        self._has_failed = True
        failure = failed_in_stream(self.target.provider_type, name, self.headers, payload)
        return StreamFault(failure=failure, fatal=True, raw=payload.decode(errors="replace"))
