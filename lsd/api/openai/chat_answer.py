"""A chat completion, from what a provider has said: neutral, or as it came from one of its kind.

Answers of OpenAI's family keep what LSD does not know of.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from lsd.api.openai.thoughts import call_extras, reasoning_fields
from lsd.api.openai.usage import usage_json
from lsd.conversation import (
    CustomTool,
    FinishReason,
    ModelRequest,
    OutputBlock,
    Text,
    Thought,
    ToolCall,
    id_time_ms,
)
from lsd.inference import ModelCall, Reply

_FINISH_REASONS: dict[FinishReason, str] = {
    "stop": "stop",
    "stop_sequence": "stop",
    "length": "length",
    "tool_call": "tool_calls",
    "content_filter": "content_filter",
    "unknown": "stop",
}

_TIERS = {"standard": "default", "priority": "priority"}
"""Anthropic's words for how a request was served."""

OWN_FIELDS = frozenset(
    {
        "id",
        "object",
        "created",
        "model",
        "service_tier",
        "system_fingerprint",
        "choices",
        "usage",
        # It would be taken for a failure.
        "error",
    }
)
OWN_CHOICE_FIELDS = frozenset({"index", "finish_reason", "logprobs", "message", "delta"})
OWN_MESSAGE_FIELDS = frozenset(
    {
        "role",
        "content",
        "refusal",
        "annotations",
        "tool_calls",
        "reasoning_content",
        "reasoning_details",
    }
)
"""What is told in LSD's way; all other fields of a provider's own answer are kept."""

_NOTHING: Mapping[str, Any] = {}

PLAIN_MESSAGE_FIELDS = frozenset({"role", "content"})
"""Those in which the neutral form loses nothing."""


def completion(reply: Reply, model: str) -> dict[str, Any]:
    """The body of a whole answer; `model` is what the client had asked for."""
    call = reply.call
    document = object_in(call.answer.document) if call.is_relayed else _NOTHING
    choice = own_choice(document)
    shown = head(reply, model, "chat.completion", document)
    if not document.keys() <= OWN_FIELDS:
        shown.update(extras(document, OWN_FIELDS))
    told = {
        "index": 0,
        "finish_reason": finish_reason(call),
        "logprobs": choice.get("logprobs"),
        "message": _message(call, object_in(choice.get("message"))),
    }
    if not choice.keys() <= OWN_CHOICE_FIELDS:
        told.update(extras(choice, OWN_CHOICE_FIELDS))
    shown["choices"] = [told]
    shown["usage"] = usage_json(call)
    return shown


def head(reply: Reply, model: str, kind: str, document: Mapping[str, Any]) -> dict[str, Any]:
    """The fields by which an answer, or each chunk of it, says what it is.

    `document` is what a provider of OpenAI's kind has said, or empty.
    """
    inference_id = reply.run.inference_id
    return {
        "id": "chatcmpl-" + inference_id.replace("-", ""),
        "object": kind,
        "created": id_time_ms(inference_id) // 1000,
        "model": model,
        "service_tier": service_tier(reply.call, document),
        "system_fingerprint": document.get("system_fingerprint"),
    }


def service_tier(call: ModelCall, document: Mapping[str, Any]) -> Any:
    """How the request was served, as far as the provider tells."""
    own_usage = call.answer.raw_usage
    if not call.is_relayed and isinstance(own_usage, dict):
        told = own_usage.get("service_tier")
        return _TIERS.get(told) if isinstance(told, str) else None
    return document.get("service_tier")


def finish_reason(call: ModelCall) -> str:
    """Why the answer ended, in one of OpenAI's words.

    A provider of the same kind may say `stop` where it was made to call a function.
    """
    reason = _FINISH_REASONS[call.answer.finish_reason or "unknown"]
    if reason != "stop" or call.is_relayed:
        return reason
    calls_tools = any(isinstance(block, ToolCall) for block in call.answer.output)
    return "tool_calls" if calls_tools else reason


def own_choice(document: Mapping[str, Any]) -> Mapping[str, Any]:
    """The one choice of such an answer, or of a chunk of one."""
    choices = document.get("choices")
    if isinstance(choices, list) and choices and isinstance(choices[0], dict):
        return choices[0]
    return _NOTHING


def extras(fields: Mapping[str, Any], known: frozenset[str]) -> dict[str, Any]:
    """The fields that LSD does not know of."""
    return {name: value for name, value in fields.items() if name not in known}


def custom_names(request: ModelRequest) -> frozenset[str]:
    """The names of the free-form tools of a request."""
    if request.tools is None:
        return frozenset()
    return frozenset(tool.name for tool in request.tools.tools if isinstance(tool, CustomTool))


def _message(call: ModelCall, own: Mapping[str, Any]) -> dict[str, Any]:
    output = call.answer.output
    only = output[0] if len(output) == 1 else None
    is_text = isinstance(only, Text)
    message: dict[str, Any] = {
        "role": "assistant",
        "content": only.text if isinstance(only, Text) else _joined_texts(output),
        "refusal": None,
        "annotations": [],
    }
    if not is_text:
        message.update(reasoning_fields([each for each in output if isinstance(each, Thought)]))
    if not own.keys() <= PLAIN_MESSAGE_FIELDS:
        _tell_own(message, own)
    if not is_text and (calls := _tool_calls(call, own)):
        message["tool_calls"] = calls
    return message


def _joined_texts(output: Sequence[OutputBlock]) -> str | None:
    texts = [block.text for block in output if isinstance(block, Text)]
    return "".join(texts) if texts else None


def _tell_own(message: dict[str, Any], own: Mapping[str, Any]) -> None:
    """Puts into a message what only a provider of OpenAI's kind has said."""
    refusal = own.get("refusal")
    if isinstance(refusal, str) and refusal:
        # Among the neutral texts it is one of them.
        said = own.get("content")
        message["content"] = said if isinstance(said, str) and said else None
        message["refusal"] = refusal
    annotations = own.get("annotations")
    if isinstance(annotations, list):
        message["annotations"] = annotations
    if own.get("reasoning_details"):
        # They must go back as they came.
        message["reasoning_details"] = own["reasoning_details"]
    if not own.keys() <= OWN_MESSAGE_FIELDS:
        message.update(extras(own, OWN_MESSAGE_FIELDS))


def _tool_calls(call: ModelCall, own: Mapping[str, Any]) -> list[dict[str, Any]]:
    listed = own.get("tool_calls")
    if not listed and own.get("function_call"):
        return []  # who asks in the legacy way is answered in it
    given: Sequence[Any] = listed if isinstance(listed, list) else ()
    custom = custom_names(call.request)
    made: list[dict[str, Any]] = []
    for place, block in enumerate(call.answer.output):
        if isinstance(block, ToolCall):
            as_given = object_in(given[len(made)]) if len(made) < len(given) else {}
            made.append(
                _tool_call(call.answer.output, place, block, as_given, block.name in custom)
            )
    return made


def _tool_call(
    output: Sequence[OutputBlock],
    place: int,
    block: ToolCall,
    given: Mapping[str, Any],
    is_custom: bool,
) -> dict[str, Any]:
    """The call, with what its provider has added to it."""
    kind, argument = ("custom", "input") if is_custom else ("function", "arguments")
    text = block.arguments if block.arguments.strip() or is_custom else "{}"
    return {
        **given,
        **call_extras(output, place),
        "id": block.id,
        "type": kind,
        kind: {**object_in(given.get(kind)), "name": block.name, argument: text},
    }


def object_in(value: Any) -> Mapping[str, Any]:
    """The object that something from a provider is, or an empty one."""
    return value if isinstance(value, dict) else _NOTHING
