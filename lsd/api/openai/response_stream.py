"""A streamed response: the events of each of its items, whichever provider they come from."""

from collections.abc import Sequence

import attrs

from lsd.api.compat.failures import trouble_of_failure
from lsd.api.compat.lane_errors import openai_error
from lsd.api.openai.call_pieces import CallPiece, CallPieces
from lsd.api.openai.chat_answer import custom_names
from lsd.api.openai.open_items import OpenCall, OpenItem, OpenMessage, OpenThought
from lsd.api.openai.response_events import ResponseEvents
from lsd.api.openai.response_items import Item, Status
from lsd.api.openai.response_object import ResponseObject
from lsd.conversation import (
    ContentChunk,
    StreamEvent,
    StreamFault,
    TextChunk,
    ThoughtChunk,
    ToolCallChunk,
)
from lsd.inference import Answer


@attrs.define(eq=False)
class ResponseStream:
    """Writes the events of one answer.

    Of messages and thoughts the last one is open. Calls stay open to the end, as the pieces of
    several may come in any order. Clients take a stream without a last event for a broken one.
    """

    is_broken_off: bool = attrs.field(default=False, init=False)
    end_mark: bytes = attrs.field(default=b"", init=False)
    _response: ResponseObject
    _events: ResponseEvents = attrs.field(factory=ResponseEvents, init=False)
    _calls: CallPieces = attrs.field(init=False)
    _open: OpenMessage | OpenThought | None = attrs.field(default=None, init=False)
    _open_calls: list[OpenCall] = attrs.field(factory=list, init=False)
    _count: int = attrs.field(default=0, init=False)
    """How many items have begun."""
    _ended: dict[int, Item] = attrs.field(factory=dict, init=False)

    def __attrs_post_init__(self) -> None:
        self._calls = CallPieces(custom_names(self._response.reply.call.request))

    @property
    def keep_alive(self) -> bytes:
        self._events.tell("keepalive")
        return self._events.take()

    def opening(self) -> bytes:
        begun = self._response.begun()
        self._events.tell("response.created", response=begun)
        self._events.tell("response.in_progress", response=begun)
        return self._events.take()

    def events(self, events: Sequence[StreamEvent]) -> bytes:
        for event in events:
            if isinstance(event, StreamFault):
                self._break_off(event)
                break
            for chunk in event.content:
                self._take(chunk)
        return self._events.take()

    def closing(self, answer: Answer) -> bytes:  # noqa: ARG002 (the call tells all of it)
        self._say_calls(self._calls.end())
        last = self._response.last_status
        for item in (self._open, *self._open_calls):
            if item is not None:
                self._end(item, last if item.place == self._count - 1 else "completed")
        told = self._events.take()
        response = self._response.ended(self._output())
        self._events.tell(f"response.{response['status']}", response=response)
        self.end_mark = self._events.take()
        return told

    def _take(self, chunk: ContentChunk) -> None:
        match chunk:
            case TextChunk(text=""):
                pass
            case TextChunk():
                self._message().say(chunk)
            case ThoughtChunk():
                self._thought(chunk.id).say(chunk)
            case ToolCallChunk():
                self._say_calls(self._calls.add(chunk, {}))
            case _:
                pass  # of another provider's own kind

    def _message(self) -> OpenMessage:
        if isinstance(self._open, OpenMessage):
            return self._open
        self._say_calls(self._calls.flush())
        self._close()
        message = OpenMessage(
            events=self._events, answer=self._response.answer, place=self._next_place()
        )
        message.begin()
        self._open = message
        return message

    def _thought(self, chunk_id: str) -> OpenThought:
        if isinstance(self._open, OpenThought) and self._open.chunk_id == chunk_id:
            return self._open
        self._say_calls(self._calls.flush())
        self._close()
        thought = OpenThought(
            events=self._events,
            answer=self._response.answer,
            place=self._next_place(),
            chunk_id=chunk_id,
        )
        thought.begin()
        self._open = thought
        return thought

    def _say_calls(self, pieces: Sequence[CallPiece]) -> None:
        for piece in pieces:
            if piece.text is None:
                self._begin_call(piece)
            else:
                self._open_calls[piece.call.index].say(piece.text)

    def _begin_call(self, piece: CallPiece) -> None:
        self._close()
        call = OpenCall(
            events=self._events,
            answer=self._response.answer,
            place=self._next_place(),
            call_id=piece.call.id,
            name=piece.call.name,
            is_custom=piece.call.is_custom,
        )
        call.begin()
        self._open_calls.append(call)

    def _next_place(self) -> int:
        self._count += 1
        return self._count - 1

    def _close(self) -> None:
        if self._open is not None:
            self._end(self._open, "completed")
            self._open = None

    def _end(self, item: OpenItem, status: Status) -> None:
        self._ended[item.place] = item.end(status)

    def _output(self) -> list[Item]:
        return [self._ended[place] for place in sorted(self._ended)]

    def _break_off(self, fault: StreamFault) -> None:
        """The last event of a stream whose provider has failed in the middle."""
        self.is_broken_off = True
        trouble = trouble_of_failure(self._response.reply.call.provider_name, fault.failure)
        error = openai_error(trouble, trouble.message)
        code = error["code"] or error["type"]
        response = self._response.failed(self._output(), code, error["message"])
        self._events.tell("response.failed", response=response)
