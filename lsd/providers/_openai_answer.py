"""A whole chat completion, read into one chunk or one response."""

from collections.abc import Mapping

from lsd.conversation import (
    AttemptFailed,
    ContentChunk,
    ModelChunk,
    ModelResponse,
    NotJson,
    Usage,
    decode_json,
)
from lsd.providers._content_blocks import blocks_of
from lsd.providers._error_bodies import shortened
from lsd.providers._http_errors import failed_inside, undecodable
from lsd.providers._openai_delta import DeltaReader, finish_reason_of, usage_of
from lsd.providers._openai_family import Received, Target
from lsd.providers._tool_call_slots import BadToolCall
from lsd.telemetry import logger

log = logger(__name__)


def read_answer(target: Target, headers: Mapping[str, str], body: bytes) -> ModelChunk:
    """The chunk that holds all of a completion. Raises AttemptFailed."""
    raw = body.decode(errors="replace")
    try:
        document = decode_json(body)
    except NotJson as error:
        kind = headers.get("content-type", "no type")
        reason = f"found {kind} that is not JSON ({error}): {shortened(raw.strip())}"
        raise undecodable(target.provider_type, reason, headers, raw) from error
    if not isinstance(document, dict):
        raise _malformed(target, headers, raw, f"found no JSON object: {shortened(raw.strip())}")
    choices = document.get("choices")
    if not choices and document.get("error"):
        raise failed_inside(
            target.provider_type, document, headers, raw, target.member.code_statuses
        )
    if not isinstance(choices, list) or len(choices) != 1 or not isinstance(choices[0], dict):
        count = len(choices) if isinstance(choices, list) else "no"
        reason = f"found {count} choices; wanted exactly one: {shortened(raw.strip())}"
        raise _malformed(target, headers, raw, reason)
    message = choices[0].get("message")
    try:
        content = _content_of(message if isinstance(message, dict) else {}, target)
    except BadToolCall as error:
        raise _malformed(target, headers, raw, str(error)) from error
    usage, raw_usage = usage_in(target, document, headers)
    return ModelChunk(
        content=content,
        usage=usage,
        raw_usage=raw_usage,
        finish_reason=finish_reason_of(choices[0].get("finish_reason")),
        raw=raw,
        document=document,
    )


def response_of(target: Target, answer: ModelChunk) -> ModelResponse:
    """The answer as blocks. Runs of text are one block each."""
    if not answer.content:
        log.warning(
            "provider gave an empty answer",
            provider_type=target.provider_type,
            finish_reason=answer.finish_reason,
        )
    return ModelResponse(
        output=blocks_of(answer.content),
        usage=answer.usage or Usage(),
        raw_usage=answer.raw_usage,
        finish_reason=answer.finish_reason,
        document=answer.document,
    )


def usage_in(
    target: Target, document: Received, headers: Mapping[str, str]
) -> tuple[Usage | None, Received | None]:
    """The counts in a body or event, and the object that they stand in; None without one."""
    find = target.member.find_usage
    usage = document.get("usage") if find is None else find(document)
    if not isinstance(usage, dict) or not usage:
        return None, None
    read = target.member.read_usage
    return usage_of(usage) if read is None else read(usage, headers), usage


def _content_of(message: Received, target: Target) -> list[ContentChunk]:
    reader = DeltaReader(target, whole=True)
    content: list[ContentChunk] = []
    reader.read(message, content)
    reader.check_calls()
    return content + reader.end()


def _malformed(target: Target, headers: Mapping[str, str], raw: str, reason: str) -> AttemptFailed:
    return undecodable(target.provider_type, reason, headers, raw)
