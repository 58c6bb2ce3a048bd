"""JSON Schemas: compiled once, never fetched from anywhere."""

from collections import OrderedDict
from collections.abc import Iterable
from functools import reduce
from hashlib import sha256
from typing import Any

import attrs
import jsonschema_rs

from lsd.conversation.errors import LsdError
from lsd.conversation.json import JsonValue, encode_json_sorted
from lsd.conversation.problems import join_path

FINDINGS_MAX = 5
"""Findings of one validation that are told: enough to mend a value, not a flood."""

FINDING_LENGTH_MAX = 500
"""Characters of one finding; the validator would quote a whole document."""

CACHED_BYTES_MAX = 2 * 1024 * 1024
"""Text of the schemas of requests that stay compiled. Callers send few different ones, again and
again; a compiled one takes up to 25 times its text, so that the bound is some 50 MiB."""


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
            raise BadSchema(_reason(error)) from None

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


def _reason(error: Exception) -> str:
    if not isinstance(error, jsonschema_rs.ValidationError):
        return _cut(str(error))
    path = _path(error.instance_path)
    return _cut(f"{path}: {error.message}" if path else error.message)


def _finding(error: Any, show_values: bool) -> str:
    where = _path(error.instance_path) or "the value"
    if show_values:
        return _cut(f"{where}: {error.message}")
    keyword = "false" if error.kind.name == "falseSchema" else error.schema_path[-1]
    return _cut(f"{where}: fails `{keyword}`{_wanted(error)}")


def _path(parts: Iterable[str | int]) -> str:
    return reduce(join_path, parts, "")


def _cut(text: str) -> str:
    return text if len(text) <= FINDING_LENGTH_MAX else text[: FINDING_LENGTH_MAX - 1] + "…"


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

    _compiled: OrderedDict[bytes, tuple[Schema, int]] = attrs.field(factory=OrderedDict, init=False)
    _bytes: int = attrs.field(default=0, init=False)

    def compile(self, value: JsonValue) -> Schema:
        """The compiled form of `value`. Raises BadSchema."""
        text = encode_json_sorted(value)
        key = sha256(text).digest()
        known = self._compiled.get(key)
        if known is not None:
            self._compiled.move_to_end(key)
            return known[0]
        schema = Schema.compile(value)
        if len(text) <= CACHED_BYTES_MAX:
            self._compiled[key] = schema, len(text)
            self._bytes += len(text)
            self._drop_oldest()
        return schema

    def _drop_oldest(self) -> None:
        while self._bytes > CACHED_BYTES_MAX:
            _, (_, size) = self._compiled.popitem(last=False)
            self._bytes -= size
