"""What stands in paths and queries: ids, numbers, flags, cursors."""

import math
import re
from collections.abc import Sequence
from typing import TypeVar

import attrs

from lsd.api.errors import Refused
from lsd.api.exchange import Request
from lsd.conversation import BadId, describe_json, parse_id
from lsd.telemetry import parse_rfc3339_ns

Choice = TypeVar("Choice", bound=str)

_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,4})?", re.ASCII)

_LIMIT_MAX = 10**18
"""Greater limits mean the same, everything; but not all code takes their numbers."""


@attrs.frozen(kw_only=True)
class Cursor:
    """A place in a list: the ids before or after one id, or with neither the newest."""

    before: str | None
    after: str | None


def id_of(text: str, where: str) -> str:
    """The canonical form of an id. Raises Refused."""
    try:
        return parse_id(text)
    except BadId as error:
        raise Refused(400, f"{where}: {error}") from None


def id_in(request: Request, name: str) -> str:
    """The id of a parameter of the path."""
    return id_of(request.query[name], name)


def maybe_id_in(request: Request, name: str) -> str | None:
    """The id of a parameter that may be left away."""
    return id_of(request.query[name], name) if name in request.query else None


def flag_in(request: Request, name: str) -> bool:
    """A parameter that is `true` or, as when it is left away, `false`."""
    return choice_in(request, name, ("true", "false"), default="false") == "true"


def choice_in(
    request: Request, name: str, choices: Sequence[Choice], *, default: Choice | None = None
) -> Choice:
    """A parameter out of several words; required without a default."""
    found = request.query.get(name, default)
    for choice in choices:
        if choice == found:
            return choice
    told = "missing" if found is None else f"found {describe_json(found)}"
    raise Refused(400, f"{name}: {told}; wanted one of {', '.join(choices)}")


def integer_in(request: Request, name: str, *, default: int) -> int:
    """A parameter that is an integer ≥ 0."""
    found = request.query.get(name)
    if found is None:
        return default
    if not found.isascii() or not found.isdigit():
        raise Refused(400, f"{name}: found {describe_json(found)}; wanted an integer ≥ 0")
    return min(int(found), _LIMIT_MAX) if len(found) < 1000 else _LIMIT_MAX


def text_in(request: Request, name: str) -> str:
    """A parameter that is required."""
    found = request.query.get(name)
    if found is None:
        raise Refused(400, f"{name}: missing; it is required")
    return found


def cursor_in(request: Request) -> Cursor:
    """The parameters `before` and `after`."""
    cursor = Cursor(before=maybe_id_in(request, "before"), after=maybe_id_in(request, "after"))
    if cursor.before is not None and cursor.after is not None:
        raise Refused(400, "before, after: found both; wanted at most one of them")
    return cursor


def texts_in(request: Request, name: str) -> list[str] | None:
    """A parameter that lists texts between commas; without any it is an empty list."""
    found = request.query.get(name)
    if found is None:
        return None
    return found.split(",") if found else []


def number_in(request: Request, name: str, *, default: float) -> float:
    """A parameter that is a finite number."""
    found = request.query.get(name)
    if found is None:
        return default
    number = float(found) if _NUMBER.fullmatch(found) else math.nan
    if not math.isfinite(number):
        raise Refused(400, f"{name}: found {describe_json(found)}; wanted a number")
    return number


def time_ms_in(request: Request, name: str) -> int | None:
    """A parameter that is a time: the first whole millisecond that is not before it."""
    found = request.query.get(name)
    if found is None:
        return None
    try:
        return -(-parse_rfc3339_ns(found) // 1_000_000)
    except ValueError:
        wanted = "a time, such as 2026-02-03T10:15:00Z"
        raise Refused(400, f"{name}: found {describe_json(found)}; wanted {wanted}") from None
