"""Keys whose value is the content of a file."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from lsd.config.key_path import KeyPath
from lsd.config.reading.document import kind_of
from lsd.config.reading.values import shown
from lsd.config.tables.variants import TextFile
from lsd.conversation import BadSchema, NotJson, Schema, decode_json

if TYPE_CHECKING:
    from lsd.config.reading.reader import Reader

ANY_SCHEMA: Final = Schema.compile(True)
"""Stands in for a schema that could not be read, so that the other checks can go on."""


def read_file(reader: "Reader", value: Any, path: KeyPath) -> TextFile | None:
    """The file that a key names; None after a problem has been told."""
    written = reader.texts.path_of(value)
    if written is None:
        reader.mismatch(path, shown(value), "a string, the path of a file")
        return None
    folder = reader.later.document.folder_of(path)
    try:
        return TextFile(path=written, text=reader.texts.text_of(folder, value))
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        reader.later.refuse(path, f'cannot read "{written}" from {folder}: {reason}')
        return None


def read_file_table(reader: "Reader", value: Any, path: KeyPath) -> TextFile | None:
    """The file of a table that holds only `path`; None after a problem has been told."""
    if reader.texts.is_inline:
        return read_file(reader, value, path)
    if not isinstance(value, Mapping):
        reader.mismatch(path, kind_of(value), 'a table such as { path = "…" }')
        return None
    reader.refuse_unknown(value, ["path"], path)
    if "path" not in value:
        reader.shape.refuse((*path, "path"), "missing; it is required")
        return None
    return read_file(reader, value["path"], (*path, "path"))


def read_schema(reader: "Reader", file: TextFile | None, path: KeyPath, home: KeyPath) -> Schema:
    """A compiled schema; `home` is where it stands in the canonical form."""
    reader.written[home] = {"path": file.path, "text": file.text} if file else {}
    if file is None:
        return ANY_SCHEMA
    try:
        return Schema.compile(decode_json(file.text))
    except NotJson as error:
        reader.later.refuse(path, f'"{file.path}" is not JSON: {error}')
    except BadSchema as error:
        reader.later.refuse(path, f'"{file.path}" is {error}')
    return ANY_SCHEMA
