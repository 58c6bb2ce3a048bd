"""JSON Schemas as Gemini takes them."""

from copy import deepcopy
from typing import Any

import pytest

from lsd.conversation import FunctionTool, ToolSet
from tests.unit.providers.recorded import body, make_dialect, request

GEMINI = make_dialect("gcp_vertex_gemini")


def sent(schema: Any) -> dict[str, Any]:
    """What is sent of a schema for an answer, which is what is sent of one for a tool."""
    tool = FunctionTool(name="t", description="d", parameters=schema)
    asked = request(json_mode="strict", output_schema=schema, tools=ToolSet(tools=(tool,)))
    before = deepcopy(schema)
    encoded = body(GEMINI, asked)

    assert schema == before, "the configuration's own schema was written into"
    found: dict[str, Any] = encoded["generationConfig"]
    assert found.pop("responseMimeType") == "application/json"
    (declaration,) = encoded["tools"][0]["functionDeclarations"]
    twins = {"responseSchema": "parameters", "responseJsonSchema": "parametersJsonSchema"}
    assert {twins[key]: value for key, value in found.items()}.items() <= declaration.items()
    return found


def test_a_plain_schema_stays_as_it_is() -> None:
    """Most of them are."""
    schema = {
        "type": "object",
        "properties": {"a": {"type": "integer", "description": "A."}},
        "required": ["a"],
    }

    assert sent(schema) == {"responseSchema": schema}


def test_words_that_google_refuses_are_left_out() -> None:
    """Case 29: wherever there is a schema, in arrays and within properties, too."""
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "ref": "other",
        "type": "object",
        "additionalProperties": {"type": "string"},
        "properties": {
            "a": {"anyOf": [{"$schema": "x", "type": "string"}, {"type": "null", "ref": "y"}]},
            "b": {"type": "array", "items": {"type": "object", "additionalProperties": False}},
        },
    }

    assert sent(schema) == {
        "responseSchema": {
            "type": "object",
            "properties": {
                "a": {"anyOf": [{"type": "string"}, {"type": "null"}]},
                "b": {"type": "array", "items": {"type": "object"}},
            },
        }
    }


def test_a_property_may_be_called_like_a_word() -> None:
    """Case 29: it is a name, not a word; and what may be an answer is left alone as well."""
    inner = {"type": "string"}
    names = ["ref", "$schema", "additionalProperties", "$ref", "const", "oneOf", "properties"]
    schema = {
        "type": "object",
        "properties": dict.fromkeys(names, inner),
        "default": {"$schema": 1, "ref": 2, "const": 3},
        "enum": [{"additionalProperties": True}],
    }

    assert sent(schema) == {"responseSchema": schema}


@pytest.mark.parametrize(
    "beyond",
    [
        {"$ref": "#/$defs/a"},
        {"$defs": {"a": {"type": "string"}}},
        {"const": 1},
        {"prefixItems": [{"type": "string"}]},
        {"type": ["string", "null"]},
        {"oneOf": [{"type": "string"}]},
    ],
    ids=lambda each: next(iter(each)),
)
@pytest.mark.parametrize(
    "around",
    [
        lambda schema: schema,
        lambda schema: {"type": "object", "properties": {"x": schema}},
        lambda schema: {"type": "array", "items": schema},
        lambda schema: {"anyOf": [{"type": "null"}, schema]},
        lambda schema: {"type": "object", "additionalProperties": schema},
    ],
    ids=["at the top", "in a property", "in an array", "in a list", "of other properties"],
)
def test_what_the_short_form_cannot_say_goes_as_json_schema(beyond: Any, around: Any) -> None:
    """Complete but for the word that names the draft."""
    schema = around(beyond)

    named = {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}

    assert sent(named) == {"responseJsonSchema": schema}


def test_a_schema_may_be_as_deep_as_json_may() -> None:
    """Two hundred levels are read, and are sent."""
    schema: dict[str, Any] = {"type": "string"}
    for _ in range(190):
        schema = {"items": schema}

    assert sent(schema) == {"responseSchema": schema}


@pytest.mark.parametrize("schema", [{}, {"items": True}, {"properties": 7}, {"anyOf": "x"}])
def test_no_schema_is_too_strange(schema: Any) -> None:
    """Whether it means anything is for Google to say."""
    assert sent(schema) == {"responseSchema": schema}
