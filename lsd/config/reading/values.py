"""Single values: TOML types taken exactly, and shown in messages."""

import math
import re
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any, Final

from lsd.config.key_path import quote
from lsd.config.reading.document import kind_of
from lsd.conversation import LsdError

INTEGER_MIN: Final = -(2**63)
INTEGER_MAX: Final = 2**63 - 1
"""TOML asks for 64 bits; JSON readers of the snapshot take no more."""

EXPONENT_MAX: Final = 30
"""Digits of money on either side of the point. Nobody pays more, and nothing costs less."""

SHOWN_LENGTH_MAX: Final = 60
"""Characters of a wrong string in a message; a longer one is cut."""

_UNITS: Final = {"KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40}
_SIZE: Final = re.compile(r"(\d+) ?(KiB|MiB|GiB|TiB)", re.ASCII)


class NotThis(LsdError):
    """A value has the wrong type; the text says what was found."""


def shown(value: object) -> str:
    """A wrong value for "found …": short ones as they are, others by their type."""
    match value:
        case bool():
            return str(value).lower()
        case int() | float() | Decimal():
            return str(value).lower()[:SHOWN_LENGTH_MAX]
        case str() if len(value) > SHOWN_LENGTH_MAX:
            return f'{quote(value[:SHOWN_LENGTH_MAX])[:-1]}…"'
        case str():
            return quote(value)
        case _:
            return kind_of(value)


def as_integer(value: object) -> int:
    """Raises NotThis."""
    if not isinstance(value, int) or isinstance(value, bool):
        raise NotThis(shown(value))
    if not INTEGER_MIN <= value <= INTEGER_MAX:
        raise NotThis("an integer of more than 64 bits")
    return value


def as_number(value: object) -> float:
    """A finite float; integers are numbers, too. Raises NotThis."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise NotThis(shown(value))
    try:
        number = float(value)
    except OverflowError:
        raise NotThis("a number beyond all bounds") from None
    if not math.isfinite(number):
        raise NotThis(shown(value))
    return number


def as_decimal(value: object) -> Decimal:
    """An exact decimal; a snapshot holds it as a text. Raises NotThis."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise NotThis(shown(value))
    number = Decimal(value)
    exponent = number.as_tuple().exponent
    if not isinstance(exponent, int):  # infinite, or not a number
        raise NotThis(shown(value))
    if exponent < -EXPONENT_MAX or number.adjusted() > EXPONENT_MAX:
        raise NotThis("a number with too many digits")
    return number


def as_size(value: object) -> int:
    """Bytes, out of an integer or a text with a unit. Raises NotThis."""
    if not isinstance(value, str):
        return as_integer(value)
    found = _SIZE.fullmatch(value)
    if found is None:
        raise NotThis(shown(value))
    return as_integer(int(found[1]) * _UNITS[found[2]])


def as_json(value: object) -> Any:
    """Any TOML value in the types of JSON. Raises NotThis."""
    match value:
        case bool() | str():
            return value
        case int():
            return as_integer(value)
        case float() | Decimal():
            return as_number(value)
        case datetime() | date() | time():
            return value.isoformat()
        case list():
            return [as_json(each) for each in value]
        case dict():
            return {key: as_json(each) for key, each in value.items()}
        case _:
            raise NotThis(kind_of(value))


def as_boolean(value: object) -> bool:
    """Raises NotThis."""
    if not isinstance(value, bool):
        raise NotThis(shown(value))
    return value


def as_text(value: object) -> str:
    """Raises NotThis."""
    if not isinstance(value, str):
        raise NotThis(shown(value))
    return value
