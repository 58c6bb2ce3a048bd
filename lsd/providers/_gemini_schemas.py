"""JSON Schemas in the forms that Gemini takes.

One is a dialect of OpenAPI's, which refuses words that it does not know; the other is JSON Schema
itself, for what the first cannot say. Source: Google's page "Structured output" and the reference
of `Schema`, autumn 2026.
"""

from collections.abc import Mapping
from typing import Any, Literal

Schema = Mapping[str, Any]

_SCHEMAS_BY_NAME = frozenset(
    {"properties", "patternProperties", "$defs", "definitions", "dependentSchemas"}
)
_SCHEMAS = frozenset(
    {
        "additionalItems",
        "additionalProperties",
        "allOf",
        "anyOf",
        "contains",
        "else",
        "if",
        "items",
        "not",
        "oneOf",
        "prefixItems",
        "propertyNames",
        "then",
        "unevaluatedItems",
        "unevaluatedProperties",
    }
)
"""Words below which there is a schema, or a list of them. Below all others there is data: an
`enum` may hold whatever it likes."""

_TYPE = "type"
_JSON_SCHEMA_ONLY = frozenset({"$ref", "$defs", "const", "prefixItems", "oneOf", _TYPE})
"""Words that OpenAPI has not, and that cannot be left out. Of types, only several are meant."""

_LEFT_OUT_OF_OPENAPI = frozenset({"$schema", "additionalProperties", "ref"})
_LEFT_OUT_OF_JSON_SCHEMA = frozenset({"$schema"})

_OF_INTEREST = _SCHEMAS_BY_NAME | _SCHEMAS | _JSON_SCHEMA_ONLY | _LEFT_OUT_OF_OPENAPI

_JSON_SCHEMA_KEYS = {
    "parameters": "parametersJsonSchema",
    "responseSchema": "responseJsonSchema",
}


def schema_field(name: Literal["parameters", "responseSchema"], schema: Schema) -> dict[str, Any]:
    """The schema under `name`, or under that name's twin if it needs JSON Schema itself.

    Each request sends its schemas anew, so that one that fits is not copied.
    """
    found: set[str] = set()
    _find_words(schema, found)
    key, left_out = str(name), _LEFT_OUT_OF_OPENAPI
    if not found.isdisjoint(_JSON_SCHEMA_ONLY):
        key, left_out = _JSON_SCHEMA_KEYS[name], _LEFT_OUT_OF_JSON_SCHEMA
    return {key: schema if found.isdisjoint(left_out) else _without(left_out, schema)}


def _find_words(schema: Any, found: set[str]) -> None:
    """Adds the words of interest in a schema, or a list of them, and in all below."""
    if isinstance(schema, list | tuple):
        for each in schema:
            _find_words(each, found)
    if not isinstance(schema, dict):
        return
    for word, value in schema.items():
        if word not in _OF_INTEREST or (word == _TYPE and not isinstance(value, list | tuple)):
            continue
        found.add(word)
        if word in _SCHEMAS:
            _find_words(value, found)
        elif word in _SCHEMAS_BY_NAME and isinstance(value, dict):
            for each in value.values():
                _find_words(each, found)


def _without(words: frozenset[str], schema: Any) -> Any:
    """The schema, or the list of schemas, without these words."""
    if isinstance(schema, list | tuple):
        return [_without(words, each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    cleaned = {}
    for word, value in schema.items():
        if word in words:
            continue
        if word in _SCHEMAS:
            cleaned[word] = _without(words, value)
        elif word in _SCHEMAS_BY_NAME and isinstance(value, dict):
            cleaned[word] = {name: _without(words, each) for name, each in value.items()}
        else:
            cleaned[word] = value
    return cleaned
