"""Names of tools in a form that every provider takes."""

import re
from hashlib import sha256

_FITTING = re.compile(r"[a-zA-Z0-9_-]{1,64}\Z")
"""OpenAI and Anthropic take such names; the latter in some places longer ones."""

_OTHER = re.compile(r"[^a-zA-Z0-9_-]")
_KEPT_LENGTH = 55
_HASH_DIGITS = 8


def fitting_tool_name(name: str) -> str:
    """The name itself if it fits, else one that depends on it alone and differs from others'."""
    if _FITTING.match(name):
        return name
    digest = sha256(name.encode()).hexdigest()[:_HASH_DIGITS]
    return f"{_OTHER.sub('_', name[:_KEPT_LENGTH])}_{digest}"
