"""Where the attributes of the classes stand in the files, for those with several spellings."""

from collections.abc import Mapping
from typing import Any

from lsd.config.key_path import KeyPath
from lsd.config.reading.document import Document


def is_written(document: Document, path: KeyPath) -> bool:
    """Whether the files have this key."""
    value: Any = document.tree
    for part in path:
        if not isinstance(value, Mapping) or part not in value:
            return False
        value = value[part]
    return True


def template_place(document: Document, path: KeyPath, name: str) -> KeyPath:
    """The key that gives the template `name` to the call at `path`."""
    older = [(*path, f"{name}_template"), (*path, "input_wrappers", name)]
    for place in older:
        if is_written(document, place):
            return place
    return (*path, "templates", name)


def schema_place(document: Document, path: KeyPath, name: str) -> KeyPath:
    """The key that gives the schema `name` to the function at `path`."""
    older = (*path, f"{name}_schema")
    return older if is_written(document, older) else (*path, "schemas", name)
