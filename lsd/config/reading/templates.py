"""The templates of a variant: `templates.N.path`, and the older keys for each role."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from lsd.config.key_path import KeyPath
from lsd.config.reading.document import kind_of
from lsd.config.reading.files import read_file, read_file_table
from lsd.config.reading.schemas import ROLES
from lsd.config.tables.variants import Template, TextFile

if TYPE_CHECKING:
    from lsd.config.reading.reader import Reader

TEMPLATE_KEYS: Final = {f"{role}_template": role for role in ROLES}


def read_templates(
    reader: "Reader", table: Mapping[str, Any], path: KeyPath
) -> Mapping[str, Template]:
    """All templates of a variant's table by name, whichever way they are written."""
    named = _subtable(reader, table, (*path, "templates"))
    templates: dict[str, Template] = {}
    for name, value in named.items():
        file = read_file_table(reader, value, (*path, "templates", name))
        is_legacy = isinstance(value, Mapping) and value.get("legacy") is True
        templates[name] = _template(file, legacy=is_legacy)
    for key, role in TEMPLATE_KEYS.items():
        if key in table:
            _add(reader, templates, role, table[key], (*path, key))
    wrappers = _subtable(reader, table, (*path, "input_wrappers"))
    reader.refuse_unknown(wrappers, ROLES, (*path, "input_wrappers"))
    for role in ROLES:
        if role in wrappers:
            place = (*path, "input_wrappers", role)
            reader.later.warn(place, "deprecated", f"write {role}_template")
            _add(reader, templates, role, wrappers[role], place)
    return templates


def _add(
    reader: "Reader", templates: dict[str, Template], role: str, value: Any, path: KeyPath
) -> None:
    if role in templates:
        found = f"another template for {role} is set, too"
        reader.later.refuse(path, found, f"write one of templates.{role} and {role}_template")
    templates[role] = _template(read_file(reader, value, path), legacy=True)


def _template(file: TextFile | None, *, legacy: bool) -> Template:
    file = file or TextFile(path="", text="")
    return Template(path=file.path, text=file.text, legacy=legacy)


def _subtable(reader: "Reader", table: Mapping[str, Any], path: KeyPath) -> Mapping[str, Any]:
    found = table.get(str(path[-1]), {})
    if isinstance(found, Mapping):
        return found
    reader.mismatch(path, kind_of(found), "a table")
    return {}
