"""What the marks of the tables demand of single values: bounds, URLs, legal headers."""

from collections.abc import Mapping
from typing import Any, get_args, get_origin

import attrs

from lsd.config.annotations import (
    checks_of,
    find_mark,
    is_union,
    keys_of,
    members_of,
    split_marks,
)
from lsd.config.findings import Findings
from lsd.config.key_path import KeyPath
from lsd.config.kinds import Unquoted, Within
from lsd.config.reading.values import shown


def check_ranges(value: Any, path: KeyPath, findings: Findings) -> None:
    """All values of a table and of the tables within it."""
    for key in keys_of(value.__class__):
        place = path if key.mark(Within) is not None else (*path, key.name)
        _check(key.annotation, getattr(value, key.name), place, findings)


def _check(annotation: Any, value: Any, path: KeyPath, findings: Findings) -> None:
    if value is None:
        return
    inner, _ = split_marks(annotation)
    for check in checks_of(annotation):
        if not check.fits(value):
            found = "the value" if find_mark(annotation, Unquoted) else f"found {shown(value)}"
            findings.refuse(path, found, f"wanted {check.wanted}")
    if is_union(inner):
        for member in members_of(inner):
            if _is_checked(member, value):
                _check(member, value, path, findings)
    elif isinstance(value, Mapping):
        _check_mapping(inner, value, path, findings)
    elif get_origin(inner) is tuple:
        for at, each in enumerate(value):
            _check(get_args(inner)[0], each, (*path, at), findings)
    elif attrs.has(inner):
        check_ranges(value, path, findings)


def _check_mapping(
    annotation: Any, value: Mapping[str, Any], path: KeyPath, findings: Findings
) -> None:
    names, items = get_args(annotation) or (str, Any)
    for name, each in value.items():
        _check(names, name, (*path, name), findings)
        _check(items, each, (*path, name), findings)


def _is_checked(member: Any, value: Any) -> bool:
    """Whether the value is of this member of a union."""
    inner, _ = split_marks(member)
    kind = get_origin(inner) or inner
    if not isinstance(kind, type):
        return False
    return isinstance(value, kind) and not isinstance(value, bool)
