"""Values that hold no other ones: texts, numbers, paths, files."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, get_args, get_origin

from lsd.config.annotations import find_mark, split_marks, words_for
from lsd.config.key_path import KeyPath, show_path
from lsd.config.kinds import (
    AnyToml,
    JsonFile,
    KeptAsWritten,
    Money,
    OneOrMany,
    SizeInBytes,
    TextFileKey,
    TextForm,
    Unquoted,
    WeightKeys,
)
from lsd.config.reading.document import kind_of
from lsd.config.reading.files import read_file, read_schema
from lsd.config.reading.values import (
    NotThis,
    as_boolean,
    as_decimal,
    as_integer,
    as_json,
    as_number,
    as_size,
    as_text,
    shown,
)
from lsd.config.reading.weights import read_weights
from lsd.config.tables.variants import TextFile
from lsd.conversation import Schema

if TYPE_CHECKING:
    from lsd.config.reading.reader import Reader

Leaf = Callable[["Reader", Any, Any, KeyPath], Any]
"""Reads a value, given its annotation and its place."""


def leaf_for(inner: Any, marks: tuple[Any, ...]) -> Leaf | None:
    """What reads values with these marks or of this plain type; None for what holds others."""
    for mark in marks:
        if type(mark) in _BY_MARK:
            return _BY_MARK[type(mark)]
    return _BY_TYPE.get(inner) if isinstance(inner, type) else None


def _converted(convert: Callable[[object], Any]) -> Leaf:
    def read(reader: "Reader", annotation: Any, value: Any, path: KeyPath) -> Any:
        try:
            return convert(value)
        except NotThis as error:
            unquoted = find_mark(annotation, Unquoted) is not None
            found = kind_of(value) if unquoted else str(error)
            return reader.mismatch(path, found, words_for(annotation))

    return read


def _text_form(reader: "Reader", annotation: Any, value: Any, path: KeyPath) -> Any:
    form = find_mark(annotation, TextForm)
    assert form is not None, "called for annotations with this mark only"
    if not isinstance(value, str):
        found = kind_of(value) if form.secret else shown(value)
        return reader.mismatch(path, found, words_for(annotation))
    warning = form.warn(value)
    if warning is not None:
        reader.later.warn(path, warning)
    try:
        return form.parse(value)
    except ValueError as error:
        reader.later.refuse(path, str(error))
        return form.placeholder


def _money(reader: "Reader", annotation: Any, value: Any, path: KeyPath) -> Any:
    if reader.texts.is_inline and isinstance(value, str):
        return Decimal(value)  # so a snapshot keeps it exact
    return _exact_money(reader, annotation, value, path)


def _any_toml(reader: "Reader", annotation: Any, value: Any, path: KeyPath) -> Any:
    inner, _ = split_marks(annotation)
    if get_origin(inner) is Mapping and not isinstance(value, Mapping):
        return reader.mismatch(path, shown(value), "a table")
    return _json(reader, annotation, value, path)


def _path(reader: "Reader", annotation: Any, value: Any, path: KeyPath) -> Any:
    if not isinstance(value, str):
        return reader.mismatch(path, shown(value), words_for(annotation))
    if not value:
        reader.later.refuse(path, "found an empty path")
    reader.written[path] = value
    return Path(reader.paths.get(show_path(path), reader.later.document.folder_of(path) / value))


def _schema(reader: "Reader", _: Any, value: Any, path: KeyPath) -> Schema:
    return read_schema(reader, read_file(reader, value, path), path, path)


def _text_file(reader: "Reader", _: Any, value: Any, path: KeyPath) -> TextFile:
    return read_file(reader, value, path) or TextFile(path="", text="")


def _one_or_many(reader: "Reader", annotation: Any, value: Any, path: KeyPath) -> Any:
    inner, _ = split_marks(annotation)
    if isinstance(value, Mapping):
        return (reader.value(get_args(inner)[0], value, path),)
    return reader.value(inner, value, path)


_exact_money = _converted(as_decimal)
_json = _converted(as_json)

_BY_TYPE: Final[dict[type, Leaf]] = {
    bool: _converted(as_boolean),
    float: _converted(as_number),
    int: _converted(as_integer),
    str: _converted(as_text),
}
_BY_MARK: Final[dict[type, Leaf]] = {
    AnyToml: _any_toml,
    JsonFile: _schema,
    KeptAsWritten: _path,
    Money: _money,
    OneOrMany: _one_or_many,
    SizeInBytes: _converted(as_size),
    TextFileKey: _text_file,
    TextForm: _text_form,
    WeightKeys: read_weights,
}
