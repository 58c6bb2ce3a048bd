"""From merged tables to the classes of the configuration, with every problem on the way."""

from collections.abc import Collection, Mapping
from typing import Any, Final, Literal, get_args, get_origin

import attrs

from lsd.config.annotations import (
    Key,
    find_mark,
    is_union,
    keys_of,
    members_of,
    split_marks,
    tag_of,
    words_for,
)
from lsd.config.findings import Findings, listed
from lsd.config.key_path import KeyPath, quote
from lsd.config.kinds import Deprecated, NameOfTable, TextForm, Within
from lsd.config.reading.document import kind_of
from lsd.config.reading.hints import hint_for_key, hint_for_type
from lsd.config.reading.leaves import leaf_for
from lsd.config.reading.spellings import keys_known_to, read_within, spelling_of
from lsd.config.reading.texts import Texts
from lsd.config.reading.values import shown
from lsd.conversation import closest


@attrs.define(eq=False)
class Reader:
    """Reads tables.

    Wrong types, unknown and missing keys go to `shape`; what is wrong with a value of the right
    type goes to `later`, and a harmless value takes its place. A `tolerant` reader passes over
    unknown keys. `written` collects paths as they stand in the files, with the texts of schemas;
    `paths` says where relative paths are that come from a snapshot.
    """

    shape: Findings
    later: Findings
    texts: Texts
    tolerant: bool = False
    paths: Mapping[str, str] = attrs.field(factory=dict)
    written: dict[KeyPath, Any] = attrs.field(factory=dict, init=False)

    def table(self, table: type, value: Any, path: KeyPath, *, beside: Collection[str] = ()) -> Any:
        """An instance of a table class; `beside` are keys that belong to somebody else."""
        if not isinstance(value, Mapping):
            return self.mismatch(path, kind_of(value), "a table")
        keys = keys_of(table)
        known = keys_known_to(keys)
        if known is not None:
            self.refuse_unknown(value, [*known, *beside], path)
        made: dict[str, Any] = {}
        for key in keys:
            made |= self._attribute(table, key, value, path)
        return table(**made)

    def value(self, annotation: Any, value: Any, path: KeyPath) -> Any:
        """A value of the annotated type; anything at all after a problem has been told."""
        inner, marks = split_marks(annotation)
        leaf = leaf_for(inner, marks)
        if leaf is not None:
            return leaf(self, annotation, value, path)
        if is_union(inner):
            return self._member(annotation, value, path)
        origin = get_origin(inner)
        if origin is Literal:
            return self._literal(inner, value, path)
        if origin is tuple:
            return self._array(inner, value, path)
        if origin in _MAPPINGS:
            return self._mapping(inner, value, path)
        assert attrs.has(inner), f"no way to read {inner}"
        return self.tagged((inner,), value, path)

    def tagged(
        self, tables: tuple[type, ...], value: Any, path: KeyPath, *, beside: Collection[str] = ()
    ) -> Any:
        """One of several table classes, by the key `type`."""
        if not isinstance(value, Mapping):
            return self.mismatch(path, kind_of(value), "a table")
        tags = {tag: table for table in tables if (tag := tag_of(table)) is not None}
        if not tags:
            return self.table(_by_keys(tables, value), value, path, beside=beside)
        table = self._table_for(tags, value, path)
        return None if table is None else self.table(table, value, path, beside=beside)

    def _attribute(
        self, table: type, key: Key, value: Mapping[str, Any], path: KeyPath
    ) -> dict[str, Any]:
        """The value of one attribute by its name; nothing where the default counts."""
        place = (*path, key.name)
        spelling = spelling_of(key)
        if spelling is not None:
            return {key.name: spelling.read(self, value, path)}
        if key.mark(Within) is not None:
            return {key.name: read_within(self, key, table, value, path)}
        if key.name == "type" and (tag := tag_of(table)) is not None:
            return {key.name: tag}
        if key.name in value:
            deprecated = key.mark(Deprecated)
            if deprecated is not None:
                self.later.warn(place, "deprecated", deprecated.instead)
            return {key.name: self.value(key.annotation, value[key.name], place)}
        if key.mark(NameOfTable) is not None:
            return {key.name: path[-1]}
        if not key.is_required:
            return {}
        self.shape.refuse(place, "missing; it is required", f"wanted {words_for(key.annotation)}")
        return {key.name: None}

    def _table_for(
        self, tags: Mapping[str, type], value: Mapping[str, Any], path: KeyPath
    ) -> type | None:
        place = (*path, "type")
        choice = " or ".join(map(quote, sorted(tags)))
        if "type" not in value:
            defaults = [each for each in tags.values() if getattr(each, "is_default_type", False)]
            if not defaults:
                self.shape.refuse(place, "missing; it is required", f"wanted {choice}")
            return defaults[0] if defaults else None
        found = value["type"]
        old = {name: tag for tag in tags for name in getattr(tags[tag], "old_types", ())}
        if isinstance(found, str) and found in old:
            self.later.warn(place, f"{quote(found)} is deprecated", f"write {quote(old[found])}")
            return tags[old[found]]
        if not isinstance(found, str) or found not in tags:
            hint = hint_for_type(place, found) if isinstance(found, str) else None
            wanted = f"{hint}; wanted {choice}" if hint else f"wanted {choice}"
            self.shape.refuse(place, f"found {shown(found)}", wanted)
            return None
        instead = getattr(tags[found], "deprecated_type", None)
        if instead is not None:
            self.later.warn(place, f"{quote(found)} is deprecated", instead)
        return tags[found]

    def refuse_unknown(
        self, value: Mapping[str, Any], known: Collection[str], path: KeyPath
    ) -> None:
        """Tells of each key of a table that is not known there."""
        for key in value:
            if key in known or self.tolerant:
                continue
            hint = hint_for_key((*path, key))
            if hint is None:
                guess = closest(key, known)
                listing = f"known keys: {listed(known)}"
                hint = f"did you mean {guess}? {listing}" if guess else listing
            self.shape.refuse((*path, key), "unknown key", hint)

    def _member(self, annotation: Any, value: Any, path: KeyPath) -> Any:
        """A value of the member of a union that takes this type of TOML."""
        inner, _ = split_marks(annotation)
        members = members_of(inner)
        tables = tuple(each for each in members if attrs.has(each))
        if isinstance(value, Mapping) and tables:
            return self.tagged(tables, value, path)
        for member in members:
            if _takes(member, value):
                return self.value(member, value, path)
        if len(members) == 1:
            return self.value(members[0], value, path)
        secret = (mark := find_mark(annotation, TextForm)) is not None and mark.secret
        return self.mismatch(
            path, kind_of(value) if secret else shown(value), words_for(annotation)
        )

    def _literal(self, literal: Any, value: Any, path: KeyPath) -> Any:
        if isinstance(value, str) and value in get_args(literal):
            return value
        return self.mismatch(path, shown(value), words_for(literal))

    def _array(self, array: Any, value: Any, path: KeyPath) -> Any:
        if not isinstance(value, list):
            return self.mismatch(path, shown(value), words_for(array))
        item = get_args(array)[0]
        return tuple(self.value(item, each, (*path, at)) for at, each in enumerate(value))

    def _mapping(self, mapping: Any, value: Any, path: KeyPath) -> Any:
        if not isinstance(value, Mapping):
            return self.mismatch(path, shown(value), "a table")
        item = get_args(mapping)[1]
        return {name: self.value(item, each, (*path, name)) for name, each in value.items()}

    def mismatch(self, path: KeyPath, found: str, wanted: str) -> None:
        """A value has the wrong type."""
        self.shape.refuse(path, f"found {found}", f"wanted {wanted}")


def _by_keys(tables: tuple[type, ...], value: Mapping[str, Any]) -> type:
    """The first class that has any of these keys, else the first class."""
    for table in tables:
        if any(key.name in value for key in keys_of(table)):
            return table
    return tables[0]


def _takes(member: Any, value: Any) -> bool:
    inner, marks = split_marks(member)
    kinds = {type(mark) for mark in marks}
    if get_origin(inner) is Literal:
        return isinstance(value, str) and value in get_args(inner)
    if TextForm in kinds or inner is str:
        return isinstance(value, str)
    if inner is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return False


_MAPPINGS: Final = (Mapping, dict)
