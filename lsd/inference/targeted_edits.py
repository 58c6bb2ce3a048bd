"""Edits of provider requests that a caller sends along, each perhaps for one target only."""

from collections.abc import Mapping
from typing import Any

import attrs
from cattrs import Converter

from lsd.conversation import (
    BodyEdit,
    HeaderEdit,
    Hook,
    Mismatch,
    Structurer,
    at,
    describe_json,
)

_ABSENT = object()
"""Tells a `value` that is not there from one that is null."""


@attrs.frozen(kw_only=True)
class EditTarget:
    """Where an edit of the request applies: everywhere if nothing is named."""

    variant_name: str | None = None
    model_name: str | None = None
    provider_name: str | None = None


@attrs.frozen(kw_only=True)
class TargetedBodyEdit:
    """One entry of `extra_body`, with the form in which it came for the record."""

    edit: BodyEdit
    target: EditTarget
    as_sent: Mapping[str, Any]


@attrs.frozen(kw_only=True)
class TargetedHeaderEdit:
    """One entry of `extra_headers`."""

    edit: HeaderEdit
    target: EditTarget


@attrs.frozen(kw_only=True)
class _BodyEdit:
    pointer: str
    value: Any = _ABSENT
    delete: Any = None
    variant_name: str | None = None
    model_name: str | None = None
    provider_name: str | None = None


@attrs.frozen(kw_only=True)
class _HeaderEdit:
    name: str
    value: str | None = None
    delete: Any = None
    variant_name: str | None = None
    model_name: str | None = None
    provider_name: str | None = None


def register_edits(structurer: Structurer) -> None:
    """Teaches `structurer` to make the entries of `extra_body` and `extra_headers`."""
    structurer.converting_hook(TargetedBodyEdit, _body_edit_hook)
    structurer.converting_hook(TargetedHeaderEdit, _header_edit_hook)


def _body_edit_hook(converter: Converter) -> Hook:
    def structure(value: Any, _: Any) -> TargetedBodyEdit:
        made = converter.structure(value, _BodyEdit)
        delete = _is_deletion(made.delete, made.value is not _ABSENT)
        edit = BodyEdit(pointer=made.pointer, value=None if delete else made.value, delete=delete)
        return TargetedBodyEdit(edit=edit, target=_target(made), as_sent=value)

    return structure


def _header_edit_hook(converter: Converter) -> Hook:
    def structure(value: Any, _: Any) -> TargetedHeaderEdit:
        made = converter.structure(value, _HeaderEdit)
        delete = _is_deletion(made.delete, made.value is not None)
        edit = HeaderEdit(name=made.name, value=made.value or "", delete=delete)
        if not _is_legal_header(edit):
            raise Mismatch("a name or value with illegal characters", "a legal HTTP header")
        return TargetedHeaderEdit(edit=edit, target=_target(made))

    return structure


def _is_deletion(delete: Any, has_value: bool) -> bool:
    if delete is None:
        if not has_value:
            raise Mismatch("neither `value` nor `delete`", "one of them")
        return False
    if delete is not True:
        raise at("delete", Mismatch(describe_json(delete), "true"))
    if has_value:
        raise Mismatch("both `value` and `delete`", "one of them")
    return True


def _target(made: _BodyEdit | _HeaderEdit) -> EditTarget:
    if made.variant_name is not None and (made.model_name or made.provider_name) is not None:
        raise Mismatch("both `variant_name` and `model_name`", "at most one target")
    if made.provider_name is not None and made.model_name is None:
        raise Mismatch("`provider_name` without `model_name`", "both of them")
    return EditTarget(
        variant_name=made.variant_name,
        model_name=made.model_name,
        provider_name=made.provider_name,
    )


def _is_legal_header(edit: HeaderEdit) -> bool:
    name_is_token = bool(edit.name) and all(
        char.isascii() and (char.isalnum() or char in "!#$%&'*+-.^_`|~") for char in edit.name
    )
    return name_is_token and all(char == "\t" or " " <= char != "\x7f" for char in edit.value)
