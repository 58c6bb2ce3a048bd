"""Ids of tool calls: new ones, and old ones in a form that the next provider takes."""

import re
import string
from hashlib import sha256
from random import Random
from typing import Literal

ToolCallIdRule = Literal["any", "openai", "mistral", "anthropic", "bedrock"]
"""Whose rule an id has to obey; `any` takes every text."""

_FITTING: dict[ToolCallIdRule, re.Pattern[str]] = {
    "any": re.compile(r"(?s).*\Z"),
    "openai": re.compile(r"(?s).{0,40}\Z"),
    "mistral": re.compile(r"[A-Za-z0-9]{9}\Z"),
    "anthropic": re.compile(r"[a-zA-Z0-9_-]+\Z"),
    "bedrock": re.compile(r"[a-zA-Z0-9_-]{1,64}\Z"),
}
_PREFIXES: dict[ToolCallIdRule, tuple[str, int]] = {
    "openai": ("call_", 24),
    "mistral": ("", 9),
    "anthropic": ("toolu_", 24),
    "bedrock": ("tooluse_", 24),
}
"""The prefix of a rewritten id, and how many digits of the hash follow."""

_ALPHANUMERICS = string.ascii_letters + string.digits


def new_tool_call_id(random: Random) -> str:
    """An id for a call that a provider left without one: `call_` and 24 random characters."""
    return "call_" + "".join(random.choices(_ALPHANUMERICS, k=24))


def fitting_tool_call_id(identifier: str, rule: ToolCallIdRule) -> str:
    """The id itself if it obeys the rule, else one that depends on it alone.

    So a call and its result stay together, in each request and in each process.
    """
    if _FITTING[rule].match(identifier):
        return identifier
    prefix, digits = _PREFIXES[rule]
    return prefix + sha256(identifier.encode()).hexdigest()[:digits]
