"""The fields at the top of a Messages request: their types, and nothing of what they hold."""

from collections.abc import Mapping
from typing import Any

from lsd.api.compat.field_checks import (
    Check,
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
from lsd.conversation import Malformed, Problem

REQUIRED = "Field required"
"""In Anthropic's own words, for programs that look for them."""

_THREAD_DETAILS = {"error_code": "thread_unsupported_request"}
"""From these, Anthropic's own library knows to send the whole conversation instead."""

ROLES = ("user", "assistant", "system")


def check_body(body: Mapping[str, Any]) -> None:
    """Checks every field whose type is known; `body` has no nulls at its top.

    Raises Malformed with all problems, or Unsupported.
    """
    problems = [
        Problem(name, REQUIRED) for name in ("model", "messages", "max_tokens") if name not in body
    ]
    for name, value in body.items():
        check = _CHECKS.get(name)
        if check is not None:
            problems += check(value, name)
    if problems:
        raise Malformed(tuple(sorted(problems)))
    if "thread" in body:
        reason = "found it; wanted the whole conversation in `messages`, as none is kept here"
        raise Unsupported("thread", reason, _THREAD_DETAILS)


_BLOCKS = items_of(object_, "an array of content blocks")
_FROM_ZERO = integer(0)


def _text_or_blocks(value: Any, path: str) -> list[Problem]:
    if type(value) is str:
        return []
    if type(value) is not list:
        return [wrong(path, value, "a string or an array of content blocks")]
    return _BLOCKS(value, path)


def _message(value: Any, path: str) -> list[Problem]:
    if type(value) is not dict:
        return [wrong(path, value, "a message, which is an object")]
    problems = []
    role = value.get("role")
    if role not in ROLES:
        problems.append(wrong(f"{path}.role", role, f"one of {', '.join(ROLES)}"))
    if "content" not in value:
        problems.append(Problem(f"{path}.content", REQUIRED))
    else:
        problems += _text_or_blocks(value["content"], f"{path}.content")
    return problems


def _messages(value: Any, path: str) -> list[Problem]:
    if value == []:
        return [wrong(path, value, "at least one message")]
    return _EACH_MESSAGE(value, path)


_EACH_MESSAGE = items_of(_message, "an array of messages")


def _thinking(value: Any, path: str) -> list[Problem]:
    if type(value) is not dict or type(value.get("type")) is not str:
        return [wrong(path, value, "an object with a `type`")]
    if value["type"] != "enabled":
        return []
    budget = value.get("budget_tokens")
    if budget is None:
        return [Problem(f"{path}.budget_tokens", REQUIRED)]
    return _FROM_ZERO(budget, f"{path}.budget_tokens")


def _metadata(value: Any, path: str) -> list[Problem]:
    if type(value) is not dict:
        return object_(value, path)
    user_id = value.get("user_id")
    return [] if user_id is None else string(user_id, f"{path}.user_id")


_CHECKS: Mapping[str, Check] = {
    "model": model_name,
    "messages": _messages,
    "max_tokens": _FROM_ZERO,
    "system": _text_or_blocks,
    "temperature": number,
    "top_p": number,
    "top_k": _FROM_ZERO,
    "stop_sequences": items_of(string, "an array of strings"),
    "stream": flag,
    "tools": items_of(object_, "an array of tools"),
    "tool_choice": object_,
    "thinking": _thinking,
    "output_config": object_,
    "output_format": object_,
    "service_tier": string,
    "metadata": _metadata,
}

TRANSLATED = frozenset(_CHECKS)
"""Fields that have a meaning for every provider."""

_PASSED_ON = frozenset(
    {
        "cache_control",
        "container",
        "context_management",
        "mcp_servers",
        "inference_geo",
        "speed",
        "diagnostics",
        "user_profile_id",
        "fallbacks",
        "compaction",
    }
)
"""Fields that mean something to Anthropic alone."""

KNOWN = frozenset({*TRANSLATED, *_PASSED_ON, "thread"})
"""All that a request may hold when it must hold nothing unknown."""
