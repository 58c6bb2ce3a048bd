"""A whole chat completion, read into one chunk or one response."""

from collections.abc import Mapping

from lsd.conversation import (
    ContentChunk,
    ModelChunk,
    ModelResponse,
    OutputBlock,
    Text,
    Usage,
)
from lsd.providers._content_blocks import blocks_of
from lsd.providers._empty_answers import told_if_empty
from lsd.providers._error_bodies import shortened
from lsd.providers._http_errors import failed_inside, object_in, undecodable
from lsd.providers._openai_delta import DeltaReader, finish_reason_of, stop_sequence_of, usage_of
from lsd.providers._openai_family import Received, Target
from lsd.providers._tool_call_slots import BadToolCall

_BESIDE_TEXT = (
    "refusal",
    "reasoning",
    "reasoning_content",
    "reasoning_details",
    "tool_calls",
    "function_call",
)
"""What a message may hold beside its text; most are nothing but a text."""


def read_answer(target: Target, headers: Mapping[str, str], body: bytes) -> ModelChunk:
    """The chunk that holds all of a completion. Raises AttemptFailed."""
    document = object_in(target.provider_type, headers, body)
    choice = _only_choice(target, headers, document, body)
    usage, raw_usage = usage_in(target, document, headers)
    return ModelChunk(
        content=_content_of(choice, target, headers, body),
        usage=usage,
        raw_usage=raw_usage,
        finish_reason=finish_reason_of(choice.get("finish_reason")),
        stop_sequence=stop_sequence_of(choice),
        raw=body.decode(errors="replace"),
        document=document,
    )


def read_completion(target: Target, headers: Mapping[str, str], body: bytes) -> ModelResponse:
    """All of a completion as blocks. Raises AttemptFailed."""
    document = object_in(target.provider_type, headers, body)
    try:
        [choice] = document["choices"]
        message = choice["message"]
        text = message["content"]
    except (KeyError, TypeError, ValueError):
        text = None
    is_text = type(text) is str and text and not target.parse_think_blocks
    if is_text and not any(map(message.get, _BESIDE_TEXT)):
        output: tuple[OutputBlock, ...] = (Text(text),)
    else:
        choice = _only_choice(target, headers, document, body)
        output = blocks_of(_content_of(choice, target, headers, body))
    usage, raw_usage = usage_in(target, document, headers)
    reason = finish_reason_of(choice.get("finish_reason"))
    stopped_by = stop_sequence_of(choice)
    response = ModelResponse(output, usage or Usage(), raw_usage, reason, stopped_by, document)
    return response if output else told_if_empty(response, target.provider_type)


def response_of(target: Target, answer: ModelChunk) -> ModelResponse:
    """The answer as blocks. Runs of text are one block each."""
    response = ModelResponse(
        output=blocks_of(answer.content),
        usage=answer.usage or Usage(),
        raw_usage=answer.raw_usage,
        finish_reason=answer.finish_reason,
        stop_sequence=answer.stop_sequence,
        document=answer.document,
    )
    return response if response.output else told_if_empty(response, target.provider_type)


def usage_in(
    target: Target, document: Received, headers: Mapping[str, str]
) -> tuple[Usage | None, Received | None]:
    """The counts in a body or event, and the object that they stand in; None without one."""
    member = target.member
    find, read = member.find_usage, member.read_usage
    usage = document.get("usage") if find is None else find(document)
    if not usage or type(usage) is not dict:
        return None, None
    return usage_of(usage) if read is None else read(usage, headers), usage


def _only_choice(
    target: Target, headers: Mapping[str, str], document: Received, body: bytes
) -> Received:
    choices = document.get("choices")
    if isinstance(choices, list) and len(choices) == 1 and isinstance(choices[0], dict):
        return choices[0]
    raw = body.decode(errors="replace")
    if not choices and document.get("error"):
        statuses = target.member.code_statuses
        raise failed_inside(target.provider_type, document, headers, raw, statuses)
    if not isinstance(choices, list):
        reason = f"found no array of choices: {shortened(raw.strip())}"
    elif len(choices) != 1:
        reason = f"found {len(choices)} choices; wanted exactly one"
    else:
        reason = "found a choice that is no object"
    raise undecodable(target.provider_type, reason, headers, raw)


def _content_of(
    choice: Received, target: Target, headers: Mapping[str, str], body: bytes
) -> list[ContentChunk]:
    message = choice.get("message")
    if not isinstance(message, dict):
        return []
    reader = DeltaReader(target, whole=True)
    content: list[ContentChunk] = []
    try:
        reader.read(message, content)
        reader.check_calls()
    except BadToolCall as error:
        raw = body.decode(errors="replace")
        raise undecodable(target.provider_type, str(error), headers, raw) from error
    reader.end(content)
    return content
