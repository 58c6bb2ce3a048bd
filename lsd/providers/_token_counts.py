"""Numbers of tokens, as providers tell them."""

from lsd.conversation import JsonValue

TOKENS_MAX = 2**53
"""Greater counts are nonsense, and no JSON reader would take them exactly."""


def count_of(value: JsonValue) -> int | None:
    """A number of tokens, None for everything that is none."""
    if type(value) is int:
        return value if 0 <= value <= TOKENS_MAX else None
    return int(value) if isinstance(value, float) and 0 <= value <= TOKENS_MAX else None


def count_in(details: JsonValue, name: str) -> int | None:
    """A number of tokens within an object, None for everything that is none."""
    return count_of(details.get(name)) if isinstance(details, dict) else None
