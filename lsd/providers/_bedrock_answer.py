"""What a model at Bedrock answers: whole messages, and the words that streams share with them."""

from collections.abc import Mapping

from lsd.conversation import (
    AttemptFailed,
    FinishReason,
    JsonValue,
    ModelResponse,
    NotJson,
    OutputBlock,
    Text,
    Thought,
    ToolCall,
    Unknown,
    Usage,
    decode_json,
    encode_json,
)
from lsd.providers._bedrock_target import PROVIDER_TYPE, Received, Target
from lsd.providers._error_bodies import shortened
from lsd.providers._http_errors import request_id, undecodable
from lsd.providers._token_counts import count_of

_FINISH_REASONS: dict[str, FinishReason] = {
    "end_turn": "stop",
    "tool_use": "tool_call",
    "max_tokens": "length",
    "stop_sequence": "stop_sequence",
    "content_filtered": "content_filter",
    "guardrail_intervened": "content_filter",
    "model_context_window_exceeded": "length",
    "malformed_tool_use": "tool_call",
}
"""Source: API reference of Bedrock, Converse, autumn 2026."""


def read_message(target: Target, headers: Mapping[str, str], body: bytes) -> ModelResponse:
    """The response that a whole message is. Raises AttemptFailed."""
    raw = body.decode(errors="replace")
    try:
        document = decode_json(body)
    except NotJson as error:
        reason = f"found no JSON ({error}): {shortened(raw.strip())}"
        raise undecodable(PROVIDER_TYPE, reason, headers, raw) from None
    match document:
        case {"output": {"message": {"content": [*content]}}}:
            usage, raw_usage = usage_in(document)
            return ModelResponse(
                output=tuple(_block(each, target) for each in content),
                usage=usage or Usage(),
                raw_usage=raw_usage,
                finish_reason=finish_reason_of(document.get("stopReason")),
                document=document,
            )
        case dict():
            raise AttemptFailed(
                kind="server",
                text=f"{PROVIDER_TYPE} sent an answer without a message: {shortened(raw.strip())}",
                request_id=request_id(headers),
                raw_response=raw,
            )
        case _:
            reason = f"found no JSON object: {shortened(raw.strip())}"
            raise undecodable(PROVIDER_TYPE, reason, headers, raw)


def finish_reason_of(value: JsonValue) -> FinishReason | None:
    """The neutral word; None for null, `unknown` for words not known."""
    return _FINISH_REASONS.get(value, "unknown") if isinstance(value, str) and value else None


def usage_in(document: Received) -> tuple[Usage | None, Received | None]:
    """The counts in a message or event, and the object that they stand in; None without one.

    Tokens that come from the cache, or go there, are counted beside the other ones.
    """
    usage = document.get("usage")
    if not isinstance(usage, dict) or not usage:
        return None, None
    fresh = count_of(usage.get("inputTokens"))
    read = count_of(usage.get("cacheReadInputTokens"))
    written = count_of(usage.get("cacheWriteInputTokens"))
    parts = [each for each in (fresh, read, written) if each is not None]
    counts = Usage(
        input_tokens=sum(parts) if parts else None,
        output_tokens=count_of(usage.get("outputTokens")),
        provider_cache_read_input_tokens=read,
        provider_cache_write_input_tokens=written,
    )
    return counts, usage


def arguments_text(value: JsonValue) -> str:
    """The input of a tool as the text that tool calls carry."""
    return encode_json({} if value is None else value).decode()


def _block(block: JsonValue, target: Target) -> OutputBlock:
    match block:
        case {"text": str(text)}:
            return Text(text=text)
        case {"toolUse": {"toolUseId": str(identifier), "name": str(name), **more}}:
            return ToolCall(id=identifier, name=name, arguments=arguments_text(more.get("input")))
        case {"reasoningContent": {"reasoningText": {"text": str(text), **more}}}:
            signature = more.get("signature")
            return Thought(
                text=text,
                signature=signature if isinstance(signature, str) and signature else None,
                provider_type=PROVIDER_TYPE,
            )
        case {"reasoningContent": {"redactedContent": str(data)}}:
            return Thought(signature=data, provider_type=PROVIDER_TYPE)
        case _:
            return Unknown(
                data=block, model_name=target.model_name, provider_name=target.provider_name
            )
