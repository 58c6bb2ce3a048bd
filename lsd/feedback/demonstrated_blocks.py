"""Demonstrations for chat functions: content blocks that the inference could have given."""

from collections.abc import Mapping
from typing import Any, assert_never

import attrs

from lsd.conversation import (
    JsonValue,
    Malformed,
    Structurer,
    describe_json,
)
from lsd.feedback.refusals import BadFeedback
from lsd.feedback.schema_check import SchemaCheck
from lsd.feedback.stored_text import stored_text


@attrs.frozen(kw_only=True)
class DemonstratedText:
    """A text block."""

    text: str


@attrs.frozen(kw_only=True)
class DemonstratedCall:
    """A tool call; `arguments` is the value itself, a text for tools that take any."""

    id: str
    name: str
    arguments: Any


DemonstratedBlock = DemonstratedText | DemonstratedCall


def read_blocks(value: JsonValue) -> tuple[DemonstratedBlock, ...]:
    """The blocks of a demonstration. Raises BadFeedback with all that does not parse.

    Keys that blocks do not have are passed over, so that a stored output can be sent back.
    """
    if type(value) is str:
        return (DemonstratedText(text=value),)
    if type(value) is not list:
        reason = f"found {describe_json(value)}; wanted a string or array of content blocks"
        raise BadFeedback("value", reason)
    try:
        return _STRUCTURER.structure(value, tuple[DemonstratedBlock, ...], "value")
    except Malformed as error:
        first, *others = error.problems
        told = "; ".join([first.reason, *map(str, others)])
        raise BadFeedback(first.path, told) from None


def stored_block(
    block: DemonstratedBlock, path: str, tools: Mapping[str, JsonValue], check: SchemaCheck
) -> dict[str, JsonValue]:
    """`block` as outputs of inferences are stored.

    `tools` holds the schemas of the tools there were, by name, None for one that takes any text.
    Raises BadFeedback if the model could not have made this call.
    """
    match block:
        case DemonstratedText():
            return {"type": "text", "text": block.text}
        case DemonstratedCall():
            _check_call(block, path, tools, check)
            takes_any_text = tools[block.name] is None
            arguments = block.arguments
            return {
                "type": "tool_call",
                "id": block.id,
                "name": block.name,
                "arguments": arguments,
                "raw_name": block.name,
                "raw_arguments": arguments if takes_any_text else stored_text(arguments),
            }
        case never:
            assert_never(never)


def _check_call(
    call: DemonstratedCall, path: str, tools: Mapping[str, JsonValue], check: SchemaCheck
) -> None:
    if call.name not in tools:
        had = f"one of {', '.join(sorted(tools))}" if tools else "no tool call at all"
        found = f"invalid tool name: found {describe_json(call.name)}"
        reason = f"{found}; wanted {had}, by the tools that the inference had"
        raise BadFeedback(f"{path}.name", reason)
    schema = tools[call.name]
    if schema is not None:
        findings = check.findings(schema, call.arguments)
    elif type(call.arguments) is str:
        findings = ""
    else:
        findings = f"found {describe_json(call.arguments)}; wanted a string"
    if findings:
        reason = f"invalid tool call arguments: {findings}; wanted those of the tool {call.name!r}"
        raise BadFeedback(f"{path}.arguments", reason)


def _block_structurer() -> Structurer:
    structurer = Structurer(unknown_keys="ignored")
    structurer.tagged(DemonstratedBlock, {"text": DemonstratedText, "tool_call": DemonstratedCall})
    return structurer


_STRUCTURER = _block_structurer()
