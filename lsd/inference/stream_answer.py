"""A streamed answer on its way to the caller: provider chunks in, server-sent events out."""

from collections.abc import Sequence
from typing import Any, ClassVar, assert_never

import attrs

from lsd.conversation import (
    ContentChunk,
    ModelChunk,
    StreamEvent,
    StreamFault,
    TextChunk,
    ThoughtChunk,
    ToolCallChunk,
    UnknownChunk,
    encode_json,
)
from lsd.inference.accept import Accepted
from lsd.inference.answers import Answer, calls_of_others, usage_json
from lsd.inference.journal import ModelCall, raw_responses, raw_usages, succeeded
from lsd.inference.masking import masked
from lsd.inference.outputs import output_to_json
from lsd.inference.run import Run
from lsd.inference.started_answer import StartedAnswer

END_OF_STREAM = b"data: [DONE]\n\n"
KEEP_ALIVE = b": keep-alive\n\n"

_NO_FIELDS: dict[str, Any] = {}


@attrs.define(eq=False)
class StreamAnswer:
    """Writes the events of one answer; errors are told, and read past.

    Usage and finish reason are taken off the provider's chunks and told once, at the end. Chunks
    that arrive together leave together.
    """

    keep_alive: ClassVar[bytes] = KEEP_ALIVE
    end_mark: ClassVar[bytes] = END_OF_STREAM
    is_broken_off: ClassVar[bool] = False
    _run: Run
    _accepted: Accepted
    _started: StartedAnswer
    _call: ModelCall | None = attrs.field(init=False)
    _head: bytes = attrs.field(init=False)
    _is_json: bool = attrs.field(init=False)
    _shows_raw: bool = attrs.field(init=False)
    """Whether the caller wants anything as it came from the provider."""

    def __attrs_post_init__(self) -> None:
        self._call = self._started.call
        ids = {
            "inference_id": self._run.inference_id,
            "episode_id": self._run.episode_id,
            "variant_name": self._started.variant_name,
        }
        self._is_json = self._accepted.function.config.type == "json"
        request = self._accepted.request
        self._shows_raw = (
            request.include_raw_response
            or request.include_original_response
            or request.include_raw_usage
        )
        field = b',"raw":' if self._is_json else b',"content":'
        self._head = b"data: " + encode_json(ids)[:-1] + field

    def opening(self) -> bytes:
        """What stands before the first content, for those who want to see what came before it.

        Raw bodies of variants that had failed, of failed attempts and of the other calls that are
        part of the answer, with the usage that these have reported.
        """
        request = self._accepted.request
        before = self._started.preceding
        parts = succeeded(before)
        shown: list[dict[str, Any]] = []
        if request.include_raw_response:
            others = calls_of_others(self._run, self._started.variant_name)
            shown.append({"raw_response": raw_responses(others)})
        if request.include_raw_usage:
            shown.append({"raw_usage": raw_usages(parts)})
        if request.include_raw_response:
            failed = [call for call in before if call.status == "error"]
            shown += [{"raw_response": raw_responses(calls)} for calls in (failed, parts)]
        return b"".join(self._event([], each) for each in shown if any(each.values()))

    def events(self, events: Sequence[StreamEvent]) -> bytes:
        """The caller's events for what has arrived together; often fewer, perhaps none."""
        return b"".join(
            [
                self._fault(event) if isinstance(event, StreamFault) else self._chunk(event)
                for event in events
            ]
        )

    def closing(self, answer: Answer) -> bytes:
        """The final chunk, without the end mark."""
        extra: dict[str, Any] = {"usage": usage_json(answer.parts)}
        if answer.finish_reason is not None:
            extra["finish_reason"] = answer.finish_reason
        if self._accepted.request.include_aggregated_response:
            extra["aggregated_response"] = output_to_json(answer.output)
        return self._event([], extra)

    def _chunk(self, chunk: ModelChunk) -> bytes:
        extra = self._raw_fields(chunk) if self._shows_raw else _NO_FIELDS
        content = chunk.content
        if self._is_json:
            # Thoughts and the names of tools are collected, and not shown.
            content = [each for each in content if _json_piece(each)]
        elif self._started.calls_as_text:
            content = [each for each in content if not _is_bare_call(each)]
        return self._event(content, extra) if content or extra else b""

    def _raw_fields(self, chunk: ModelChunk) -> dict[str, Any]:
        request, call = self._accepted.request, self._call
        fields: dict[str, Any] = {}
        if call is not None and not call.cached:
            if request.include_raw_response and chunk.raw:
                fields["raw_chunk"] = masked(chunk.raw, call.echoed)
            if request.include_original_response and chunk.raw:
                fields["original_chunk"] = masked(chunk.raw, call.echoed)
            if request.include_raw_usage and chunk.raw_usage is not None:
                fields["raw_usage"] = [call.raw_usage_entry(chunk.raw_usage)]
        return fields

    def _event(self, content: Sequence[ContentChunk], extra: dict[str, Any]) -> bytes:
        if self._is_json:
            body = encode_json("".join(_json_piece(each) for each in content))
        else:
            body = encode_json(
                [
                    {"type": "text", "id": each.id, "text": each.text}
                    if isinstance(each, TextChunk)
                    else self._shown(each)
                    for each in content
                ]
            )
        if extra:
            return self._head + body + b"," + encode_json(extra)[1:] + b"\n\n"
        return self._head + body + b"}\n\n"

    def _shown(self, chunk: ToolCallChunk | ThoughtChunk | UnknownChunk) -> dict[str, Any]:
        match chunk:
            case ToolCallChunk() if self._started.calls_as_text:
                return {"type": "text", "id": chunk.id, "text": chunk.raw_arguments}
            case ToolCallChunk():
                return {
                    "type": "tool_call",
                    "id": chunk.id,
                    "raw_name": chunk.raw_name,
                    "raw_arguments": chunk.raw_arguments,
                }
            case ThoughtChunk():
                return _thought(chunk)
            case UnknownChunk():
                return _unknown(chunk)
            case never:
                assert_never(never)

    def _fault(self, fault: StreamFault) -> bytes:
        event: dict[str, Any] = {"error": str(fault.failure)}
        if self._accepted.request.include_raw_response and fault.raw is not None:
            event["raw_chunk"] = fault.raw
        return b"data: " + encode_json(event) + b"\n\n"


def _json_piece(chunk: ContentChunk) -> str:
    if isinstance(chunk, TextChunk):
        return chunk.text
    return chunk.raw_arguments if isinstance(chunk, ToolCallChunk) else ""


def _is_bare_call(chunk: ContentChunk) -> bool:
    """Whether a piece of a call has no arguments, and so nothing to show as text."""
    return isinstance(chunk, ToolCallChunk) and not chunk.raw_arguments


def _thought(chunk: ThoughtChunk) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "type": "thought",
        "id": chunk.id,
        "text": chunk.text,
        "signature": chunk.signature,
        "summary_id": chunk.summary_id,
        "summary_text": chunk.summary_text,
    }
    if chunk.provider_type is not None:
        shown["provider_type"] = chunk.provider_type
    if chunk.extra_data is not None:
        shown["extra_data"] = chunk.extra_data
    return shown


def _unknown(chunk: UnknownChunk) -> dict[str, Any]:
    shown: dict[str, Any] = {"type": "unknown", "id": chunk.id, "data": chunk.data}
    if chunk.model_name is not None:
        shown["model_name"] = chunk.model_name
    if chunk.provider_name is not None:
        shown["provider_name"] = chunk.provider_name
    return shown
