"""The `input` of a request: messages of content blocks, with their shorthands written out."""

from collections.abc import Callable, Mapping
from typing import Any, Literal, NewType

import attrs
from cattrs import Converter

from lsd.conversation.content import (
    File,
    InputBlock,
    RawText,
    Role,
    Template,
    Text,
    Thought,
    ToolCall,
    ToolResult,
    Unknown,
)
from lsd.conversation.file_blocks import read_file
from lsd.conversation.json import JsonValue, describe_json, encode_json
from lsd.conversation.problems import Mismatch, at, wrong_tag
from lsd.conversation.structure import METADATA_FORM, Hook, Structurer
from lsd.conversation.values import frozen

_Blocks = NewType("_Blocks", tuple[InputBlock, ...])
"""The content of a message, in any of its forms."""

_Result = NewType("_Result", tuple[Text | File, ...])
"""The result of a tool, in any of its forms."""

_ResultBlock = NewType("_ResultBlock", Text)
"""A block of such a result, a text or a file: no other, so that results do not nest."""

_NAMED_AFTER_ROLE = ""
"""The name of a template until its message's role is known; no caller can give it."""

BLOCK_TAGS = (
    "text",
    "template",
    "raw_text",
    "tool_call",
    "tool_result",
    "thought",
    "file",
    "unknown",
)

RESULT_BLOCK_TAGS = ("text", "file")


@frozen
class InputMessage:
    """One turn as the caller sent it; a string became one text block."""

    role: Role
    content: tuple[InputBlock, ...] = attrs.field(metadata={METADATA_FORM: _Blocks})


@frozen
class Input:
    """What a function is called with: a system text or its template's arguments, and turns."""

    system: str | Mapping[str, JsonValue] | None = None
    messages: tuple[InputMessage, ...] = ()


@frozen(kw_only=True)
class _Text:
    text: str | None = None
    arguments: Mapping[str, Any] | None = None


@frozen(kw_only=True)
class _PlainText:
    text: str


@frozen(kw_only=True)
class _ToolCall:
    id: str
    name: str | None = None
    arguments: Any = None
    raw_name: str | None = None
    raw_arguments: str | None = None


@frozen(kw_only=True)
class _ToolResult:
    id: str
    name: str
    result: _Result
    is_error: bool | None = None


@frozen(kw_only=True)
class _SummaryText:
    type: Literal["summary_text"]
    text: str


@frozen(kw_only=True)
class _Thought:
    text: str | None = None
    signature: str | None = None
    summary: tuple[_SummaryText, ...] | None = None
    provider_type: str | None = None
    extra_data: Any = None


def register_input(structurer: Structurer) -> None:
    """Teaches `structurer` to make `Input` and everything in it."""
    for lenient in (_ToolCall, _Thought, Unknown):
        structurer.table(lenient, unknown_keys="ignored")
    structurer.hook(str | Mapping[str, Any], _string_or_object)
    structurer.converting_hook(InputBlock, lambda each: _block_hook(each, _READERS, BLOCK_TAGS))
    structurer.converting_hook(
        _ResultBlock, lambda each: _block_hook(each, _RESULT_READERS, RESULT_BLOCK_TAGS)
    )
    structurer.converting_hook(_Blocks, _blocks_hook)
    structurer.converting_hook(_Result, _result_hook)
    structurer.converting_hook(InputMessage, _message_hook)


def _string_or_object(value: Any, _: Any) -> Any:
    if type(value) is str or type(value) is dict:
        return value
    raise Mismatch(describe_json(value), "a string or an object")


def _message_hook(converter: Converter) -> Hook:
    make = converter.get_structure_hook(InputMessage)  # the one of every table

    def structure(value: Any, wanted: Any) -> InputMessage:
        if type(value) is dict and len(value) == 2:
            role, content = value.get("role"), value.get("content")
            if type(content) is str and role in ("user", "assistant"):
                return InputMessage(role, (Text(content),))  # nearly all are like this
        message: InputMessage = make(value, wanted)
        for block in message.content:
            if type(block) is Template and block.name == _NAMED_AFTER_ROLE:
                return _with_templates_named(message)
        return message

    return structure


def _with_templates_named(message: InputMessage) -> InputMessage:
    content = [
        attrs.evolve(block, name=message.role)
        if type(block) is Template and block.name == _NAMED_AFTER_ROLE
        else block
        for block in message.content
    ]
    return attrs.evolve(message, content=tuple(content))


def _blocks_hook(converter: Converter) -> Hook:
    def structure(value: Any, _: Any) -> Any:
        if type(value) is str:
            return (Text(value),)
        if type(value) is dict:
            return (Template(name=_NAMED_AFTER_ROLE, arguments=value),)
        if type(value) is not list:
            raise Mismatch(describe_json(value), "a string or an array of content blocks")
        return converter.structure(value, tuple[InputBlock, ...])

    return structure


def _result_hook(converter: Converter) -> Hook:
    def structure(value: Any, _: Any) -> Any:
        if type(value) is str:
            return value
        if type(value) is not list:
            raise Mismatch(describe_json(value), "a string or an array of text and file blocks")
        return converter.structure(value, tuple[_ResultBlock, ...])

    return structure


def _block_hook(
    converter: Converter, readers: Mapping[str, "_Reader"], tags: tuple[str, ...]
) -> Hook:
    def structure(value: Any, _: Any) -> InputBlock:
        if type(value) is not dict:
            raise Mismatch(describe_json(value), "a content block, which is an object")
        tag = value.get("type")
        if tag == "text" and len(value) == 2 and type(value.get("text")) is str:
            return Text(value["text"])  # nearly all are like this
        read = readers.get(tag) if isinstance(tag, str) else None
        if read is None:
            raise at("type", wrong_tag(tag, tags))
        return read(converter, {key: each for key, each in value.items() if key != "type"})

    return structure


def _text(converter: Converter, fields: dict[str, Any]) -> Text | Template:
    block = converter.structure(fields, _Text)
    if (block.text is None) == (block.arguments is None):
        found = "neither" if block.text is None else "both"
        raise Mismatch(f"{found} of `text` and `arguments`", "exactly one of them")
    if block.arguments is not None:
        return Template(name=_NAMED_AFTER_ROLE, arguments=block.arguments)
    return Text(text=block.text or "")


def _template(converter: Converter, fields: dict[str, Any]) -> Template:
    block = converter.structure(fields, Template)
    if block.name == _NAMED_AFTER_ROLE:
        raise Mismatch('`name` ""', "the name of a template")
    return block


def _tool_call(converter: Converter, fields: dict[str, Any]) -> ToolCall:
    """A call as a caller writes it, or as an answer of LSD showed it.

    The answer's parsed pair counts if it is whole; else what the model had written.
    """
    call = converter.structure(fields, _ToolCall)
    if call.name is not None and isinstance(call.arguments, str | dict):
        arguments = call.arguments
        text = arguments if isinstance(arguments, str) else encode_json(arguments).decode()
        return ToolCall(id=call.id, name=call.name, arguments=text)
    if call.raw_name is not None and call.raw_arguments is not None:
        return ToolCall(id=call.id, name=call.raw_name, arguments=call.raw_arguments)
    raise Mismatch(
        f"`name` {describe_json(call.name)}, `arguments` {describe_json(call.arguments)}",
        "a string `name` and string or object `arguments`, or `raw_name` and `raw_arguments`",
    )


def _tool_result(converter: Converter, fields: dict[str, Any]) -> ToolResult:
    made = converter.structure(fields, _ToolResult)
    return ToolResult(id=made.id, name=made.name, result=made.result, is_error=bool(made.is_error))


def _thought(converter: Converter, fields: dict[str, Any]) -> Thought:
    made = converter.structure(fields, _Thought)
    summary = None
    if made.summary is not None:
        summary = tuple({"type": each.type, "text": each.text} for each in made.summary)
    return Thought(
        text=made.text,
        signature=made.signature,
        summary=summary,
        provider_type=made.provider_type,
        extra_data=made.extra_data,
    )


def _plain_text(converter: Converter, fields: dict[str, Any]) -> Text:
    return Text(text=converter.structure(fields, _PlainText).text)


def _raw_text(converter: Converter, fields: dict[str, Any]) -> RawText:
    return converter.structure(fields, RawText)


def _unknown(converter: Converter, fields: dict[str, Any]) -> Unknown:
    if "data" not in fields:
        raise Mismatch("no `data`", "the block's `data`, any JSON value")
    return converter.structure(fields, Unknown)


_Reader = Callable[[Converter, dict[str, Any]], InputBlock]

_READERS: dict[str, _Reader] = {
    "text": _text,
    "template": _template,
    "raw_text": _raw_text,
    "tool_call": _tool_call,
    "tool_result": _tool_result,
    "thought": _thought,
    "file": read_file,
    "image": read_file,
    "unknown": _unknown,
}

_RESULT_READERS: dict[str, _Reader] = {"text": _plain_text, "file": read_file, "image": read_file}
