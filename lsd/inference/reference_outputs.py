"""Outputs that a caller gives as examples: what should be answered, in the form that is stored.

Of a tool call only its raw form counts, of a json function's output only its raw text: what they
mean is worked out anew, and nothing has to fit, as bad answers are examples, too.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import attrs

from lsd.conversation import (
    JsonValue,
    Malformed,
    OutputBlock,
    Problem,
    Schema,
    Structurer,
    Text,
    Thought,
    ToolCall,
    Unknown,
    describe_json,
    encode_json,
)
from lsd.inference.outputs import chat_content, fitting_value
from lsd.inference.refusals import BadRequest
from lsd.inference.toolbox import Toolbox


@attrs.frozen(kw_only=True)
class RawCall:
    """A tool call as a model has written it."""

    id: str
    raw_name: str
    raw_arguments: str


ReferenceBlock = Text | RawCall | Thought | Unknown


def register_reference_blocks(structurer: Structurer) -> None:
    """Teaches `structurer`, which ignores unknown keys, to make blocks of an output."""
    classes = {"text": Text, "tool_call": RawCall, "thought": Thought, "unknown": Unknown}
    structurer.tagged(ReferenceBlock, classes)


def read_reference_blocks(value: JsonValue, path: str) -> tuple[ReferenceBlock, ...]:
    """The output of a chat. Raises Malformed."""
    blocks: tuple[ReferenceBlock, ...] = _STRUCTURER.structure(
        value, tuple[ReferenceBlock, ...], path
    )
    return blocks


def read_reference_value(value: JsonValue, path: str) -> Mapping[str, Any]:
    """The output of a json function. Raises Malformed."""
    return _STRUCTURER.structure(value, dict[str, Any], path)


def chat_reference(
    blocks: Sequence[ReferenceBlock], toolbox: Toolbox | None
) -> list[dict[str, Any]]:
    """The output of a chat as it is stored; calls are checked against the tools there are."""
    return chat_content([*map(_output_block, blocks)], toolbox, calls_as_text=False)


def json_reference(output: Mapping[str, Any], path: str, schema: Schema) -> dict[str, Any]:
    """`{"raw", "parsed"}`: the value of the raw text if it fits; without it, of `parsed`.

    Raises BadRequest and Malformed.
    """
    if "raw" not in output and "parsed" in output:
        raw: Any = encode_json(output["parsed"]).decode()
    elif "raw" not in output and output:
        raise BadRequest(path, "found no `raw`; wanted the JSON text of the output")
    else:
        raw = output.get("raw")
    if raw is not None and not isinstance(raw, str):
        reason = f"found {describe_json(raw)}; wanted a string or null"
        raise Malformed((Problem(f"{path}.raw", reason),))
    return {"raw": raw, "parsed": None if raw is None else fitting_value(raw, schema)}


def _output_block(block: ReferenceBlock) -> OutputBlock:
    if isinstance(block, RawCall):
        return ToolCall(id=block.id, name=block.raw_name, arguments=block.raw_arguments)
    return block


def _structurer() -> Structurer:
    structurer = Structurer(unknown_keys="ignored")
    register_reference_blocks(structurer)
    return structurer


_STRUCTURER: Final = _structurer()
