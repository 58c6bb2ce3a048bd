"""A neutral answer as the body of a message."""

from collections.abc import Iterable, Sequence
from typing import Any

import attrs

from lsd.api.anthropic.thoughts import thought_block
from lsd.conversation import (
    FinishReason,
    JsonValue,
    LsdError,
    NotJson,
    OutputBlock,
    Text,
    Thought,
    ToolCall,
    Unknown,
    Usage,
    decode_json,
    describe_json,
)

_STOP_REASONS: dict[FinishReason, str] = {
    "stop": "end_turn",
    "stop_sequence": "stop_sequence",
    "length": "max_tokens",
    "tool_call": "tool_use",
    "content_filter": "refusal",
    "unknown": "end_turn",
}


@attrs.frozen
class UnusableCall(LsdError):
    """The model called a tool in a way that no message can hold."""

    name: str
    found: str

    def __str__(self) -> str:
        return f"tool call {self.name!r}: found {self.found} as arguments; wanted a JSON object"


@attrs.frozen(kw_only=True)
class Ending:
    """How an answer ended: the reason, and the stop sequence if the provider named one."""

    finish_reason: FinishReason | None = None
    stop_sequence: str | None = None

    def fields(self, *, calls_tools: bool) -> dict[str, Any]:
        """`stop_reason` and `stop_sequence` as a message has them."""
        reason = _STOP_REASONS[self.finish_reason or "unknown"]
        if reason == "stop_sequence" and self.stop_sequence is None:
            # Anthropic always names the sequence, so that clients count on it.
            reason = "end_turn"
        elif reason == "end_turn" and self.stop_sequence is not None:
            reason = "stop_sequence"
        if reason == "end_turn" and calls_tools:
            reason = "tool_use"
        matched = self.stop_sequence if reason == "stop_sequence" else None
        return {"stop_reason": reason, "stop_sequence": matched}


def message_body(
    message_id: str,
    model: str,
    output: Sequence[OutputBlock],
    usage: Usage,
    ending: Ending,
    *,
    keeps_unknown: bool = False,
) -> dict[str, Any]:
    """The message. `keeps_unknown`: blocks of an unknown kind are of this API's own.

    Raises UnusableCall.
    """
    content = [_block(each, keeps_unknown=keeps_unknown) for each in joined(output)]
    calls_tools = any(isinstance(each, ToolCall) for each in output)
    return {
        "id": message_id,
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": [block for block in content if block is not None],
        **ending.fields(calls_tools=calls_tools),
        "usage": usage_body(usage),
    }


def usage_body(usage: Usage) -> dict[str, Any]:
    """The four counts that are always there, 0 where unknown; input without what the cache did."""
    read = usage.provider_cache_read_input_tokens or 0
    written = usage.provider_cache_write_input_tokens or 0
    body: dict[str, Any] = {
        "input_tokens": max(0, (usage.input_tokens or 0) - read - written),
        "cache_creation_input_tokens": written,
        "cache_read_input_tokens": read,
        "output_tokens": usage.output_tokens or 0,
    }
    if usage.reasoning_tokens is not None:
        body["output_tokens_details"] = {"thinking_tokens": usage.reasoning_tokens}
    return body


def joined(output: Iterable[OutputBlock]) -> list[OutputBlock]:
    """The blocks, neighbours of one kind as one, as a stream shows them.

    A thought that carries something to be sent back stays alone.
    """
    blocks: list[OutputBlock] = []
    for block in output:
        last = blocks[-1] if blocks else None
        if isinstance(block, Text) and isinstance(last, Text):
            blocks[-1] = Text(text=last.text + block.text)
        elif isinstance(block, Thought) and isinstance(last, Thought) and not is_sealed(last):
            blocks[-1] = attrs.evolve(block, text=(last.text or "") + (block.text or ""))
        elif not isinstance(block, Text) or block.text:
            blocks.append(block)
    return blocks


def is_sealed(thought: Thought) -> bool:
    """Whether more text behind a thought would be another thought."""
    return bool(thought.signature) or thought.extra_data is not None or bool(thought.summary)


def is_own_block(data: JsonValue) -> bool:
    """Whether this is a block, and no piece of one, in the words of this API."""
    kind = data.get("type") if isinstance(data, dict) else None
    return isinstance(kind, str) and not kind.endswith("_delta")


def _block(block: OutputBlock, *, keeps_unknown: bool) -> dict[str, Any] | None:
    match block:
        case Text():
            return {"type": "text", "text": block.text}
        case Thought():
            return thought_block(block)
        case ToolCall():
            return {
                "type": "tool_use",
                "id": block.id,
                "name": block.name,
                "input": _arguments(block),
            }
        case Unknown(data=data) if keeps_unknown and is_own_block(data):
            return dict(data)
        case _:
            return None  # of another provider's own kind


def _arguments(call: ToolCall) -> dict[str, Any]:
    if not call.arguments.strip():
        return {}
    try:
        value = decode_json(call.arguments)
    except NotJson:
        raise UnusableCall(call.name, "no JSON") from None
    if not isinstance(value, dict):
        raise UnusableCall(call.name, describe_json(value))
    return value
