"""The fields at the top of a Messages request: their types, and nothing of what they hold."""

from collections.abc import Callable, Mapping
from typing import Any

import attrs

from lsd.conversation import LsdError, Malformed, Problem, describe_json

REQUIRED = "Field required"
"""In Anthropic's own words, for programs that look for them."""

Check = Callable[[Any, str], list[Problem]]

ROLES = ("user", "assistant", "system")


@attrs.frozen
class ThreadRefused(LsdError):
    """The request wants to go on with, or to begin, a conversation that is kept here.

    `error_code` is the word from which Anthropic's own client knows to send all of it instead.
    """

    error_code: str = "thread_unsupported_request"

    def __str__(self) -> str:
        return "thread: found it; wanted the whole conversation in `messages`, as none is kept here"


def check_body(body: Mapping[str, Any]) -> None:
    """Checks every field whose type is known; `body` has no nulls at its top.

    Raises Malformed with all problems, or ThreadRefused.
    """
    problems = [
        Problem(name, REQUIRED) for name in ("model", "messages", "max_tokens") if name not in body
    ]
    for name, check in _CHECKS.items():
        if name in body:
            problems += check(body[name], name)
    if problems:
        raise Malformed(tuple(sorted(problems)))
    if "thread" in body:
        raise ThreadRefused


def whole(value: Any) -> int | None:
    """The integer that a number is, `100.0` included; None if it is none."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value if type(value) is int else None


def _of(kind: type | tuple[type, ...], wanted: str) -> Check:
    kinds = kind if isinstance(kind, tuple) else (kind,)

    def check(value: Any, path: str) -> list[Problem]:
        # Exactly these types: for Python, true is an integer.
        return [] if type(value) in kinds else [_wrong(path, value, wanted)]

    return check


def _wrong(path: str, value: Any, wanted: str) -> Problem:
    return Problem(path, f"found {describe_json(value)}; wanted {wanted}")


def _name(value: Any, path: str) -> list[Problem]:
    is_name = type(value) is str and value
    return [] if is_name else [_wrong(path, value, "the name of a model")]


def _count(value: Any, path: str) -> list[Problem]:
    number = whole(value)
    is_count = number is not None and number >= 0
    return [] if is_count else [_wrong(path, value, "an integer ≥ 0")]


def _items(check: Check, wanted: str) -> Check:
    def check_items(value: Any, path: str) -> list[Problem]:
        if type(value) is not list:
            return [_wrong(path, value, wanted)]
        return [
            each for place, item in enumerate(value) for each in check(item, f"{path}[{place}]")
        ]

    return check_items


_STRING = _of(str, "a string")
_OBJECT = _of(dict, "an object")
_NUMBER = _of((int, float), "a number")
_BLOCKS = _items(_OBJECT, "an array of content blocks")


def _text_or_blocks(value: Any, path: str) -> list[Problem]:
    if type(value) is str:
        return []
    if type(value) is not list:
        return [_wrong(path, value, "a string or an array of content blocks")]
    return _BLOCKS(value, path)


def _message(value: Any, path: str) -> list[Problem]:
    if type(value) is not dict:
        return [_wrong(path, value, "a message, which is an object")]
    problems = []
    role = value.get("role")
    if role not in ROLES:
        problems.append(_wrong(f"{path}.role", role, f"one of {', '.join(ROLES)}"))
    if "content" not in value:
        problems.append(Problem(f"{path}.content", REQUIRED))
    else:
        problems += _text_or_blocks(value["content"], f"{path}.content")
    return problems


def _messages(value: Any, path: str) -> list[Problem]:
    if value == []:
        return [_wrong(path, value, "at least one message")]
    return _items(_message, "an array of messages")(value, path)


def _thinking(value: Any, path: str) -> list[Problem]:
    if type(value) is not dict or type(value.get("type")) is not str:
        return [_wrong(path, value, "an object with a `type`")]
    if value["type"] != "enabled":
        return []
    budget = value.get("budget_tokens")
    if budget is None:
        return [Problem(f"{path}.budget_tokens", REQUIRED)]
    return _count(budget, f"{path}.budget_tokens")


def _metadata(value: Any, path: str) -> list[Problem]:
    if type(value) is not dict:
        return _OBJECT(value, path)
    user_id = value.get("user_id")
    return [] if user_id is None else _STRING(user_id, f"{path}.user_id")


_CHECKS: Mapping[str, Check] = {
    "model": _name,
    "messages": _messages,
    "max_tokens": _count,
    "system": _text_or_blocks,
    "temperature": _NUMBER,
    "top_p": _NUMBER,
    "top_k": _count,
    "stop_sequences": _items(_STRING, "an array of strings"),
    "stream": _of(bool, "true or false"),
    "tools": _items(_OBJECT, "an array of tools"),
    "tool_choice": _OBJECT,
    "thinking": _thinking,
    "output_config": _OBJECT,
    "output_format": _OBJECT,
    "service_tier": _STRING,
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
