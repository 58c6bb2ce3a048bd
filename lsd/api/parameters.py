"""What stands in paths and queries: ids, numbers, flags, cursors."""

from collections.abc import Iterable

import attrs

from lsd.api.errors import Refused
from lsd.api.exchange import Request
from lsd.conversation import BadId, describe_json, parse_id

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
    request: Request, name: str, choices: Iterable[str], *, default: str | None = None
) -> str:
    """A parameter out of several words; required without a default."""
    found = request.query.get(name, default)
    wanted = f"one of {', '.join(choices)}"
    if found is None:
        raise Refused(400, f"{name}: missing; wanted {wanted}")
    if found not in choices:
        raise Refused(400, f"{name}: found {describe_json(found)}; wanted {wanted}")
    return found


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
