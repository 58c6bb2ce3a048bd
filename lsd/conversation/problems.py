"""What is wrong with a document, and where: how hooks tell it, and how it becomes a flat list."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from heapq import nsmallest
from itertools import islice
from typing import Any

import attrs
from cattrs import BaseValidationError
from cattrs.errors import AttributeValidationNote, ForbiddenExtraKeysError, IterableValidationNote

from lsd.conversation.errors import LsdError, Malformed, Problem
from lsd.conversation.json import describe_json, encode_json
from lsd.conversation.spelling import closest

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+\Z")

PROBLEMS_MAX = 50
"""Problems of a document that are told, and looked for in each of its arrays: enough to mend it by,
while a body of a hundred mebibytes of mistakes would hold up everybody else for minutes."""

PART_LENGTH_MAX = 128
"""Characters of one part of a path; longer than any name that is right."""

METADATA_KEY = "key"
"""Metadata of an attrs field whose key in the document differs from the field's name."""


@attrs.frozen
class Mismatch(LsdError):
    """A value is not what its place wants; raised by hooks, seen outside as a Problem."""

    found: str
    wanted: str

    def __str__(self) -> str:
        return f"found {self.found}; wanted {self.wanted}"


def join_path(path: str, part: str | int) -> str:
    """`path` with one more part: `a.b[3]."x y"`."""
    if isinstance(part, int):
        return f"{path}[{part}]"
    if len(part) > PART_LENGTH_MAX:
        part = part[: PART_LENGTH_MAX - 1] + "…"
    shown = part if _BARE_KEY.match(part) else encode_json(part).decode()
    return f"{path}.{shown}" if path else shown


@attrs.frozen
class _Located(LsdError):
    place: str | int
    error: Exception


@attrs.frozen
class _Several(LsdError):
    located: tuple[_Located, ...]


def at(place: str | int, error: Exception) -> LsdError:
    """`error`, told of what lies at `place` below the value that a hook is making."""
    return _Several((_Located(place, error),))


def wrong_tag(found: object, known: Iterable[str]) -> Mismatch:
    """The mismatch of a tag that chooses none of the `known` classes."""
    return Mismatch(
        "nothing" if found is None else describe_json(found), f"one of {', '.join(known)}"
    )


def collected(items: Iterable[tuple[str | int, Any]], make: Callable[[Any], Any]) -> list[Any]:
    """All of them made, or one error that holds all problems with their places."""
    made: list[Any] = []
    problems: list[_Located] = []
    for place, value in items:
        try:
            made.append(make(value))
        except Exception as error:  # noqa: BLE001 (told with its place, whatever it is)
            problems.append(_Located(place, error))
            if len(problems) > PROBLEMS_MAX:
                break
    if problems:
        raise _Several(tuple(problems))
    return made


def problems_of(error: Exception, path: str) -> tuple[Problem, ...]:
    """All that an error of reading a document tells, in the order of attributes and items.

    `path` is where the document lies. An error that is nobody's mistake but a bug is raised again.
    """
    problems = list(islice(_problems(error, path), PROBLEMS_MAX + 1))
    if len(problems) > PROBLEMS_MAX:
        problems[PROBLEMS_MAX] = Problem(path, f"more than {PROBLEMS_MAX} problems")
    return tuple(problems)


def _problems(error: BaseException, path: str) -> Iterator[Problem]:
    """Walks nested validation errors, in the order of attributes and items."""
    match error:
        case Malformed():
            yield from (Problem(_nested(path, each.path), each.reason) for each in error.problems)
        case _Several():
            for each in error.located:
                yield from _problems(each.error, join_path(path, each.place))
        case BaseValidationError():
            for inner in error.exceptions:
                yield from _problems(inner, _noted(inner, path, error.cl))
        case ForbiddenExtraKeysError():
            known = [_key_of(field) for field in attrs.fields(error.cl)]
            yield from _unknown_keys(path, error.extra_fields, known)
        case KeyError():
            yield Problem(path, "missing; it is required")
        case LsdError():
            yield Problem(path, str(error))
        case _:
            raise error


def _unknown_keys(path: str, keys: Iterable[str], known: Sequence[str]) -> Iterator[Problem]:
    return (unknown_key(path, key, known) for key in nsmallest(PROBLEMS_MAX + 1, keys))


def unknown_key(path: str, key: str, known: Sequence[str]) -> Problem:
    """The problem of a key that a table does not have, with the closest one that it has."""
    guess = closest(key, known)
    hint = f"did you mean {guess}? " if guess else ""
    listed = f"known keys: {', '.join(sorted(known))}" if known else "no keys are known here"
    return Problem(join_path(path, key), f"unknown key; {hint}{listed}")


def _nested(path: str, inner: str) -> str:
    if not inner or not path:
        return path + inner
    return path + inner if inner.startswith("[") else f"{path}.{inner}"


def _noted(error: BaseException, path: str, table: Any) -> str:
    """`path` and the part that cattrs has written on an error of a `table`."""
    for note in getattr(error, "__notes__", ()):
        if isinstance(note, AttributeValidationNote):
            return join_path(path, _key_of(attrs.fields_dict(table)[note.name]))
        if isinstance(note, IterableValidationNote):
            return join_path(path, note.index)
    return path


def _key_of(field: "attrs.Attribute[Any]") -> str:
    key: str = field.metadata.get(METADATA_KEY, field.name)
    return key
