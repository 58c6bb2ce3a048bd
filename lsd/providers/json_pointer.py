"""JSON Pointers (RFC 6901) that change a document: set, append, delete.

Documents are not altered: the containers on the way to the place are copied, all others shared, so
that what a caller or the configuration holds is never written into.
"""

import re
from typing import Any, Final

import attrs

from lsd.conversation import JsonValue, LsdError

_BAD_ESCAPE = re.compile(r"~(?![01])")
_DIGITS = re.compile(r"[0-9]+\Z")
_INDEX = re.compile(r"(0|[1-9][0-9]{0,8})\Z")
"""An array index as RFC 6901 writes it, without leading zeros; nine digits are beyond any array."""

_APPEND: Final = "-"


@attrs.frozen
class BadPointer(LsdError):
    """A pointer is none, or leads nowhere in this document."""

    pointer: str
    reason: str

    def __str__(self) -> str:
        return f"pointer {self.pointer!r}: {self.reason}"


def with_value(document: JsonValue, pointer: str, value: JsonValue) -> JsonValue:
    """`document` with `value` at `pointer`.

    Missing objects on the way are made, and a final `-` appends to an array, or begins one where
    nothing is: built-in tools, say, need not know whether there are others.
    Raises BadPointer when the way leads through a scalar, past the end of an array, or would need
    an array that is not there.
    """
    parts = _parts(pointer)
    root = place = _copied(document, pointer, "")
    for depth, part in enumerate(parts[:-1]):
        key = _key(place, part, pointer)
        if isinstance(place, dict) and key not in place:
            beyond = parts[depth + 1 :]
            _refuse_missing_array(beyond, part, pointer)
            place[key] = [] if beyond == [_APPEND] else {}
        elif isinstance(place, list) and not key < len(place):
            raise BadPointer(pointer, _no_element(part, place))
        place[key] = _copied(place[key], pointer, part)
        place = place[key]
    _set(place, parts[-1], value, pointer)
    return root


def without(document: JsonValue, pointer: str) -> tuple[JsonValue, bool]:
    """`document` without what is at `pointer`, and whether there was something.

    Raises BadPointer when the way leads through a scalar, and for `-`, where nothing ever is.
    """
    parts = _parts(pointer)
    root = place = _copied(document, pointer, "")
    for part in parts[:-1]:
        key = _key(place, part, pointer)
        if not _has(place, key):
            return document, False
        place[key] = _copied(place[key], pointer, part)
        place = place[key]
    key = _key(place, parts[-1], pointer)
    if not _has(place, key):
        return document, False
    del place[key]
    return root, True


def _parts(pointer: str) -> list[str]:
    if not pointer:
        raise BadPointer(pointer, "found nothing; wanted a pointer such as /temperature")
    if not pointer.startswith("/"):
        raise BadPointer(pointer, "does not start with `/`")
    if pointer.endswith("/"):
        raise BadPointer(pointer, "ends in `/`; wanted the name of a field or `-` there")
    if _BAD_ESCAPE.search(pointer):
        raise BadPointer(pointer, "has a `~` without 0 or 1 after it; write `~` as `~0`")
    return [part.replace("~1", "/").replace("~0", "~") for part in pointer[1:].split("/")]


def _copied(value: JsonValue, pointer: str, part: str) -> Any:
    if isinstance(value, dict):
        return dict(value)
    if isinstance(value, list | tuple):
        return list(value)
    raise BadPointer(pointer, f"`{part}` is neither an object nor an array")


def _key(place: Any, part: str, pointer: str) -> Any:
    """The key or index that `part` means in `place`."""
    if part == _APPEND:
        raise BadPointer(pointer, "`-` may only be last, and only to append to an array")
    if isinstance(place, dict):
        return part
    if not _INDEX.match(part):
        raise BadPointer(pointer, f"`{part}` is no index of an array")
    return int(part)


def _has(place: Any, key: Any) -> bool:
    return key in place if isinstance(place, dict) else key < len(place)


def _refuse_missing_array(beyond: list[str], part: str, pointer: str) -> None:
    """Below what is missing only objects can be made, and an array at the very end."""
    for place, each in enumerate(beyond, 1):
        if _DIGITS.match(each) or (each == _APPEND and place < len(beyond)):
            raise BadPointer(
                pointer, f"`{part}` is missing, so there is no array in which `{each}` could be"
            )


def _set(place: Any, part: str, value: JsonValue, pointer: str) -> None:
    if part == _APPEND and isinstance(place, list):
        place.append(value)
        return
    key = _key(place, part, pointer)
    if isinstance(place, list) and not key < len(place):
        raise BadPointer(pointer, f"{_no_element(part, place)}; `-` appends")
    place[key] = value


def _no_element(part: str, place: list[Any]) -> str:
    return f"there is no element {part} in an array of {len(place)}"
