"""Several files as one document that remembers which file holds which key."""

from collections.abc import Mapping
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

import attrs

from lsd.config.key_path import KeyPath
from lsd.config.problem import Problem
from lsd.config.reading.globs import ConfigFile


@attrs.frozen
class Document:
    """Merged tables; `origins` has a file for each key outside of arrays.

    `home` is where relative paths start that stand in no file.
    """

    tree: Mapping[str, Any]
    origins: Mapping[KeyPath, ConfigFile]
    home: Path

    def file_of(self, path: KeyPath) -> str:
        """The file that holds the key, or the table in which it is missing; "" if none does."""
        file = self._origin(path)
        return file.shown if file else ""

    def folder_of(self, path: KeyPath) -> Path:
        """Where a relative path that stands at `path` starts."""
        file = self._origin(path)
        return file.path.parent if file else self.home

    def _origin(self, path: KeyPath) -> ConfigFile | None:
        for length in range(len(path), 0, -1):
            if path[:length] in self.origins:
                return self.origins[path[:length]]
        return None


def merge(
    parts: list[tuple[ConfigFile, Mapping[str, Any]]], home: Path
) -> tuple[Document, list[Problem]]:
    """The tables of all files together; a key that is not a table may stand in one file only."""
    tree: dict[str, Any] = {}
    origins: dict[KeyPath, ConfigFile] = {}
    problems: list[Problem] = []
    for file, table in parts:
        problems += _add(tree, table, (), file, origins)
    return Document(tree, origins, home), problems


def _add(
    into: dict[str, Any],
    table: Mapping[str, Any],
    path: KeyPath,
    file: ConfigFile,
    origins: dict[KeyPath, ConfigFile],
) -> list[Problem]:
    problems: list[Problem] = []
    for key, value in table.items():
        place = (*path, key)
        if key not in into:
            origins[place] = file
            into[key] = value
            if isinstance(value, dict):
                into[key] = {}
                problems += _add(into[key], value, place, file, origins)
        elif isinstance(value, dict) and isinstance(into[key], dict):
            problems += _add(into[key], value, place, file, origins)
        else:
            problems.append(_clash(place, into[key], value, file, origins[place]))
    return problems


def _clash(
    path: KeyPath, first: object, second: object, file: ConfigFile, other: ConfigFile
) -> Problem:
    if isinstance(first, dict) == isinstance(second, dict):
        found = f"also set in {other.shown}"
        return Problem(
            file=file.shown, path=path, found=found, wanted="a key may stand in one file only"
        )
    found = f"found {kind_of(second)} here and {kind_of(first)} in {other.shown}"
    return Problem(file=file.shown, path=path, found=found)


def kind_of(value: object) -> str:
    """The TOML type of a value, with its article."""
    match value:
        case bool():
            return "a boolean"
        case int():
            return "an integer"
        case float() | Decimal():
            return "a float"
        case str():
            return "a string"
        case dict():
            return "a table"
        case list() | tuple():
            return "an array"
        case datetime() | date() | time():
            return "a date or time"
        case _:
            return "nothing"
