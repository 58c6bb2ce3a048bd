"""The fields at the top of a Responses request: their types, not what they hold."""

from collections.abc import Mapping
from typing import Any

from lsd.api.compat.field_checks import (
    Check,
    check_all,
    flag,
    integer,
    items_of,
    model_name,
    number,
    object_,
    string,
    wrong,
)
from lsd.api.compat.troubles import Unsupported
from lsd.api.openai.chat_fields import FORMATS, MISSING, choice_, metadata
from lsd.conversation import Problem

OUTPUT_TOKENS_MIN = 16
"""The least limit that the API takes. Source: OpenAI's reference of it, 2025."""

_NEEDS_STORE = "found it; responses are not kept for later requests, so send all items in `input`"

_REFUSED = {
    "previous_response_id": _NEEDS_STORE,
    "conversation": _NEEDS_STORE,
    "prompt": "found it; templates are not kept, so send `instructions` and `input`",
}


def check_fields(body: Mapping[str, Any]) -> None:
    """Checks every field whose type is known; `body` has no nulls at its top.

    Raises Malformed with all problems, or Unsupported.
    """
    check_all(body, _CHECKS, {"model": MISSING, "input": _without_input(body)})
    for name, reason in _REFUSED.items():
        if name in body:
            raise Unsupported(name, reason)
    if body.get("background") is True:
        raise Unsupported("background", "found true; wanted false, as answers are given at once")


def _without_input(body: Mapping[str, Any]) -> str:
    if "messages" in body:
        return (
            "missing; a body with `messages` is one for chat completions, which are at"
            " POST /openai/v1/chat/completions"
        )
    return MISSING


def _input(value: Any, path: str) -> list[Problem]:
    if type(value) is str:
        return []
    if value == []:
        return [wrong(path, value, "at least one item")]
    return items_of(object_, "a string or an array of items")(value, path)


def _text(value: Any, path: str) -> list[Problem]:
    if type(value) is not dict:
        return object_(value, path)
    form = value.get("format")
    if form is None:
        return []
    path = f"{path}.format"
    if type(form) is not dict:
        return object_(form, path)
    if form.get("type") not in FORMATS:
        return [wrong(f"{path}.type", form.get("type"), f"one of {', '.join(FORMATS)}")]
    return object_(form.get("schema"), f"{path}.schema") if form["type"] == "json_schema" else []


_CHECKS: Mapping[str, Check] = {
    "model": model_name,
    "input": _input,
    "instructions": string,
    "max_output_tokens": integer(OUTPUT_TOKENS_MIN),
    "temperature": number,
    "top_p": number,
    "tools": items_of(object_, "an array of tools"),
    "tool_choice": choice_,
    "parallel_tool_calls": flag,
    "max_tool_calls": integer(1),
    "reasoning": object_,
    "text": _text,
    "stream": flag,
    "stream_options": object_,
    "include": items_of(string, "an array of strings"),
    "store": flag,
    "metadata": metadata,
    "user": string,
    "safety_identifier": string,
    "service_tier": string,
    "truncation": string,
    "top_logprobs": integer(0),
    "prompt_cache_key": string,
    "prompt_cache_retention": string,
    "prompt_cache_options": object_,
    "previous_response_id": string,
    "conversation": choice_,
    "background": flag,
    "prompt": object_,
}

KNOWN = frozenset(_CHECKS)
"""All that a request may hold when it must hold nothing unknown."""
