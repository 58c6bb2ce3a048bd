"""Streamed answers to Messages requests, in translation or as the provider has worded them."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar

import attrs

from lsd.api.anthropic.answer import Ending
from lsd.api.anthropic.events import (
    PING,
    STOP,
    MessageEvents,
    message_delta,
    message_start,
)
from lsd.api.anthropic.relayed import relayed_event, relayed_message
from lsd.api.compat.lane_errors import LaneErrors
from lsd.api.compat.raw_fields import raw_fields
from lsd.conversation import ModelChunk, StreamEvent, StreamFault, Usage
from lsd.inference import Answer, Reply, StreamWriter

_ERRORS = LaneErrors("anthropic")


@attrs.frozen(kw_only=True)
class Message:
    """One answer as its client will know it.

    `model` is what the client calls the model. `estimate` is how many tokens its request may have,
    for a stream whose provider tells so late.
    """

    reply: Reply
    model: str
    estimate: int = 0

    @property
    def id(self) -> str:
        """The id of the record, in the form of this API."""
        return "msg_" + self.reply.run.inference_id.replace("-", "")

    @property
    def is_relayed(self) -> bool:
        """Whether the provider's own words are there to be passed on."""
        return self.reply.call.is_relayed and not self.reply.call.cached

    @property
    def usage(self) -> Usage:
        """What the client has used: nothing, if the answer was at hand."""
        return Usage() if self.reply.call.cached else self.reply.call.answer.usage

    @property
    def ending(self) -> Ending:
        """How the answer ended. A stop sequence counts only if the client has asked for it."""
        call = self.reply.call
        asked = call.request.params.stop_sequences or ()
        matched = call.answer.stop_sequence if call.answer.stop_sequence in asked else None
        return Ending(finish_reason=call.answer.finish_reason, stop_sequence=matched)

    @property
    def needs_estimate(self) -> bool:
        """Whether nobody has said yet how many tokens the request has."""
        call = self.reply.call
        return not call.is_relayed and not call.cached and call.answer.usage.input_tokens is None

    @property
    def wants_raw_words(self) -> bool:
        """Whether the client wants to see what the provider has sent."""
        request = self.reply.accepted.request
        return request.include_raw_response or request.include_raw_usage


def writer_of(message: Message) -> StreamWriter:
    """What words the stream of this message."""
    return _Relayed(message) if message.is_relayed else _Translated(message)


@attrs.define(eq=False)
class _Writer(ABC):
    """Words one stream, up to its end or to the first fault, behind which nothing may follow."""

    keep_alive: ClassVar[bytes] = PING
    end_mark: ClassVar[bytes] = STOP

    _message: Message
    is_broken_off: bool = attrs.field(default=False, init=False)

    @abstractmethod
    def opening(self) -> bytes: ...

    @abstractmethod
    def closing(self, _: Answer) -> bytes: ...

    @abstractmethod
    def words_for(self, chunk: ModelChunk) -> bytes:
        """What tells of one event of the provider's; perhaps nothing."""

    def events(self, events: Sequence[StreamEvent]) -> bytes:
        made = []
        for each in events:
            if isinstance(each, StreamFault):
                self.is_broken_off = True
                made.append(self._error(each))
                break
            made.append(self.words_for(each))
        return b"".join(made)

    def _error(self, fault: StreamFault) -> bytes:
        reply = self._message.reply
        return _ERRORS.broken_off(reply.call.provider_name, fault.failure, reply.run.inference_id)


@attrs.define(eq=False)
class _Translated(_Writer):
    _events: MessageEvents = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self._events = MessageEvents(keeps_unknown=self._message.reply.call.is_relayed)

    def opening(self) -> bytes:
        """Says how many tokens were read, or may have been: agents go by it at once."""
        message, usage = self._message, self._message.usage
        if message.needs_estimate:
            usage = Usage(input_tokens=message.estimate)
        return message_start(message.id, message.model, usage)

    def words_for(self, chunk: ModelChunk) -> bytes:
        return self._events.content(chunk.content)

    def closing(self, _: Answer) -> bytes:
        message = self._message
        rest = self._events.end()
        return rest + message_delta(
            message.ending,
            message.usage,
            calls_tools=self._events.calls_tools,
            **raw_fields(message.reply),
        )


@attrs.define(eq=False)
class _Relayed(_Writer):
    """The provider's last event is held back: it says that the record is safe, too."""

    _held_delta: dict[str, Any] | None = attrs.field(default=None, init=False)

    def opening(self) -> bytes:
        return b""

    def words_for(self, chunk: ModelChunk) -> bytes:
        message, document = self._message, chunk.document
        if not isinstance(document, dict):
            return b""
        match document.get("type"):
            case "message_start" if isinstance(document.get("message"), dict):
                renamed = relayed_message(document["message"], message.id, message.model)
                return relayed_event({**document, "message": renamed}, None)
            case "message_stop":
                return b""
            case "message_delta" if message.wants_raw_words:
                self._held_delta = document
                return b""
            case _:
                return relayed_event(document, chunk.raw)

    def closing(self, _: Answer) -> bytes:
        if self._held_delta is None:
            return b""
        return relayed_event({**self._held_delta, **raw_fields(self._message.reply)}, None)
