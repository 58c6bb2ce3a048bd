"""The schemas of a function: `schemas.N.path`, and a key of its own for each role."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from lsd.config.key_path import KeyPath
from lsd.config.reading.document import kind_of
from lsd.config.reading.files import read_file, read_file_table, read_schema
from lsd.conversation import Schema

if TYPE_CHECKING:
    from lsd.config.reading.reader import Reader

ROLES: Final = ("system", "user", "assistant")
"""What has keys of its own beside `schemas` and `templates`."""

SCHEMA_KEYS: Final = {f"{role}_schema": role for role in ROLES}


def read_schemas(reader: "Reader", table: Mapping[str, Any], path: KeyPath) -> Mapping[str, Schema]:
    """All schemas of a function's table by name, whichever way they are written."""
    named = table.get("schemas", {})
    if not isinstance(named, Mapping):
        reader.mismatch((*path, "schemas"), kind_of(named), "a table")
        return {}
    schemas: dict[str, Schema] = {}
    for name, value in named.items():
        place = (*path, "schemas", name)
        schemas[name] = read_schema(reader, read_file_table(reader, value, place), place, place)
    for key, role in SCHEMA_KEYS.items():
        if key not in table:
            continue
        place = (*path, key)
        if role in schemas:
            reader.later.refuse(place, f"schemas.{role} is set, too", "write one of the two")
        home = (*path, "schemas", role)
        schemas[role] = read_schema(reader, read_file(reader, table[key], place), place, home)
    return schemas
