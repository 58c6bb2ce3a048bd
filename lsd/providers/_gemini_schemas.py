"""JSON Schemas in the forms that Gemini takes.

One is a dialect of OpenAPI's, which refuses words that it does not know; the other is JSON Schema
itself, for what the first cannot say. Source: Google's page "Structured output" and the reference
of `Schema`, autumn 2026.
"""

from collections.abc import Iterator, Mapping
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

_JSON_SCHEMA_ONLY = frozenset({"$ref", "$defs", "const", "prefixItems", "oneOf"})
"""Words that the dialect of OpenAPI's has not, and that cannot be left out."""

_LEFT_OUT_OF_OPENAPI = frozenset({"$schema", "additionalProperties", "ref"})
_LEFT_OUT_OF_JSON_SCHEMA = frozenset({"$schema"})

_JSON_SCHEMA_KEYS = {
    "parameters": "parametersJsonSchema",
    "responseSchema": "responseJsonSchema",
}


def schema_field(name: Literal["parameters", "responseSchema"], schema: Schema) -> dict[str, Any]:
    """The schema under `name`, or under that name's twin if it needs JSON Schema itself."""
    if _needs_json_schema(schema):
        return {_JSON_SCHEMA_KEYS[name]: _without(_LEFT_OUT_OF_JSON_SCHEMA, schema)}
    return {name: _without(_LEFT_OUT_OF_OPENAPI, schema)}


def _needs_json_schema(schema: Schema) -> bool:
    return _is_beyond_openapi(schema) or any(map(_needs_json_schema, _right_below(schema)))


def _is_beyond_openapi(schema: Schema) -> bool:
    return not _JSON_SCHEMA_ONLY.isdisjoint(schema) or isinstance(schema.get("type"), list | tuple)


def _right_below(schema: Schema) -> Iterator[Schema]:
    for word, value in schema.items():
        found: Any = ()
        if word in _SCHEMAS_BY_NAME and isinstance(value, Mapping):
            found = value.values()
        elif word in _SCHEMAS:
            found = value if isinstance(value, list | tuple) else (value,)
        yield from (each for each in found if isinstance(each, Mapping))


def _without(words: frozenset[str], schema: Any) -> Any:
    """The schema, or the list of schemas, without these words."""
    if isinstance(schema, list | tuple):
        return [_without(words, each) for each in schema]
    if not isinstance(schema, Mapping):
        return schema
    cleaned = {}
    for word, value in schema.items():
        if word in words:
            continue
        if word in _SCHEMAS_BY_NAME and isinstance(value, Mapping):
            cleaned[word] = {name: _without(words, each) for name, each in value.items()}
        else:
            cleaned[word] = _without(words, value) if word in _SCHEMAS else value
    return cleaned
