"""The canonical form of a configuration, its hash, and the way back."""

import hashlib
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import attrs

from lsd.config.annotations import Key, keys_of, members_of, split_marks
from lsd.config.findings import Findings
from lsd.config.key_path import KeyPath
from lsd.config.kinds import TextForm, Within
from lsd.config.overrides import place_objects
from lsd.config.problem import ConfigRefused
from lsd.config.reading.document import Document
from lsd.config.reading.reader import Reader
from lsd.config.reading.texts import SNAPSHOT_TEXTS
from lsd.config.tables.config import Config
from lsd.conversation import decimal_text, encode_json_sorted, reread_json

MASK: Final = "***"
"""Stands for a value that is kept from the disk."""

FORMAT: Final = 1
"""Stands in each snapshot, so that a later release can tell old forms apart."""


def canonical_tree(config: Config, written: Mapping[KeyPath, Any]) -> dict[str, Any]:
    """The tables with all defaults, unset keys left out, files by path and text.

    `written` holds what the reader has collected: paths as the files give them, and the texts of
    schemas.
    """
    tree: dict[str, Any] = _table(config, (), written)
    return tree


def encode_snapshot(tree: Mapping[str, Any], template_files: Mapping[str, str]) -> bytes:
    """The bytes that are stored; equal configurations give equal ones."""
    return encode_json_sorted(
        {"format": FORMAT, "config": tree, "template_files": dict(template_files)}
    )


def hash_of(snapshot: bytes) -> str:
    """SHA-256 in hex."""
    return hashlib.sha256(snapshot).hexdigest()


def without_secrets(snapshot: bytes) -> bytes:
    """A snapshot that may lie on a disk: values of headers, which may be keys, are masked.

    It opens like any other, and keeps the hash of the whole one.
    """
    return encode_json_sorted(_masked(reread_json(snapshot)))


def _masked(value: Any) -> Any:
    match value:
        case {"extra_headers": headers, **others}:
            return {**_masked(others), "extra_headers": _masked_headers(headers)}
        case dict():
            return {key: _masked(each) for key, each in value.items()}
        case list():
            return [_masked(each) for each in value]
        case _:
            return value


def _masked_headers(headers: Any) -> Any:
    if isinstance(headers, dict):
        return dict.fromkeys(headers, MASK)
    return [{**each, "value": MASK} if "value" in each else each for each in headers]


def open_snapshot(
    snapshot: bytes, *, paths: Mapping[str, str] | None = None, home: Path = Path()
) -> Config:
    """The configuration of a snapshot; keys that no longer exist are passed over.

    `paths` are those of the `Loaded` from which the snapshot comes; without them, relative paths
    start at `home`. Raises ConfigRefused for what is not a snapshot.
    """
    whole = reread_json(snapshot)
    findings = Findings(Document(whole["config"], {}, home))
    reader = Reader(findings, findings, SNAPSHOT_TEXTS, tolerant=True, paths=paths or {})
    config: Config = reader.table(Config, whole["config"], ())
    if findings.problems:
        raise ConfigRefused(tuple(findings.problems))
    return place_objects(attrs.evolve(config, template_files=whole["template_files"]))


def _table(value: Any, path: KeyPath, written: Mapping[KeyPath, Any]) -> Any:
    tree: dict[str, Any] = {}
    for key in keys_of(value.__class__):
        each = getattr(value, key.name)
        if key.mark(Within) is not None:
            tree |= _table(each, path, written)
            continue
        place = (*path, key.name)
        shown = _value(each, place, written, _form_of(key, each))
        if shown is not None:
            tree[key.name] = shown
    return tree


def _form_of(key: Key, value: Any) -> TextForm | None:
    """The text form of a value, unless it is one of the tables that may stand in its place."""
    inner, marks = split_marks(key.annotation)
    tables = () if marks else tuple(each for each in members_of(inner) if attrs.has(each))
    return None if isinstance(value, tables) else key.mark(TextForm)


def _value(
    value: Any, path: KeyPath, written: Mapping[KeyPath, Any], form: TextForm | None = None
) -> Any:
    if path in written:
        return written[path]
    if form is not None and value is not None:
        return form.show(value)
    match value:
        case None | bool() | int() | float():
            return value
        case Decimal():
            return decimal_text(value)
        case Path():
            return str(value)
        case Mapping():
            return {name: _value(each, (*path, name), written) for name, each in value.items()}
        case list() | tuple():
            return [_value(each, (*path, at), written) for at, each in enumerate(value)]
        case str():
            return value
        case _:
            return _table(value, path, written)
