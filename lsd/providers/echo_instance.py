"""Some instance of a JSON Schema: the plainest value that its keywords allow, the same each time.

What needs invention (a pattern, a combination of branches) is not met; the value then comes out as
it comes, as it does from any model.
"""

import math
from collections.abc import Mapping
from fractions import Fraction
from typing import Any
from urllib.parse import unquote

import attrs

from lsd.conversation import JsonValue

REFERENCES_MAX = 8
"""A recursive schema would go on for ever; so many steps show its shape."""

DEPTH_MAX = 64
VALUES_MAX = 10_000
TEXT_LENGTH_MAX = 10_000
"""Bounds on what a caller's schema can make us build: far above any real answer."""

WORD = "echo"

_FORMATS = {
    "date": "2000-01-01",
    "date-time": "2000-01-01T00:00:00Z",
    "email": "echo@example.com",
    "time": "00:00:00Z",
    "uri": "https://example.com/echo",
    "uuid": "00000000-0000-4000-8000-000000000000",
}
"""One legal value of each format. Source: RFC 3339, RFC 5321, RFC 3986, RFC 9562."""

_TYPE_HINTS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("object", ("properties", "required", "additionalProperties")),
    ("array", ("items", "prefixItems", "minItems")),
    ("string", ("format", "minLength", "maxLength", "pattern")),
    ("number", ("minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum", "multipleOf")),
)
"""The type that a schema without `type` means by its other keywords."""

_BRANCHES = ("anyOf", "oneOf", "allOf")


def instance_of(schema: JsonValue) -> JsonValue:
    """An instance of `schema`; of one that allows anything, an empty object."""
    return {} if _allows_anything(schema) else _Instances(schema).make(schema, 0, 0)


def _allows_anything(schema: JsonValue) -> bool:
    if not isinstance(schema, Mapping):
        return schema is not False
    says_nothing = _type_of(schema) is None and _first_branch(schema) is None
    return says_nothing and "$ref" not in schema and not _given(schema)[0]


@attrs.define(eq=False)
class _Instances:
    """Makes values below one schema, in which references are looked up."""

    _root: JsonValue
    _made: int = attrs.field(default=0, init=False)

    def make(self, schema: JsonValue, depth: int, references: int) -> JsonValue:
        """One value. `references` counts those that were followed on the way here."""
        self._made += 1
        if depth > DEPTH_MAX or self._made > VALUES_MAX or schema is False:
            return None
        if not isinstance(schema, Mapping):
            return WORD
        is_given, value = _given(schema)
        if is_given:
            return value
        if isinstance(schema.get("$ref"), str):
            if references == REFERENCES_MAX:
                return None
            found = _found_at(self._root, schema["$ref"])
            return self.make(found, depth + 1, references + 1)
        return self._by_type(schema, depth + 1, references)

    def _by_type(self, schema: Mapping[str, Any], depth: int, references: int) -> JsonValue:
        match _type_of(schema):
            case "object":
                return self._object(schema, depth, references)
            case "array":
                return self._array(schema, depth, references)
            case "string":
                return _string(schema)
            case "number":
                return _number(schema, Fraction(0))
            case "integer":
                return _number(schema, Fraction(1))
            case "boolean":
                return True
            case "null":
                return None
            case _:
                branch = _first_branch(schema)
                return WORD if branch is None else self.make(branch, depth, references)

    def _object(self, schema: Mapping[str, Any], depth: int, references: int) -> JsonValue:
        properties = schema.get("properties")
        inner = properties if isinstance(properties, Mapping) else {}
        names = [name for name in _listed(schema.get("required")) if isinstance(name, str)]
        return {name: self.make(inner.get(name), depth, references) for name in names}

    def _array(self, schema: Mapping[str, Any], depth: int, references: int) -> JsonValue:
        items = schema.get("items")
        first = _listed(items if isinstance(items, list) else schema.get("prefixItems"))
        length = min(_natural(schema.get("minItems"), 0), VALUES_MAX)
        schemas = [first[place] if place < len(first) else items for place in range(length)]
        # When the budget is used up, the array stays short rather than full of nulls.
        return [self.make(each, depth, references) for each in schemas if self._made < VALUES_MAX]


def _given(schema: Mapping[str, Any]) -> tuple[bool, JsonValue]:
    """Whether the schema itself holds a value, and which."""
    if "const" in schema:
        return True, schema["const"]
    if enum := _listed(schema.get("enum")):
        return True, enum[0]
    if "default" in schema:
        return True, schema["default"]
    if examples := _listed(schema.get("examples")):
        return True, examples[0]
    return False, None


def _type_of(schema: JsonValue) -> str | None:
    """The type that a value has to have; of several, the first."""
    if not isinstance(schema, Mapping):
        return None
    given = schema.get("type")
    for name in given if isinstance(given, list) else [given]:
        if isinstance(name, str):
            return name
    if _first_branch(schema) is not None or "$ref" in schema:
        return None
    for name, keywords in _TYPE_HINTS:
        if any(keyword in schema for keyword in keywords):
            return name
    return None


def _first_branch(schema: Mapping[str, Any]) -> JsonValue:
    return next((branches[0] for key in _BRANCHES if (branches := _listed(schema.get(key)))), None)


def _found_at(root: JsonValue, reference: str) -> JsonValue:
    """What a reference within the document points at; elsewhere nothing is looked up."""
    if not reference.startswith("#"):
        return None
    place = root
    for part in unquote(reference[1:]).split("/")[1:]:
        key = part.replace("~1", "/").replace("~0", "~")
        if isinstance(place, Mapping):
            place = place.get(key)
        elif isinstance(place, list) and key.isdecimal() and int(key) < len(place):
            place = place[int(key)]
        else:
            return None
    return place


def _string(schema: Mapping[str, Any]) -> str:
    fixed = _FORMATS.get(schema["format"]) if isinstance(schema.get("format"), str) else None
    if fixed is not None:
        return fixed
    length = max(len(WORD), min(_natural(schema.get("minLength"), 0), TEXT_LENGTH_MAX))
    text = (WORD * (length // len(WORD) + 1))[:length]
    return text[: _natural(schema.get("maxLength"), length)]


def _number(schema: Mapping[str, Any], grain: Fraction) -> int | float:
    """The smallest number from 0 on, or the greatest below; `grain` 1 for integers, else 0."""
    lowest, is_open_below = _bound(schema, "minimum", "exclusiveMinimum", max)
    highest, is_open_above = _bound(schema, "maximum", "exclusiveMaximum", min)
    step = _step(schema, grain)
    if highest is not None and (highest < 0 or (highest == 0 and is_open_above)):
        # The same search on the mirrored line: upwards from the mirror of the highest.
        return _plain(-_from(-highest, is_open_above, step, None if lowest is None else -lowest))
    if lowest is None or lowest < 0:
        return 0
    return _plain(_from(lowest, is_open_below, step, highest))


def _from(start: Fraction, is_open: bool, step: Fraction, end: Fraction | None) -> Fraction:
    """The first number from `start` on that is a multiple of `step`; 0 stands for no step."""
    if step:
        count = math.floor(start / step) + 1 if is_open else math.ceil(start / step)
        return count * step
    if not is_open:
        return start
    whole = Fraction(math.floor(start) + 1)
    # There is no first number after an open bound; the next whole one looks best if it fits.
    return whole if end is None or whole < end else (start + end) / 2


def _step(schema: Mapping[str, Any], grain: Fraction) -> Fraction:
    multiple = _fraction(schema.get("multipleOf"))
    if multiple is None or multiple <= 0:
        return grain
    return Fraction(multiple.numerator) if grain else multiple


def _bound(
    schema: Mapping[str, Any], closed_key: str, open_key: str, tighter: Any
) -> tuple[Fraction | None, bool]:
    """The bound that counts, and whether it is itself excluded."""
    closed, opened = _fraction(schema.get(closed_key)), _fraction(schema.get(open_key))
    if opened is None:
        # Draft 4 has `exclusiveMinimum: true` beside `minimum`.
        return closed, schema.get(open_key) is True
    if closed is None:
        return opened, True
    bound = tighter(closed, opened)
    return bound, bound == opened


def _fraction(value: JsonValue) -> Fraction | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return Fraction(str(value))


def _plain(number: Fraction) -> int | float:
    return number.numerator if number.denominator == 1 else float(number)


def _natural(value: JsonValue, default: int) -> int:
    is_natural = isinstance(value, int | float) and not isinstance(value, bool) and value >= 0
    return int(value) if is_natural else default


def _listed(value: JsonValue) -> list[Any]:
    return value if isinstance(value, list) else []
