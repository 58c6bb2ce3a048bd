"""What Gemini answers: whole answers, and the words that streams share with them."""

from collections.abc import Mapping

from lsd.conversation import (
    AttemptFailed,
    FailureKind,
    FinishReason,
    JsonValue,
    ModelResponse,
    NotJson,
    Usage,
    decode_json,
)
from lsd.providers._error_bodies import shortened
from lsd.providers._gemini_parts import PartReader
from lsd.providers._gemini_target import Received, Target
from lsd.providers._http_errors import failed_inside, request_id, undecodable
from lsd.providers._token_counts import count_of

_FINISH_REASONS: dict[str, FinishReason] = {
    "STOP": "stop",
    "MAX_TOKENS": "length",
    "SAFETY": "content_filter",
    "BLOCKLIST": "content_filter",
    "PROHIBITED_CONTENT": "content_filter",
    "SPII": "content_filter",
    "IMAGE_SAFETY": "content_filter",
    "IMAGE_PROHIBITED_CONTENT": "content_filter",
    "RECITATION": "content_filter",
    "IMAGE_RECITATION": "content_filter",
    "MALFORMED_FUNCTION_CALL": "tool_call",
    "UNEXPECTED_TOOL_CALL": "tool_call",
}

_STATUSES = {
    "INVALID_ARGUMENT": 400,
    "FAILED_PRECONDITION": 400,
    "UNAUTHENTICATED": 401,
    "PERMISSION_DENIED": 403,
    "NOT_FOUND": 404,
    "RESOURCE_EXHAUSTED": 429,
    "CANCELLED": 499,
    "INTERNAL": 500,
    "UNAVAILABLE": 503,
    "DEADLINE_EXCEEDED": 504,
}
"""The HTTP statuses for which the words in errors stand. Source: google.rpc.Code."""

_COUNTS = (
    "promptTokenCount",
    "toolUsePromptTokenCount",
    "candidatesTokenCount",
    "thoughtsTokenCount",
    "cachedContentTokenCount",
    "totalTokenCount",
)


def read_answer(target: Target, headers: Mapping[str, str], body: bytes) -> ModelResponse:
    """The response that a whole answer is. Raises AttemptFailed."""
    raw = body.decode(errors="replace")
    document = _object_in(target, headers, body, raw)
    candidate = first_candidate(document)
    if candidate is None:
        raise nothing_answered(target, document, headers, raw)
    usage = document.get("usageMetadata")
    if not isinstance(usage, dict) and not target.may_lack_usage:
        raise undecodable(target.provider_type, "found no usageMetadata", headers, raw)
    reader = PartReader(target)
    return ModelResponse(
        output=tuple(block for part in parts_of(candidate) for block in reader.blocks(part)),
        usage=usage_in(usage) if isinstance(usage, dict) else Usage(),
        raw_usage=usage,
        finish_reason=finish_reason_of(candidate.get("finishReason")),
        document=document,
    )


def first_candidate(document: Received) -> Received | None:
    """What was answered; only one answer is ever asked for."""
    candidates = document.get("candidates")
    if isinstance(candidates, list) and candidates and isinstance(candidates[0], dict):
        return candidates[0]
    return None


def parts_of(candidate: Received) -> list[JsonValue]:
    """What the answer is made of; a refused one has nothing."""
    content = candidate.get("content")
    parts = content.get("parts") if isinstance(content, dict) else None
    return parts if isinstance(parts, list) else []


def finish_reason_of(value: JsonValue) -> FinishReason | None:
    """The neutral word; None for null, `unknown` for words not known."""
    return _FINISH_REASONS.get(value, "unknown") if isinstance(value, str) and value else None


def has_counts(usage: Received) -> bool:
    """Whether anything was counted; some answers tell only of which kind they are."""
    return any(count_of(usage.get(name)) is not None for name in _COUNTS)


def usage_in(usage: Received) -> Usage:
    """The counts. Those from the cache are among the prompt's, thoughts beside the answer's."""
    return Usage(
        input_tokens=_sum(usage, "promptTokenCount", "toolUsePromptTokenCount"),
        output_tokens=_sum(usage, "candidatesTokenCount", "thoughtsTokenCount"),
        provider_cache_read_input_tokens=count_of(usage.get("cachedContentTokenCount")),
        reasoning_tokens=count_of(usage.get("thoughtsTokenCount")),
    )


def nothing_answered(
    target: Target, document: Received, headers: Mapping[str, str], raw: str
) -> AttemptFailed:
    """The failure that an answer without a candidate is: of the prompt, or of the provider."""
    feedback = document.get("promptFeedback")
    reason = feedback.get("blockReason") if isinstance(feedback, dict) else None
    kind: FailureKind = "server"
    message, status, code = "no candidates in the answer", None, None
    if isinstance(feedback, dict) and isinstance(reason, str):
        # Google answers 200; what it means is that the request cannot be granted.
        kind, status, code = "client_fault", 400, reason
        message = f"the prompt was blocked: {reason}"
        told = feedback.get("blockReasonMessage")
        if isinstance(told, str) and told:
            message += f" ({shortened(told)})"
    return AttemptFailed(
        kind=kind,
        text=f"{target.provider_type}: {message}",
        message=message,
        status=status,
        code=code,
        request_id=request_id(headers),
        raw_response=raw,
    )


def is_error(document: JsonValue) -> bool:
    """Whether the JSON is an error in Google's form, in an array or not."""
    if isinstance(document, list):
        return len(document) == 1 and is_error(document[0])
    return isinstance(document, dict) and bool(document.get("error"))


def reported_error(
    target: Target, document: JsonValue, headers: Mapping[str, str], raw: str
) -> AttemptFailed:
    """The failure that an error in a good answer, or in a stream, stands for."""
    return failed_inside(target.provider_type, document, headers, raw, _STATUSES)


def _object_in(target: Target, headers: Mapping[str, str], body: bytes, raw: str) -> Received:
    try:
        document = decode_json(body)
    except NotJson as error:
        found = f"{headers.get('content-type', 'a body')} that is not JSON ({error})"
        document = None
    else:
        found = "no JSON object"
    if is_error(document):
        raise reported_error(target, document, headers, raw)
    if not isinstance(document, dict):
        reason = f"found {found}: {shortened(raw.strip())}"
        raise undecodable(target.provider_type, reason, headers, raw)
    return document


def _sum(usage: Received, *names: str) -> int | None:
    counts = [count for name in names if (count := count_of(usage.get(name))) is not None]
    return sum(counts) if counts else None
