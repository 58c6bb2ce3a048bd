"""A streamed chat completion: one sequence of chunks, whichever provider it comes from."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import attrs

from lsd.api.compat.lane_errors import LaneErrors
from lsd.api.compat.raw_fields import raw_fields
from lsd.api.openai.call_pieces import CallPiece, CallPieces
from lsd.api.openai.chat_answer import (
    OWN_CHOICE_FIELDS,
    OWN_FIELDS,
    OWN_MESSAGE_FIELDS,
    PLAIN_MESSAGE_FIELDS,
    custom_names,
    extras,
    finish_reason,
    head,
    object_in,
    own_choice,
)
from lsd.api.openai.reasoning_deltas import ReasoningDeltas
from lsd.api.openai.thoughts import signed_call
from lsd.api.openai.tool_call_deltas import delta_of
from lsd.api.openai.usage import usage_json
from lsd.conversation import (
    ModelChunk,
    StreamEvent,
    StreamFault,
    TextChunk,
    ThoughtChunk,
    ToolCallChunk,
    encode_json,
)
from lsd.inference import Answer, Reply

END_OF_STREAM = b"data: [DONE]\n\n"

_ERRORS = LaneErrors("openai")

_CALL_FIELDS = frozenset({"index", "id", "type", "function", "custom"})

_Fields = dict[str, Any]


@attrs.define(eq=False, kw_only=True)
class ChatStream:
    """Writes the chunks of one answer; `model` is what the client had asked for.

    Clients join the texts and add up the numbers of all deltas, so that each says only what is
    new. Fields of a provider of OpenAI's kind that LSD does not know are kept.
    """

    end_mark: ClassVar[bytes] = END_OF_STREAM
    is_broken_off: bool = attrs.field(default=False, init=False)
    _reply: Reply
    _model: str
    _include_usage: bool
    _head: bytes = attrs.field(default=b"", init=False)
    _tail: bytes = attrs.field(init=False)
    _has_role: bool = attrs.field(default=False, init=False)
    _reasoning: ReasoningDeltas = attrs.field(factory=ReasoningDeltas, init=False)
    _calls: CallPieces = attrs.field(init=False)
    _call_extras: _Fields = attrs.field(factory=dict, init=False)
    """What belongs to the call that comes next: the signature of its thought."""
    _top: _Fields = attrs.field(factory=dict, init=False)
    _beside: _Fields = attrs.field(factory=dict, init=False)
    """Fields of chunks and of their choices that wait for the next chunk."""

    def __attrs_post_init__(self) -> None:
        self._calls = CallPieces(custom_names(self._reply.call.request))
        usage = b',"usage":null' if self._include_usage else b""
        self._tail = b',"logprobs":null,"finish_reason":null}]' + usage + b"}\n\n"

    @property
    def keep_alive(self) -> bytes:
        if self._has_role:
            return self._frame({})
        frames: list[bytes] = []
        self._say_role({}, frames)
        return b"".join(frames)

    def opening(self) -> bytes:
        return b""

    def events(self, events: Sequence[StreamEvent]) -> bytes:
        frames: list[bytes] = []
        for event in events:
            if isinstance(event, StreamFault):
                frames.append(self._break_off(event))
                break
            self._take(event, frames)
        return b"".join(frames)

    def closing(self, answer: Answer) -> bytes:  # noqa: ARG002 (the call tells all of it)
        call = self._reply.call
        frames: list[bytes] = []
        self._say_calls(self._calls.end(), frames)
        if not self._has_role:
            self._say_role({}, frames)
        usage = usage_json(call) if self._include_usage else None
        raw = raw_fields(self._reply)
        last = {} if usage is not None else raw
        frames.append(self._whole_frame({}, {"finish_reason": finish_reason(call)}, last))
        if usage is not None:
            frames.append(self._closing_frame({"choices": [], "usage": usage, **raw}))
        return b"".join(frames)

    def _take(self, chunk: ModelChunk, frames: list[bytes]) -> None:
        document = chunk.document if self._reply.call.is_relayed else None
        if not self._head:
            self._set_head(object_in(document))
        if type(document) is dict:
            choice = own_choice(document)
            own = object_in(choice.get("delta") or choice.get("message"))
            delta = self._delta(chunk, own, frames)
            self._take_extras(document, choice, own, delta)
        else:
            delta = self._delta(chunk, {}, frames)
        if delta:
            self._say(delta, frames)

    def _take_extras(
        self,
        document: Mapping[str, Any],
        choice: Mapping[str, Any],
        own: Mapping[str, Any],
        delta: _Fields,
    ) -> None:
        """What a provider of OpenAI's kind says beside what everybody says: mostly nothing."""
        if not document.keys() <= OWN_FIELDS:
            self._top.update(extras(document, OWN_FIELDS))
        if not choice.keys() <= OWN_CHOICE_FIELDS:
            self._beside.update(extras(choice, OWN_CHOICE_FIELDS))
        if choice.get("logprobs") is not None:
            self._beside["logprobs"] = choice["logprobs"]
        if not own.keys() <= OWN_MESSAGE_FIELDS:
            delta.update(_sound(extras(own, OWN_MESSAGE_FIELDS)))

    def _delta(self, chunk: ModelChunk, own: Mapping[str, Any], frames: list[bytes]) -> _Fields:
        """What a chunk adds, but for its tool calls, which have frames of their own."""
        delta: _Fields = {}
        said, has_own_details = "content", False
        if not own.keys() <= PLAIN_MESSAGE_FIELDS:
            if own.get("refusal") and isinstance(own["refusal"], str):
                said = "refusal"
            has_own_details = bool(own.get("reasoning_details"))
        for piece in chunk.content:
            match piece:
                case TextChunk():
                    if piece.text:
                        delta[said] = delta[said] + piece.text if said in delta else piece.text
                case ThoughtChunk():
                    self._reasoning.add(piece, delta, with_details=not has_own_details)
                    self._call_extras = signed_call(piece.provider_type, piece.signature)
                case ToolCallChunk() if "function_call" in own:
                    pass  # who asks in the legacy way is answered in it
                case ToolCallChunk():
                    if delta:
                        self._say(delta, frames)
                        delta = {}
                    self._say_call(piece, own, frames)
                case _:
                    pass  # of another provider's own kind
        if has_own_details:
            delta["reasoning_details"] = _indexed(own["reasoning_details"])
        return delta

    def _say_call(self, piece: ToolCallChunk, own: Mapping[str, Any], frames: list[bytes]) -> None:
        further = {**self._call_extras, **_extras_of_call(own, piece.id)}
        self._call_extras = {}
        self._say_calls(self._calls.add(piece, further), frames)

    def _say_calls(self, pieces: Sequence[CallPiece], frames: list[bytes]) -> None:
        for piece in pieces:
            self._say({"tool_calls": [delta_of(piece)]}, frames)

    def _say(self, delta: _Fields, frames: list[bytes]) -> None:
        if self._calls.unnamed is not None and "tool_calls" not in delta:
            self._say_calls(self._calls.flush(), frames)
        if not self._has_role:
            self._say_role(delta, frames)
        if self._top or self._beside:
            frames.append(self._whole_frame(delta, {}, {}))
        else:
            frames.append(self._frame(delta))

    def _say_role(self, delta: _Fields, frames: list[bytes]) -> None:
        """The first chunk; clients join the roles of all chunks, so that there is but one."""
        self._has_role = True
        content = "" if "content" in delta else None
        frames.append(self._frame({"role": "assistant", "content": content, "refusal": None}))

    def _break_off(self, fault: StreamFault) -> bytes:
        self.is_broken_off = True
        reply = self._reply
        return _ERRORS.broken_off(reply.call.provider_name, fault.failure, reply.run.inference_id)

    def _set_head(self, document: Mapping[str, Any]) -> None:
        """What is the same in all chunks, as soon as the provider has said its part of it."""
        shown = head(self._reply, self._model, "chat.completion.chunk", document)
        self._head = b"data: " + encode_json(shown)[:-1]

    def _frame(self, delta: _Fields) -> bytes:
        if not self._head:
            self._set_head({})
        return self._head + b',"choices":[{"index":0,"delta":' + encode_json(delta) + self._tail

    def _whole_frame(self, delta: _Fields, choice: _Fields, top: _Fields) -> bytes:
        """A chunk that says more than its delta, and all that has waited for it."""
        beside, self._beside = self._beside, {}
        waiting, self._top = self._top, {}
        logprobs = beside.pop("logprobs", None)
        shown = {"index": 0, "delta": delta, "logprobs": logprobs, "finish_reason": None}
        usage: _Fields = {"usage": None} if self._include_usage else {}
        return self._closing_frame(
            {**waiting, "choices": [{**shown, **beside, **choice}], **usage, **top}
        )

    def _closing_frame(self, fields: _Fields) -> bytes:
        if not self._head:
            self._set_head({})
        return self._head + b"," + encode_json(fields)[1:] + b"\n\n"


def _extras_of_call(own: Mapping[str, Any], identifier: str) -> _Fields:
    """What a provider of OpenAI's kind says of a call beside what everybody says."""
    calls = own.get("tool_calls")
    for call in calls if isinstance(calls, list) else ():
        if isinstance(call, dict) and call.get("id") in (identifier, None):
            further = extras(call, _CALL_FIELDS)
            if further:
                return further
    return {}


def _sound(fields: _Fields) -> _Fields:
    """The fields that clients can put together again: they add up numbers, and join texts."""
    return {
        name: _indexed(value) if isinstance(value, list) else value
        for name, value in fields.items()
        if isinstance(value, str | dict | list)
    }


def _indexed(items: Any) -> Any:
    """Objects in arrays of a delta must say at which place they stand."""
    return [
        {"index": place, **item} if isinstance(item, dict) else item
        for place, item in enumerate(items if isinstance(items, list) else [items])
    ]
