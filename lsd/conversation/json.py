"""JSON as LSD reads and writes it: strict on the way in, compact on the way out."""

from decimal import Decimal
from typing import Any

import orjson

from lsd.conversation.errors import LsdError

JsonValue = Any
"""What a JSON text can hold: None, bool, int, float, str, list and dict of these."""

FOUND_LENGTH_MAX = 40
"""Characters of a wrong text that an error message shows, its quotes included; more would bury the
message."""


NESTING_MAX = 200
"""Levels of arrays and objects in a text from outside."""

_SHALLOW_LENGTH_MAX = 2 * NESTING_MAX
"""A text of so many characters has no more levels: each is opened and closed."""

_COUNTED_LENGTH_MAX = 2000
"""Characters of a text whose brackets are counted, which then takes a tenth to a half of the time
of writing its value."""

_LEVELS_AROUND = 54
"""The writer manages 254 levels, and what was read is written within others: a schema in a tool in
a body, a message in a record in a list."""


class NotJson(LsdError):
    """The bytes are not one JSON text; the message says where the parser stopped."""


def decode_json(text: bytes | str) -> JsonValue:
    """The value that `text` holds.

    Stricter than Python's own reader: no NaN, no Infinity, no number beyond binary64, no lone
    surrogate, no byte order mark, at most NESTING_MAX levels of nesting, so that what was read can
    be written. Of duplicate keys the last counts. Raises NotJson.
    """
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise NotJson(str(error)) from None
    if len(text) > _SHALLOW_LENGTH_MAX and not _can_be_written(value, text):
        raise NotJson(f"nested more than {NESTING_MAX} levels deep")
    return value


def reread_json(text: bytes | str) -> JsonValue:
    """The same for a text that `encode_json` has made, which may nest a little deeper."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise NotJson(str(error)) from None


def _can_be_written(value: JsonValue, text: bytes | str) -> bool:
    """Whether there is room for `value`, which `text` held, and the levels around it.

    Unless a short text has too few brackets to be deep, writing the value is the quickest way to
    find out: it takes a third of the time of reading. To count the brackets of a long text takes
    as long as reading, to walk over the value twice as long.
    """
    if len(text) <= _COUNTED_LENGTH_MAX and _openings(text) <= NESTING_MAX:
        return True
    for _ in range(_LEVELS_AROUND):
        value = [value]
    try:
        orjson.dumps(value)
    except TypeError:
        return False
    return True


def _openings(text: bytes | str) -> int:
    """How many arrays and objects begin in `text`, at most."""
    if isinstance(text, str):
        return text.count("[") + text.count("{")
    return text.count(b"[") + text.count(b"{")


def encode_json(value: JsonValue) -> bytes:
    """`value` as compact UTF-8 JSON; keys keep their order.

    Values that `encode_json` itself made go in again without being parsed, as `Fragment`.
    Decimal amounts of money become JSON numbers.
    """
    return orjson.dumps(value, default=_encode_other)


def encode_json_to_keep(value: JsonValue) -> bytes:
    """The same, in no more memory than it has bytes.

    What the encoder gives keeps 4 KiB, however short it is. Those of a hundred records would leave
    the processor's cache, which costs 2 us for each.
    """
    return b"".join((orjson.dumps(value, _encode_other), b""))


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
            return _quoted(value)
        case list() | tuple():
            return f"an array of {len(value)}"
        case dict():
            return "an object"
        case _:
            return type(value).__name__


def _quoted(text: str) -> str:
    # Not every text of Python is one of JSON: file names may hold half a character.
    head = text[:FOUND_LENGTH_MAX].encode("utf-8", "backslashreplace").decode()
    whole = orjson.dumps(head).decode()
    if len(text) <= FOUND_LENGTH_MAX - 2:
        return whole
    return orjson.dumps(head[: FOUND_LENGTH_MAX - 3]).decode()[:-1] + '…"'
