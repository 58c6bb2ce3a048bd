"""What a model gave back, as an answer shows it and a record keeps it."""

from collections.abc import Sequence
from typing import Any, assert_never

from lsd.conversation import (
    JsonValue,
    ModelRequest,
    NotJson,
    OutputBlock,
    Schema,
    Text,
    Thought,
    ToolCall,
    Unknown,
    block_to_json,
    decode_json,
    frozen,
    thought_to_json,
)
from lsd.inference.accept import Accepted
from lsd.inference.model_request import calls_are_text
from lsd.inference.toolbox import Toolbox

_INVALID = object()
"""Tells a text that is no fitting JSON from the JSON text `null`."""


def chat_content(
    blocks: Sequence[OutputBlock], toolbox: Toolbox | None, *, calls_as_text: bool
) -> list[dict[str, Any]]:
    """The `content` of a chat answer; tool calls are checked against the tools there were.

    `calls_as_text`: the one tool was there to force JSON, and its arguments are the text.
    """
    return [
        {"type": "text", "text": block.text}
        if isinstance(block, Text)
        else _shown(block, toolbox, calls_as_text)
        for block in blocks
    ]


def _shown(
    block: ToolCall | Thought | Unknown, toolbox: Toolbox | None, calls_as_text: bool
) -> dict[str, Any]:
    match block:
        case ToolCall() if calls_as_text:
            return {"type": "text", "text": block.arguments}
        case ToolCall():
            return tool_call_to_json(block, toolbox)
        case Thought():
            return thought_to_json(block)
        case Unknown():
            return block_to_json(block)
        case never:
            assert_never(never)


def tool_call_to_json(call: ToolCall, toolbox: Toolbox | None) -> dict[str, Any]:
    """A call with its raw and its checked form; what does not check is null."""
    known = toolbox is not None and toolbox.may_call(call.name)
    schema = toolbox.parameters_of(call.name) if known and toolbox is not None else None
    return {
        "type": "tool_call",
        "id": call.id,
        "raw_name": call.name,
        "raw_arguments": call.arguments,
        "name": call.name if known else None,
        "arguments": None if schema is None else fitting_value(call.arguments, schema),
    }


def has_valid_arguments(call: ToolCall, toolbox: Toolbox) -> bool:
    """Whether a call is one of a tool that was offered, with arguments that fit it."""
    if not toolbox.may_call(call.name):
        return False
    schema = toolbox.parameters_of(call.name)
    return schema is None or _value(call.arguments, schema) is not _INVALID


@frozen(kw_only=True)
class JsonOutput:
    """The answer of a json function: what the model wrote, and its value if it fits."""

    raw: str | None
    parsed: JsonValue
    auxiliary: tuple[OutputBlock, ...]

    def to_json(self) -> dict[str, Any]:
        """`{"raw", "parsed"}`, both always there."""
        return {"raw": self.raw, "parsed": self.parsed}


Output = list[dict[str, Any]] | JsonOutput
"""What a model gave back, read as its function wants it: the blocks of a chat, or JSON."""


def output_to_json(output: Output) -> Any:
    """The form that is stored: blocks of a chat, `{"raw", "parsed"}` of a json function."""
    return output.to_json() if isinstance(output, JsonOutput) else output


def read_output(accepted: Accepted, asked: ModelRequest, blocks: Sequence[OutputBlock]) -> Output:
    """The output that the blocks are with which a model has answered `asked`."""
    if asked.is_all_json:
        assert accepted.output_schema is not None, "a json function always has one"
        return json_output(blocks, accepted.output_schema)
    return chat_content(blocks, accepted.toolbox, calls_as_text=calls_are_text(asked))


def json_output(blocks: Sequence[OutputBlock], schema: Schema) -> JsonOutput:
    """The last text or tool call is the JSON; all other blocks are set beside it."""
    place = next(
        (at for at in reversed(range(len(blocks))) if isinstance(blocks[at], Text | ToolCall)),
        None,
    )
    if place is None:
        return JsonOutput(raw=None, parsed=None, auxiliary=tuple(blocks))
    block = blocks[place]
    raw = block.text if isinstance(block, Text) else _arguments(block)
    auxiliary = (*blocks[:place], *blocks[place + 1 :])
    return JsonOutput(raw=raw, parsed=fitting_value(raw, schema), auxiliary=auxiliary)


def _arguments(block: OutputBlock) -> str:
    assert isinstance(block, ToolCall)
    return block.arguments


def fitting_value(text: str, schema: Schema) -> JsonValue:
    """The value of a JSON text; None if it is none, or does not fit."""
    value = _value(text, schema)
    return None if value is _INVALID else value


def _value(text: str, schema: Schema) -> JsonValue:
    """The value of a JSON text; `_INVALID` if it is none, or one that does not fit."""
    try:
        value = decode_json(text)
    except NotJson:
        return _INVALID
    return value if schema.accepts(value) else _INVALID
