"""The fields at the top of a chat completion request: their types, not what they hold."""

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
    of_type,
    string,
    wrong,
)
from lsd.api.compat.troubles import Unsupported
from lsd.conversation import Problem

MISSING = "missing; it is required"

ROLES = ("system", "developer", "user", "assistant", "tool", "function")

FORMATS = ("text", "json_object", "json_schema")


_MISSING = {"model": MISSING, "messages": MISSING}
_MISSING_OF_RESPONSES = {
    **_MISSING,
    "messages": (
        "missing; a body with `input` is one of the Responses API, which is at"
        " POST /openai/v1/responses"
    ),
}
"""The same for a body that is one of another API."""


def check_fields(body: Mapping[str, Any], *, but_messages: bool = False) -> None:
    """Checks every field whose type is known; `body` has no nulls at its top.

    `but_messages`: they have been found good. Raises Malformed with all problems, or Unsupported.
    """
    checks = _CHECKS_BUT_MESSAGES if but_messages else _CHECKS
    check_all(body, checks, _MISSING_OF_RESPONSES if "input" in body else _MISSING)
    if "n" in body and body["n"] != 1:
        raise Unsupported("n", f"found {body['n']}; wanted 1, as LSD gives one choice")


def _message(value: Any, path: str) -> list[Problem]:
    if type(value) is not dict:
        return [wrong(path, value, "a message, which is an object")]
    role, content = value.get("role"), value.get("content")
    if role not in ROLES:
        return [wrong(f"{path}.role", role, f"one of {', '.join(ROLES)}")]
    problems = []
    if content is None:
        if role in ("system", "developer", "user"):
            problems.append(Problem(f"{path}.content", MISSING))
    elif type(content) is list:
        for place, part in enumerate(content):
            if type(part) is not dict:
                problems.append(wrong(f"{path}.content[{place}]", part, "a content part"))
    elif type(content) is not str:
        problems.append(wrong(f"{path}.content", content, "a string or an array of parts"))
    calls = value.get("tool_calls")
    if calls is not None:
        problems += _CALLS(calls, f"{path}.tool_calls")
    if role == "tool":
        problems += string(value.get("tool_call_id"), f"{path}.tool_call_id")
    return problems


def _messages(value: Any, path: str) -> list[Problem]:
    if value == []:
        return [wrong(path, value, "at least one message")]
    return _EACH_MESSAGE(value, path)


def _stop(value: Any, path: str) -> list[Problem]:
    return [] if type(value) is str else _STRINGS(value, path)


def metadata(value: Any, path: str) -> list[Problem]:
    """What a client notes beside its request."""
    if type(value) is not dict:
        return [wrong(path, value, "an object of strings")]
    return [each for name, item in value.items() for each in string(item, f"{path}.{name}")]


def _response_format(value: Any, path: str) -> list[Problem]:
    if type(value) is not dict:
        return [wrong(path, value, "an object")]
    kind = value.get("type")
    if kind not in FORMATS:
        return [wrong(f"{path}.type", kind, f"one of {', '.join(FORMATS)}")]
    if kind == "json_schema":
        return object_(value.get("json_schema"), f"{path}.json_schema")
    return []


def choice_(value: Any, path: str) -> list[Problem]:
    """A word, or something that is named by an object."""
    kinds = (str, dict)
    return [] if type(value) in kinds else [wrong(path, value, "a string or an object")]


_EACH_MESSAGE = items_of(_message, "an array of messages")
_STRINGS = items_of(string, "a string or an array of strings")
_CALLS = items_of(object_, "an array of tool calls")

_CHECKS: Mapping[str, Check] = {
    "model": model_name,
    "messages": _messages,
    "max_tokens": integer(1),
    "max_completion_tokens": integer(1),
    "temperature": number,
    "top_p": number,
    "frequency_penalty": number,
    "presence_penalty": number,
    "logit_bias": object_,
    "seed": integer(),
    "logprobs": flag,
    "top_logprobs": integer(0),
    "stop": _stop,
    "n": integer(),
    "stream": flag,
    "stream_options": object_,
    "tools": items_of(object_, "an array of tools"),
    "tool_choice": choice_,
    "parallel_tool_calls": flag,
    "functions": of_type(list, "an array"),
    "function_call": choice_,
    "response_format": _response_format,
    "reasoning_effort": string,
    "reasoning": object_,
    "thinking": object_,
    "service_tier": string,
    "user": string,
    "safety_identifier": string,
    "metadata": metadata,
    "modalities": items_of(string, "an array of strings"),
    "audio": object_,
    "verbosity": string,
    "prediction": object_,
    "store": flag,
    "prompt_cache_key": string,
    "prompt_cache_retention": string,
    "prompt_cache_options": object_,
    "web_search_options": object_,
    "moderation": object_,
}

_CHECKS_BUT_MESSAGES = {name: check for name, check in _CHECKS.items() if name != "messages"}

KNOWN = frozenset(_CHECKS)
"""All that a request may hold when it must hold nothing unknown."""
