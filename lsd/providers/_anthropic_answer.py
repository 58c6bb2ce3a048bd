"""What Claude answers: whole messages, and the words that streams share with them."""

from collections.abc import Mapping

from lsd.conversation import (
    AttemptFailed,
    FinishReason,
    JsonValue,
    ModelResponse,
    OutputBlock,
    Text,
    Thought,
    ToolCall,
    Unknown,
    Usage,
    encode_json,
)
from lsd.providers._anthropic_target import Received, Target
from lsd.providers._error_bodies import shortened
from lsd.providers._http_errors import failed_inside, object_in, undecodable
from lsd.providers._token_counts import count_of

_FINISH_REASONS: dict[str, FinishReason] = {
    "end_turn": "stop",
    "max_tokens": "length",
    "stop_sequence": "stop_sequence",
    "tool_use": "tool_call",
    "refusal": "content_filter",
    "model_context_window_exceeded": "length",
}

_STATUSES = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "api_error": 500,
    "timeout_error": 504,
    "overloaded_error": 529,
}
"""The HTTP statuses for which the types of errors stand. Source: Anthropic's page on errors,
autumn 2026."""


def read_message(target: Target, headers: Mapping[str, str], body: bytes) -> ModelResponse:
    """The response that a whole message is. Raises AttemptFailed."""
    raw = body.decode(errors="replace")
    message = object_in(target.provider_type, headers, body)
    content = message.get("content")
    if not isinstance(content, list):
        if message.get("error"):
            raise reported_error(target, message, headers, raw)
        reason = f"found no list of content: {shortened(raw.strip())}"
        raise undecodable(target.provider_type, reason, headers, raw)
    usage, raw_usage = usage_in(message)
    return ModelResponse(
        output=tuple(_block(each, target) for each in content),
        usage=usage or Usage(),
        raw_usage=raw_usage,
        finish_reason=finish_reason_of(message.get("stop_reason")),
        stop_sequence=stop_sequence_of(message),
        document=message,
    )


def read_token_count(target: Target, headers: Mapping[str, str], body: bytes) -> int:
    """The number of tokens that a request would have. Raises AttemptFailed."""
    raw = body.decode(errors="replace")
    count = count_of(object_in(target.provider_type, headers, body).get("input_tokens"))
    if count is None:
        reason = f"found no number of input_tokens: {shortened(raw.strip())}"
        raise undecodable(target.provider_type, reason, headers, raw)
    return count


def finish_reason_of(value: JsonValue) -> FinishReason | None:
    """The neutral word; None for null, `unknown` for words not known."""
    return _FINISH_REASONS.get(value, "unknown") if isinstance(value, str) and value else None


def stop_sequence_of(message: Received) -> str | None:
    """The sequence that ended a message, from it or from the delta that ends it."""
    found = message.get("stop_sequence")
    return found if isinstance(found, str) else None


def usage_in(document: Received) -> tuple[Usage | None, Received | None]:
    """The counts in a message or event, and the object that they stand in; None without one.

    Claude counts tokens that come from its cache, or go there, beside the other ones.
    """
    usage = document.get("usage")
    if not isinstance(usage, dict) or not usage:
        return None, None
    fresh = count_of(usage.get("input_tokens"))
    read = count_of(usage.get("cache_read_input_tokens"))
    written = count_of(usage.get("cache_creation_input_tokens"))
    details = usage.get("output_tokens_details")
    parts = [each for each in (fresh, read, written) if each is not None]
    counts = Usage(
        input_tokens=sum(parts) if parts else None,
        output_tokens=count_of(usage.get("output_tokens")),
        provider_cache_read_input_tokens=read,
        provider_cache_write_input_tokens=written,
        reasoning_tokens=count_of(details.get("thinking_tokens"))
        if isinstance(details, dict)
        else None,
    )
    return counts, usage


def reported_error(
    target: Target, document: JsonValue, headers: Mapping[str, str], raw: str
) -> AttemptFailed:
    """The failure that an error in a good answer, or in an event, stands for.

    Types of errors that are not known are nobody's bad luck: trying again would not help.
    """
    failure = failed_inside(target.provider_type, document, headers, raw, _STATUSES)
    if failure.status is None and failure.kind == "server":
        failure.kind = "client_fault"
    return failure


def arguments_text(value: JsonValue) -> str:
    """The input of a tool as the text that tool calls carry."""
    return encode_json({} if value is None else value).decode()


def _block(block: JsonValue, target: Target) -> OutputBlock:
    match block:
        case {"type": "text", "text": str(text)}:
            return Text(text=text)
        case {"type": "tool_use", "id": str(identifier), "name": str(name)}:
            arguments = arguments_text(block.get("input"))
            return ToolCall(id=identifier, name=name, arguments=arguments)
        case {"type": "thinking", "thinking": str(text)}:
            signature = block.get("signature")
            return Thought(
                text=text,
                signature=signature if isinstance(signature, str) and signature else None,
                provider_type=target.provider_type,
            )
        case {"type": "redacted_thinking", "data": str(data)}:
            return Thought(signature=data, provider_type=target.provider_type)
        case _:
            return Unknown(
                data=block, model_name=target.model_name, provider_name=target.provider_name
            )
