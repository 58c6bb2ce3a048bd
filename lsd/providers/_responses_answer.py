"""A whole response of OpenAI's Responses API, read into one chunk."""

from collections.abc import Mapping

from lsd.conversation import ContentChunk, ModelChunk, ToolCallChunk
from lsd.providers._error_bodies import shortened
from lsd.providers._http_errors import failed_inside, object_in, undecodable
from lsd.providers._openai_family import Received, Target
from lsd.providers._responses_items import BadItem, finish_reason_of, item_content, usage_of
from lsd.providers.tool_call_ids import new_tool_call_id

_UNDER_WAY = ("queued", "in_progress", "cancelled")
"""Of responses that are made in the background, which nobody here comes back for."""


def read_response(target: Target, headers: Mapping[str, str], body: bytes) -> ModelChunk:
    """The chunk that holds all of a response. Raises AttemptFailed."""
    raw = body.decode(errors="replace")
    document = object_in(target.provider_type, headers, body)
    if document.get("error") or document.get("status") == "failed":
        raise failed_inside(target.provider_type, document, headers, raw)
    try:
        content = _content_of(document, target, raw)
    except BadItem as bad:
        raise undecodable(target.provider_type, str(bad), headers, raw) from bad
    usage, raw_usage = usage_of(document)
    has_calls = any(isinstance(chunk, ToolCallChunk) for chunk in content)
    return ModelChunk(
        content=content,
        usage=usage,
        raw_usage=raw_usage,
        finish_reason=finish_reason_of(document, has_calls=has_calls),
        raw=raw,
        document=document,
    )


def _content_of(document: Received, target: Target, raw: str) -> list[ContentChunk]:
    if document.get("status") in _UNDER_WAY:
        raise BadItem(f"found a response that is {document['status']}; wanted a completed one")
    output = document.get("output")
    if not isinstance(output, list):
        raise BadItem(f"found no array of output: {shortened(raw.strip())}")
    return [
        chunk
        for place, item in enumerate(output)
        for chunk in item_content(item, place, target, lambda: new_tool_call_id(target.random))
    ]
