"""Plain instances of JSON Schemas."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsd.conversation import Schema, encode_json
from lsd.providers.echo_instance import REFERENCES_MAX, VALUES_MAX, instance_of

OBJECT = {
    "type": "object",
    "properties": {"a": {"type": "string"}, "b": {"type": "integer"}, "c": {"type": "null"}},
    "required": ["b", "a"],
}


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"const": None, "enum": [1]}, None),
        ({"enum": ["red", "green"], "default": "green"}, "red"),
        ({"enum": ["echo"]}, "echo"),
        ({"type": "integer", "default": 7, "examples": [8]}, 7),
        ({"type": "integer", "examples": [8, 9]}, 8),
        ({"type": "boolean"}, True),
        ({"type": "null"}, None),
        ({"type": ["string", "null"]}, "echo"),
        (OBJECT, {"b": 0, "a": "echo"}),
        ({"required": ["x"]}, {"x": "echo"}),
        ({"type": "array", "items": {"type": "boolean"}, "minItems": 2}, [True, True]),
        ({"type": "array", "items": {"type": "boolean"}}, []),
        ({"prefixItems": [{"const": 1}, {"const": 2}], "minItems": 3}, [1, 2, "echo"]),
        ({"items": [{"const": 1}], "minItems": 1}, [1]),
        ({"anyOf": [{"type": "integer"}, {"type": "string"}]}, 0),
        ({"oneOf": [{"const": "one"}, {"const": "other"}]}, "one"),
        ({"allOf": [{"const": "one"}]}, "one"),
        ({}, {}),
        (True, {}),
        (False, None),
        ({"type": "martian"}, "echo"),
    ],
)
def test_each_keyword_gives_its_plainest_value(schema: Any, expected: Any) -> None:
    """Given values come first, then the type; objects have their required keys, in that order."""
    value = instance_of(schema)

    assert encode_json(value) == encode_json(expected)


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"type": "string", "minLength": 6}, "echoec"),
        ({"type": "string", "maxLength": 2}, "ec"),
        ({"maxLength": 0}, ""),
        ({"type": "string", "minLength": 4.0}, "echo"),
        ({"type": "string", "format": "date"}, "2000-01-01"),
        ({"type": "string", "format": "telephone"}, "echo"),
        ({"format": 7}, "echo"),
    ],
)
def test_a_string_is_an_echo_of_the_right_length(schema: Any, expected: str) -> None:
    """Cut or padded to its bounds; some formats have a legal value of their own."""
    assert instance_of(schema) == expected


@pytest.mark.parametrize("name", ["date", "date-time", "email", "time", "uri", "uuid"])
def test_the_value_of_a_format_is_legal(name: str) -> None:
    """A validator that checks formats accepts it."""
    import jsonschema_rs  # noqa: PLC0415 (only here; LSD itself does not check formats)

    schema = {"type": "string", "format": name}
    validator = jsonschema_rs.validator_for(schema, validate_formats=True)

    assert validator.is_valid(instance_of(schema))
    assert not validator.is_valid("no such format")


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"type": "integer"}, 0),
        ({"type": "number", "minimum": -5}, 0),
        ({"type": "integer", "minimum": 3}, 3),
        ({"type": "number", "minimum": 0.5}, 0.5),
        ({"type": "integer", "minimum": 0.5}, 1),
        ({"type": "integer", "exclusiveMinimum": 0}, 1),
        ({"type": "integer", "minimum": 2, "exclusiveMinimum": True}, 3),
        ({"type": "integer", "minimum": 2, "exclusiveMinimum": 1}, 2),
        ({"type": "number", "exclusiveMinimum": 0, "maximum": 1}, 0.5),
        ({"type": "number", "exclusiveMinimum": 0}, 1),
        ({"type": "integer", "minimum": 1, "multipleOf": 5}, 5),
        ({"type": "integer", "exclusiveMinimum": 5, "multipleOf": 2.5}, 10),
        ({"type": "number", "minimum": 1, "multipleOf": 0.3}, 1.2),
        ({"type": "integer", "maximum": -3}, -3),
        ({"type": "integer", "exclusiveMaximum": 0}, -1),
        ({"type": "integer", "maximum": -3, "multipleOf": 2}, -4),
        ({"exclusiveMaximum": 0, "minimum": -1}, -0.5),
        ({"type": "integer", "maximum": 0}, 0),
        ({"type": "number", "minimum": "none", "multipleOf": 0}, 0),
    ],
)
def test_a_number_is_the_smallest_legal_one_from_zero_on(schema: Any, expected: float) -> None:
    """Below zero only if it must be, and then the greatest; exact in decimals."""
    assert instance_of(schema) == expected


def test_references_are_followed() -> None:
    """Definitions within the document are found, escapes in their names included."""
    schema = {
        "$ref": "#/$defs/a~1b%20c",
        "$defs": {"a/b c": {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/n/0"}},
                  "n": [{"const": 5}]},
    }  # fmt: skip

    assert instance_of(schema) == [5]


@pytest.mark.parametrize("reference", ["#/nowhere", "#/a/b/c", "https://example.com/s", "#/list/9"])
def test_a_reference_that_leads_nowhere_gives_any_value(reference: str) -> None:
    """Nothing is fetched, and nothing fails."""
    assert instance_of({"$ref": reference, "a": 1, "list": []}) == "echo"


def test_a_recursive_schema_ends() -> None:
    """A value that must contain itself is followed for some steps and then left open."""
    node = {"type": "object", "required": ["next"], "properties": {"next": {"$ref": "#"}}}

    value = instance_of(node)
    depth = 0
    while value is not None:
        value = value["next"]
        depth += 1

    assert depth == REFERENCES_MAX + 1


def test_a_huge_instance_stays_bounded() -> None:
    """Bounds of a schema that nobody could mean do not fill the memory."""
    schema: dict[str, Any] = {"type": "string", "minLength": 10**9}
    for _ in range(100):
        schema = {"type": "array", "minItems": 1000, "items": schema}
    wide = {"type": "array", "minItems": 10**12, "items": {"type": "null"}}

    assert len(encode_json(instance_of(schema))) < 10**6
    assert len(instance_of(wide)) <= VALUES_MAX


def numbers(kind: str) -> st.SearchStrategy[dict[str, Any]]:
    """Schemas of numbers, with bounds that leave room."""
    low = st.integers(-50, 50)
    return st.fixed_dictionaries(
        {"type": st.just(kind)},
        optional={
            "minimum": low,
            "exclusiveMinimum": low,
            "multipleOf": st.sampled_from([1, 2, 3, 0.5, 0.25]),
        },
    )


STRINGS = st.integers(0, 20).flatmap(
    lambda low: st.fixed_dictionaries(
        {"type": st.just("string")},
        optional={"minLength": st.just(low), "maxLength": st.integers(low, 30)},
    )
)
LEAVES = st.one_of(
    numbers("integer"),
    numbers("number"),
    STRINGS,
    st.just({"type": "boolean"}),
    st.just({"type": "null"}),
    st.lists(st.integers() | st.text(), min_size=1).map(lambda values: {"enum": values}),
)


def containers(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Schemas of arrays and objects of `inner`."""
    arrays = st.builds(
        lambda items, least: {"type": "array", "items": items, "minItems": least},
        inner,
        st.integers(0, 3),
    )
    objects = st.dictionaries(st.text(max_size=5), inner, max_size=4).map(
        lambda properties: {
            "type": "object",
            "properties": properties,
            "required": list(properties)[::2],
            "additionalProperties": False,
        }
    )
    return arrays | objects | st.lists(inner, min_size=1).map(lambda each: {"anyOf": each})


@given(schema=st.recursive(LEAVES, containers, max_leaves=12))
def test_an_instance_fits_its_schema(schema: dict[str, Any]) -> None:
    """Whatever is made of the supported keywords is met."""
    assert Schema.compile(schema).accepts(instance_of(schema))
