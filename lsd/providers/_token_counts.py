"""Numbers of tokens, as providers tell them."""

from lsd.conversation import JsonValue

TOKENS_MAX = 2**53
"""Greater counts are nonsense, and no JSON reader would take them exactly."""


def count_of(value: JsonValue) -> int | None:
    """A number of tokens, None for everything that is none."""
    if value is None or isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(value) if 0 <= value <= TOKENS_MAX else None
