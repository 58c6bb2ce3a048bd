"""What the items of a response say, as content chunks: whole ones, and the ends of streamed ones.

A chunk's id tells where it stands: of a text the places of its item and of its part, of a thought
the place of its item. So a whole answer and a stream are put together alike.
"""

from collections.abc import Callable, Iterator
from typing import Any

import attrs

from lsd.conversation import (
    ContentChunk,
    FinishReason,
    JsonValue,
    LsdError,
    TextChunk,
    ThoughtChunk,
    ToolCallChunk,
    UnknownChunk,
    Usage,
)
from lsd.providers._openai_family import Received, Target
from lsd.providers._token_counts import count_in, count_of
from lsd.providers._tool_call_slots import BadToolCall, arguments_text

CALL_TYPES = {"function_call": "arguments", "custom_tool_call": "input"}
"""The items that call a tool, and where in them its arguments are."""

_INCOMPLETE: dict[str, FinishReason] = {
    "max_output_tokens": "length",
    "content_filter": "content_filter",
}


@attrs.frozen
class BadItem(LsdError):
    """An item of a response, or an event about one, that cannot be understood."""

    reason: str

    def __str__(self) -> str:
        return self.reason


def item_content(
    item: JsonValue, place: int, target: Target, new_id: Callable[[], str]
) -> list[ContentChunk]:
    """All that one item says. Raises BadItem."""
    if not isinstance(item, dict):
        raise BadItem("found an item of the output that is no object")
    kind = item.get("type")
    if kind == "message":
        return list(_message(item, place, target))
    if kind == "reasoning":
        return list(_reasoning(item, place, target))
    if isinstance(kind, str) and kind in CALL_TYPES:
        chunk = call_chunk(item, new_id)
        chunk.raw_arguments = arguments_of(item)
        return [chunk]
    return [unknown_chunk(str(place), item, target)]


def call_chunk(item: Received, new_id: Callable[[], str]) -> ToolCallChunk:
    """The beginning of a tool call. Raises BadItem for one without a name."""
    name = item.get("name")
    if not isinstance(name, str) or not name:
        raise BadItem("found a tool call without a name")
    given = item.get("call_id") or item.get("id")
    return ToolCallChunk(id=given if isinstance(given, str) and given else new_id(), raw_name=name)


def arguments_of(item: Received) -> str:
    """The arguments of a whole tool call, as text. Raises BadItem."""
    try:
        return arguments_text(item.get(CALL_TYPES[item["type"]]))
    except BadToolCall as error:
        raise BadItem(str(error)) from error


def unknown_chunk(identifier: str, data: JsonValue, target: Target) -> UnknownChunk:
    """Something that only this provider understands, to be sent back as it is."""
    return UnknownChunk(
        id=identifier,
        data=data,
        model_name=target.model_name,
        provider_name=target.provider_name,
    )


def signature_chunk(item: Received, place: int, target: Target) -> ThoughtChunk | None:
    """What a reasoning item is recognised by later; None if it has nothing of the kind."""
    sealed = item.get("encrypted_content")
    if not isinstance(sealed, str) or not sealed:
        return None
    return ThoughtChunk(id=str(place), signature=sealed, provider_type=target.provider_type)


def finish_reason_of(response: Received, *, has_calls: bool) -> FinishReason:
    """Why the answer ended: for a stated reason, to call a tool, or because all was said."""
    details = response.get("incomplete_details")
    reason = details.get("reason") if isinstance(details, dict) else None
    if reason is not None:
        return _INCOMPLETE.get(reason, "unknown") if isinstance(reason, str) else "unknown"
    return "tool_call" if has_calls else "stop"


def usage_of(response: Received) -> tuple[Usage | None, Received | None]:
    """The counts of a response, and the object that they stand in; None without one."""
    usage = response.get("usage")
    if not isinstance(usage, dict) or not usage:
        return None, None
    read = Usage(
        input_tokens=count_of(usage.get("input_tokens")),
        output_tokens=count_of(usage.get("output_tokens")),
        provider_cache_read_input_tokens=count_in(
            usage.get("input_tokens_details"), "cached_tokens"
        ),
        reasoning_tokens=count_in(usage.get("output_tokens_details"), "reasoning_tokens"),
    )
    return read, usage


def _message(item: Received, place: int, target: Target) -> Iterator[ContentChunk]:
    if item.get("role", "assistant") != "assistant":
        raise BadItem(f"found a message of role {item['role']!r} in the output")
    for part_place, part in enumerate(_objects(item.get("content"))):
        said = part.get("text") if part.get("type") == "output_text" else part.get("refusal")
        if part.get("type") not in ("output_text", "refusal"):
            yield unknown_chunk(f"{place}.{part_place}", part, target)
        elif isinstance(said, str) and said:
            yield TextChunk(id=f"{place}.{part_place}", text=said)


def _reasoning(item: Received, place: int, target: Target) -> Iterator[ContentChunk]:
    def chunk(**fields: Any) -> ThoughtChunk:
        return ThoughtChunk(id=str(place), provider_type=target.provider_type, **fields)

    for summary_place, summary in enumerate(_objects(item.get("summary"))):
        if isinstance(summary.get("text"), str):
            yield chunk(summary_id=str(summary_place), summary_text=summary["text"])
    for part in _objects(item.get("content")):
        if isinstance(part.get("text"), str) and part["text"]:
            yield chunk(text=part["text"])
    signature = signature_chunk(item, place, target)
    if signature is not None:
        yield signature


def _objects(value: JsonValue) -> list[dict[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []
