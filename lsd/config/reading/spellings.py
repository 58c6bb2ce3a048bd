"""Attributes that take other keys of their table than the one of their name."""

from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING, Any, Final

import attrs

from lsd.config.annotations import Key, keys_of, members_of, split_marks
from lsd.config.key_path import KeyPath
from lsd.config.kinds import LimitKeys, SchemaKeys, TemplateKeys, Within
from lsd.config.reading.limits import SHORT_KEYS, read_limits
from lsd.config.reading.schemas import SCHEMA_KEYS, read_schemas
from lsd.config.reading.templates import TEMPLATE_KEYS, read_templates

if TYPE_CHECKING:
    from lsd.config.reading.reader import Reader


@attrs.frozen
class Spelling:
    """How such an attribute is read, and the keys that it takes."""

    keys: tuple[str, ...]
    read: Callable[["Reader", Mapping[str, Any], KeyPath], Any]


SPELLINGS: Final[dict[type, Spelling]] = {
    LimitKeys: Spelling(("limits", *SHORT_KEYS), read_limits),
    SchemaKeys: Spelling(("schemas", *SCHEMA_KEYS), read_schemas),
    TemplateKeys: Spelling(("templates", *TEMPLATE_KEYS, "input_wrappers"), read_templates),
}


def spelling_of(key: Key) -> Spelling | None:
    """The spelling of an attribute that has more keys than its own."""
    for kind, spelling in SPELLINGS.items():
        if key.mark(kind) is not None:
            return spelling
    return None


def keys_known_to(keys: Collection[Key]) -> list[str] | None:
    """The keys that a table takes; None if one of its attributes takes whatever is left."""
    known: list[str] = []
    for key in keys:
        if key.mark(Within) is not None:
            return None
        spelling = spelling_of(key)
        known += spelling.keys if spelling else (key.name,)
    return known


def read_within(
    reader: "Reader", key: Key, table: type, value: Mapping[str, Any], path: KeyPath
) -> Any:
    """A value whose keys stand beside the other attributes of its owner, a `table`."""
    others = [each.name for each in keys_of(table) if each.name != key.name]
    own = {name: each for name, each in value.items() if name not in others}
    inner, _ = split_marks(key.annotation)
    return reader.tagged(members_of(inner), own, path, beside=others)
