"""What the annotations of the tables say, taken apart once for each class."""

import types
from collections.abc import Iterator, Mapping
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

import attrs

from lsd.config.key_path import quote
from lsd.config.kinds import (
    AnyToml,
    Check,
    JsonFile,
    KeptAsWritten,
    Money,
    SizeInBytes,
    TextFileKey,
    TextForm,
    WeightKeys,
)

Mark = TypeVar("Mark")


@attrs.frozen(kw_only=True)
class Key:
    """One attribute of a table class: its name, which is the key, and what it may hold."""

    name: str
    annotation: Any
    is_required: bool
    default: Any = None
    _marks: Mapping[type, Any] = attrs.field(init=False, repr=False)

    @_marks.default
    def _(self) -> Mapping[type, Any]:
        # Each key is asked for several marks wherever it stands in a configuration.
        return {type(mark): mark for mark in reversed(list(_marks_in(self.annotation)))}

    def mark(self, kind: type[Mark]) -> Mark | None:
        """The mark of this kind, wherever it stands in the annotation."""
        return self._marks.get(kind)


def keys_of(table: Any) -> tuple[Key, ...]:
    """The attributes of a table class that come from the configuration."""
    return _keys_of(table)


@cache
def _keys_of(table: Any) -> tuple[Key, ...]:
    hints = get_type_hints(table, include_extras=True)
    return tuple(
        Key(
            name=field.name,
            annotation=hints[field.name],
            is_required=field.default is attrs.NOTHING,
            default=field.default,
        )
        for field in attrs.fields(table)
        if field.init and field.metadata.get("key", field.name) is not None
    )


def split_marks(annotation: Any) -> tuple[Any, tuple[Any, ...]]:
    """The type within `Annotated`, and the marks beside it."""
    if get_origin(annotation) is Annotated:
        inner, *marks = get_args(annotation)
        return inner, tuple(marks)
    return annotation, ()


def find_mark(annotation: Any, kind: type[Mark]) -> Mark | None:
    """The mark of this kind on an annotation or on one member of its union."""
    return next((mark for mark in _marks_in(annotation) if isinstance(mark, kind)), None)


def _marks_in(annotation: Any) -> Iterator[Any]:
    """All marks of an annotation, the outer ones first."""
    inner, marks = split_marks(annotation)
    yield from marks
    for member in members_of(inner) if is_union(inner) else ():
        yield from _marks_in(member)


def checks_of(annotation: Any) -> tuple[Check, ...]:
    """The demands on a value beyond its type."""
    _, marks = split_marks(annotation)
    return tuple(mark for mark in marks if hasattr(mark, "fits"))


def is_union(annotation: Any) -> bool:
    """Whether the annotation offers several types."""
    return get_origin(annotation) in (Union, types.UnionType)


def members_of(annotation: Any) -> tuple[Any, ...]:
    """The types of a union without None; the annotation itself where it is none."""
    if not is_union(annotation):
        return (annotation,)
    return tuple(each for each in get_args(annotation) if each is not types.NoneType)


def tag_of(table: type) -> str | None:
    """The value of `type` that stands for this class; None for a class without such a key."""
    for key in keys_of(table):
        if key.name == "type" and get_origin(key.annotation) is Literal:
            tags = get_args(key.annotation)
            return tags[0] if len(tags) == 1 else None
    return None


def words_for(annotation: Any) -> str:
    """What a value has to be, in words: `a list of strings`."""
    inner, marks = split_marks(annotation)
    for mark in marks:
        if isinstance(mark, TextForm):
            return f"a {mark.kind}" if mark.kind[0] not in '"aeiouU' else mark.kind
        if type(mark) in _MARK_WORDS:
            return _MARK_WORDS[type(mark)]
    if is_union(inner):
        return " or ".join(dict.fromkeys(words_for(each) for each in members_of(inner)))
    origin = get_origin(inner)
    if origin is Literal:
        return " or ".join(quote(each) for each in get_args(inner))
    if origin is tuple:
        return f"a list of {_PLURALS.get(words_for(get_args(inner)[0]), 'tables')}"
    return _TYPE_WORDS.get(inner, "a table")


_MARK_WORDS: dict[type, str] = {
    SizeInBytes: 'a size: an integer, or a string such as "64 MiB"',
    Money: "a number",
    JsonFile: "a string, the path of a JSON Schema file",
    TextFileKey: "a string, the path of a text file",
    KeptAsWritten: "a string, a path",
    AnyToml: "a value",
    WeightKeys: "a list of strings or a table of numbers",
}
_TYPE_WORDS: dict[Any, str] = {
    str: "a string",
    bool: "true or false",
    int: "an integer",
    float: "a number",
    Decimal: "a number",
    Path: "a string, a path",
    Mapping: "a table",
}
_PLURALS = {"a string": "strings", "an integer": "integers", "a number": "numbers"}
