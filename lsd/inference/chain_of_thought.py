"""`chain_of_thought`: a json function thinks aloud before it answers."""

from collections.abc import Mapping
from typing import Any

import attrs

from lsd.conversation import OutputBlock, Schema, SchemaCache, Text, Thought, ToolCall, encode_json
from lsd.inference.accept import Accepted
from lsd.inference.answers import Answer
from lsd.inference.chat_completion import complete
from lsd.inference.outputs import JsonOutput
from lsd.inference.prepared import PreparedVariant
from lsd.inference.run import Run

RESPONSE = "#/properties/response"
"""Where the function's schema stands in the one that the model is given."""

_DEFINITIONS = ("$defs", "definitions")
_DATA = frozenset({"const", "default", "enum", "examples"})
"""Keywords whose values are no schemas."""


async def think_and_answer(run: Run, accepted: Accepted, variant: PreparedVariant) -> Answer:
    """The answer without the thoughts, which are set beside it. Raises VariantFailed."""
    schema = accepted.output_schema
    assert schema is not None, "a json function always has one"
    thinking = attrs.evolve(
        accepted, output_schema=thinking_schema(schema, run.shared.prepared.schemas)
    )
    answer = await complete(run, thinking, variant.generation)
    assert isinstance(answer.output, JsonOutput), "a json function gives JSON"
    assert answer.deciding is not None, "a completion is made by a call"
    return attrs.evolve(answer, output=_apart(answer.output, answer.deciding.answer.output))


def thinking_schema(schema: Schema, schemas: SchemaCache) -> Schema:
    """Of an object that holds thoughts, and behind them a value of `schema`."""
    inner = dict(schema.value)
    outer: dict[str, Any] = {
        "type": "object",
        "properties": {"thinking": {"type": "string"}},
        "required": ["thinking", "response"],
        "additionalProperties": False,
    }
    if "$schema" in inner:
        outer["$schema"] = inner.pop("$schema")
    if "$id" not in inner:
        # References go from the root, which has moved. Definitions move up with it: some
        # providers look for them there only.
        outer |= {key: _moved(inner.pop(key)) for key in _DEFINITIONS if key in inner}
        inner = _moved(inner)
    outer["properties"]["response"] = inner
    return schemas.compile(outer)


def _moved(value: Any) -> Any:
    """A part of a schema whose own root now stands under `response`."""
    if isinstance(value, Mapping):
        return {
            key: _moved_reference(each)
            if key == "$ref" and isinstance(each, str)
            else each
            if key in _DATA
            else _moved(each)
            for key, each in value.items()
        }
    return [_moved(each) for each in value] if isinstance(value, list) else value


def _moved_reference(reference: str) -> str:
    if reference == "#" or reference.startswith("#/"):
        first = reference.removeprefix("#/").split("/", 1)[0]
        return reference if first in _DEFINITIONS else RESPONSE + reference[1:]
    return reference


def _apart(value: JsonOutput, blocks: tuple[OutputBlock, ...]) -> JsonOutput:
    """The response alone, with its thoughts among the auxiliary blocks; as it is if it has none."""
    parsed = value.parsed
    if not isinstance(parsed, dict) or not {"thinking", "response"} <= parsed.keys():
        return value
    place = max(at for at, block in enumerate(blocks) if isinstance(block, Text | ToolCall))
    thought = Thought(text=parsed["thinking"])
    return JsonOutput(
        raw=encode_json(parsed["response"]).decode(),
        parsed=parsed["response"],
        auxiliary=(*blocks[:place], thought, *blocks[place + 1 :]),
    )
