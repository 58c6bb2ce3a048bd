"""JSON as LSD reads and writes it: strict on the way in, compact on the way out."""

from decimal import Decimal
from typing import Any

import orjson

from lsd.conversation.errors import LsdError

JsonValue = Any
"""What a JSON text can hold: None, bool, int, float, str, list and dict of these."""

FOUND_LENGTH_MAX = 40
"""Characters of a wrong value that an error message shows; more would bury the message."""


_LEVELS_AROUND = 4
NESTING_MAX = 250
"""Levels of arrays and objects. The writer manages 254, and a value read is put into others."""


class NotJson(LsdError):
    """The bytes are not one JSON text; the message says where the parser stopped."""


def decode_json(text: bytes | str) -> JsonValue:
    """The value that `text` holds.

    Stricter than Python's own reader: no NaN, no Infinity, no number beyond binary64, no lone
    surrogate, no byte order mark, at most 250 levels of nesting. Of duplicate keys the last
    counts. Raises NotJson.
    """
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise NotJson(str(error)) from None
    if _may_be_deep(text):
        _check_depth(value)
    return value


def _may_be_deep(text: bytes | str) -> bool:
    # Counting brackets costs nothing beside the parsing, and nearly no text has so many.
    if isinstance(text, str):
        return text.count("[") + text.count("{") > NESTING_MAX
    return text.count(b"[") + text.count(b"{") > NESTING_MAX


def _check_depth(value: JsonValue) -> None:
    """Raises NotJson for a value that could not be written inside of a few others."""
    for _ in range(_LEVELS_AROUND):
        value = [value]
    try:
        orjson.dumps(value)
    except TypeError:
        raise NotJson(f"nested more than {NESTING_MAX} levels deep") from None


def encode_json(value: JsonValue) -> bytes:
    """`value` as compact UTF-8 JSON; keys keep their order.

    Values that `encode_json` itself made go in again without being parsed, as `Fragment`.
    Decimal amounts of money become JSON numbers.
    """
    return orjson.dumps(value, default=_encode_other)


def encode_json_sorted(value: JsonValue) -> bytes:
    """`value` as canonical JSON: compact, keys sorted. Equal values give equal bytes."""
    return orjson.dumps(value, default=_encode_other, option=orjson.OPT_SORT_KEYS)


Fragment = orjson.Fragment
"""JSON text that is put into a larger one as it is."""


def _encode_other(value: object) -> object:
    if isinstance(value, Decimal):
        return orjson.Fragment(decimal_text(value))
    if isinstance(value, tuple):
        return list(value)
    raise TypeError(f"no JSON form for {type(value).__name__}")


def decimal_text(value: Decimal) -> str:
    """The exact decimal digits of `value`, without exponent and trailing zeros: `0.0000231`."""
    text = format(value, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def describe_json(value: JsonValue) -> str:
    """`value` in a few characters, for "found …" in an error message."""
    match value:
        case None:
            return "null"
        case bool() | int() | float() | Decimal():
            return str(value).lower()
        case str():
            return _shortened(orjson.dumps(value).decode())
        case list() | tuple():
            return f"an array of {len(value)}"
        case dict():
            return "an object"
        case _:
            return type(value).__name__


def _shortened(text: str) -> str:
    if len(text) <= FOUND_LENGTH_MAX:
        return text
    return text[: FOUND_LENGTH_MAX - 2] + '…"'
