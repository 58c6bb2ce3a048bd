"""The reference of all keys, derived from the classes that read them."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, get_args, get_origin

import attrs

from lsd.config.annotations import (
    Key,
    checks_of,
    find_mark,
    is_union,
    keys_of,
    members_of,
    split_marks,
    tag_of,
    words_for,
)
from lsd.config.kinds import LimitKeys, NameOfTable, SchemaKeys, TemplateKeys, TextForm, Within
from lsd.config.reading.limits import AMOUNTS, SHORT_KEYS
from lsd.config.reading.schemas import ROLES, SCHEMA_KEYS
from lsd.config.reading.templates import TEMPLATE_KEYS
from lsd.config.tables.config import Config
from lsd.config.tables.rate_limiting import Limit
from lsd.conversation import encode_json

ANY: Final = "*"
"""Stands in a path for a name that the operator chooses, or for an index."""

_FILE: Final = "a string, the path of a file"


@attrs.frozen(kw_only=True)
class KeyDescription:
    """One key of `lsd.toml`.

    `path` is dotted with `*` for names and indexes; `type` says in words what the key takes;
    `default` is written as in TOML, None where there is none. `tables` are the values of `type`
    with which a table has this key, empty where every table of that path has it.
    """

    path: str
    type: str
    default: str | None = None
    is_required: bool = False
    tables: tuple[str, ...] = ()


def describe() -> tuple[KeyDescription, ...]:
    """Every key, sorted by path, each once."""
    found: dict[str, KeyDescription] = {}
    for each in _table(Config, "", ()):
        first = found.get(each.path)
        found[each.path] = _together(first, each) if first else each
    return tuple(found[path] for path in sorted(found))


def _together(first: KeyDescription, second: KeyDescription) -> KeyDescription:
    """One description of a key that several tables have."""
    types = dict.fromkeys((*first.type.split(" or "), *second.type.split(" or ")))
    defaults = dict.fromkeys(each for each in (first.default, second.default) if each is not None)
    return KeyDescription(
        path=first.path,
        type=first.type if first.type == second.type else " or ".join(types),
        default=" or ".join(defaults) or None,
        is_required=first.is_required and second.is_required,
        tables=tuple(sorted({*first.tables, *second.tables})),
    )


def _table(table: Any, path: str, tags: tuple[str, ...]) -> Iterator[KeyDescription]:
    tag = tag_of(table)
    tags = tags if tag is None else (tag,)
    for key in keys_of(table):
        place = f"{path}.{key.name}" if path else key.name
        if key.mark(Within) is not None:
            yield from _value(key, split_marks(key.annotation)[0], path, tags)
        elif key.name == "type" and tag is not None:
            yield _tag(table, tag, place)
        elif key.mark(SchemaKeys) or key.mark(TemplateKeys) or key.mark(LimitKeys):
            yield from _spelled(key, path, tags)
        else:
            yield from _value(key, key.annotation, place, tags)


def _tag(table: Any, tag: str, path: str) -> KeyDescription:
    is_default = getattr(table, "is_default_type", False)
    return KeyDescription(
        path=path,
        type=f'"{tag}"',
        default=f'"{tag}"' if is_default else None,
        is_required=not is_default,
        tables=(tag,),
    )


def _value(key: Key, annotation: Any, path: str, tags: tuple[str, ...]) -> Iterator[KeyDescription]:
    """The key itself, or the keys within the tables that it holds."""
    members = members_of(annotation)
    tables = [member for member in members if _holds_tables(member)]
    for member in tables:
        yield from _within(key, member, path, tags)
    if not tables or len(tables) < len(members):
        yield _leaf(key, annotation, path, tags)


def _within(key: Key, member: Any, path: str, tags: tuple[str, ...]) -> Iterator[KeyDescription]:
    inner, _ = split_marks(member)
    match get_origin(inner):
        case origin if origin is tuple:
            yield from _value(key, get_args(inner)[0], f"{path}.{ANY}", tags)
        case origin if origin is Mapping:
            yield from _value(key, get_args(inner)[1], f"{path}.{ANY}", tags)
        case _:
            yield from _table(inner, path, tags)


def _holds_tables(annotation: Any) -> bool:
    inner, marks = split_marks(annotation)
    if any(isinstance(mark, TextForm) for mark in marks):
        return False
    if is_union(inner):
        return any(_holds_tables(member) for member in members_of(inner))
    if get_origin(inner) in (tuple, Mapping):
        return _holds_tables(get_args(inner)[0 if get_origin(inner) is tuple else 1])
    return attrs.has(inner) and not marks


def _leaf(key: Key, annotation: Any, path: str, tags: tuple[str, ...]) -> KeyDescription:
    checks = [check for member in members_of(annotation) for check in checks_of(member)]
    words = [words_for(annotation), *(check.wanted for check in checks)]
    return KeyDescription(
        path=path,
        type=", ".join(dict.fromkeys(words)),
        default=_default(key),
        is_required=key.is_required and key.mark(NameOfTable) is None,
        tables=tags,
    )


def _default(key: Key) -> str | None:
    """The default as TOML writes it; None where there is none, or where other keys decide."""
    default = key.default
    if isinstance(default, attrs.Factory):  # type: ignore[arg-type]  # attrs types it as a function
        if default.takes_self:
            return None
        default = default.factory()
    if default is attrs.NOTHING or default is None:
        return None
    form = find_mark(key.annotation, TextForm)
    if form is not None:
        default = form.show(default)
    return encode_json(str(default) if isinstance(default, Path) else default).decode()


def _spelled(key: Key, path: str, tags: tuple[str, ...]) -> Iterator[KeyDescription]:
    if key.mark(LimitKeys) is not None:
        yield from _table(Limit, f"{path}.limits.{ANY}", tags)
        for name in SHORT_KEYS:
            yield KeyDescription(path=f"{path}.{name}", type="a number", tables=tags)
            for amount in AMOUNTS:
                yield KeyDescription(path=f"{path}.{name}.{amount}", type="a number", tables=tags)
        return
    yield KeyDescription(
        path=f"{path}.{key.name}.{ANY}.path", type=_FILE, is_required=True, tables=tags
    )
    older = [*SCHEMA_KEYS] if key.mark(SchemaKeys) else [*TEMPLATE_KEYS]
    if key.mark(TemplateKeys) is not None:
        older += [f"input_wrappers.{role}" for role in ROLES]
    for name in older:
        yield KeyDescription(path=f"{path}.{name}", type=_FILE, tables=tags)
