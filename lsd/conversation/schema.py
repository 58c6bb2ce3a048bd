"""JSON Schemas: compiled once, never fetched from anywhere."""

from collections import OrderedDict
from typing import Any

import attrs
import jsonschema_rs

from lsd.conversation.errors import LsdError
from lsd.conversation.json import JsonValue, encode_json_sorted

FINDINGS_MAX = 5
"""Findings of one validation that are told: enough to mend a value, not a flood."""

CACHED_MAX = 256
"""Schemas of requests that stay compiled. Callers send few different ones, again and again; one
takes some 20 KiB, so that the bound is some 5 MiB."""


@attrs.frozen
class BadSchema(LsdError):
    """A JSON value is not a usable JSON Schema."""

    reason: str

    def __str__(self) -> str:
        return f"not a usable JSON Schema: {self.reason}"


@attrs.frozen(eq=False)
class Schema:
    """A JSON Schema ready to validate, by the draft that `$schema` names, else 2020-12.

    References to other documents are refused: nothing is read from network or disk.
    """

    value: JsonValue
    _validator: Any = attrs.field(repr=False)

    @classmethod
    def compile(cls, value: JsonValue) -> "Schema":
        """Raises BadSchema."""
        if not isinstance(value, dict | bool):
            raise BadSchema("found neither an object nor a boolean")
        try:
            return cls(value, jsonschema_rs.validator_for(value, offline=True))
        except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError, ValueError) as error:
            reason = getattr(error, "message", None) or str(error)
            raise BadSchema(str(reason)) from None

    def accepts(self, instance: JsonValue) -> bool:
        """Whether `instance` fits."""
        return bool(self._validator.is_valid(instance))

    def findings(self, instance: JsonValue, *, show_values: bool = False) -> list[str]:
        """What does not fit, at most a handful of findings.

        Each tells the path and the keyword; with `show_values` it is the validator's sentence,
        which quotes the instance.
        """
        found: list[str] = []
        for error in self._validator.iter_errors(instance):
            found.append(_finding(error, show_values))
            if len(found) == FINDINGS_MAX:
                break
        return found


def _finding(error: Any, show_values: bool) -> str:
    path = "".join(
        f"[{part}]" if isinstance(part, int) else f".{part}" for part in error.instance_path
    )
    where = path.removeprefix(".") or "the value"
    if show_values:
        return f"{where}: {error.message}"
    keyword = error.schema_path[-1] if error.schema_path else "false"
    return f"{where}: fails `{keyword}`{_wanted(error)}"


def _wanted(error: Any) -> str:
    """What the failing keyword asks for, from the schema alone."""
    kind = error.kind
    if kind.name == "required":
        return f" (missing {kind.property!r})"
    if kind.name == "type":
        return f" (wanted {', '.join(kind.types)})"
    return ""


@attrs.define(eq=False)
class SchemaCache:
    """Compiled schemas of requests, the least recently used ones dropped."""

    _compiled: OrderedDict[bytes, Schema] = attrs.field(factory=OrderedDict, init=False)

    def compile(self, value: JsonValue) -> Schema:
        """The compiled form of `value`. Raises BadSchema."""
        key = encode_json_sorted(value)
        schema = self._compiled.get(key)
        if schema is None:
            schema = self._compiled[key] = Schema.compile(value)
            if len(self._compiled) > CACHED_MAX:
                self._compiled.popitem(last=False)
        else:
            self._compiled.move_to_end(key)
        return schema
