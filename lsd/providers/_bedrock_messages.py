"""The messages of a request to Bedrock: turns that alternate, made of blocks."""

from collections.abc import Iterable, Iterator
from typing import assert_never

from lsd.conversation import (
    Base64File,
    ModelBlock,
    ModelMessage,
    StoredFile,
    Text,
    Thought,
    ToolCall,
    ToolResult,
    Unknown,
    UrlFile,
)
from lsd.providers._bedrock_files import file_block
from lsd.providers._bedrock_target import Body, Encoding
from lsd.providers._tool_requests import arguments_object
from lsd.providers.tool_call_ids import fitting_tool_call_id

EMPTY_RESULT = "(empty)"
"""Stands for a result that says nothing: Bedrock refuses results without any text."""


def converse_messages(encoding: Encoding) -> list[Body]:
    """All turns. Those in which nothing is left are left out, and neighbours of one role merged.

    Raises AttemptFailed (config) for a block that cannot be sent, and if there is no message.
    """
    messages: list[Body] = []
    for message in encoding.request.messages:
        if message.role != "system":
            add_turn(messages, message.role, list(_content(message, encoding)))
    if not messages:
        name = encoding.target.provider_name
        raise encoding.refusal(f'provider "{name}" requires at least one message')
    for turn in messages:
        # Results of tools must follow their calls at once.
        turn["content"].sort(key=lambda block: "toolResult" not in block)
    return messages


def add_turn(messages: list[Body], role: str, content: list[Body]) -> None:
    """Appends a turn, to the last one if that is of the same role: Bedrock wants them in turn."""
    if messages and messages[-1]["role"] == role:
        messages[-1]["content"] += content
    elif content:
        messages.append({"role": role, "content": content})


def system_blocks(encoding: Encoding) -> list[Body]:
    """The system text, and instructions that stand in the middle of the conversation."""
    request = encoding.request
    texts = [] if request.system is None else [request.system]
    texts += [
        block.text
        for message in request.messages
        if message.role == "system"
        for block in message.content
        if isinstance(block, Text)
    ]
    return [{"text": text} for text in texts if text.strip()]


def named_tools(messages: Iterable[ModelMessage]) -> list[str]:
    """The names of tools that were called before, or have answered, each once."""
    names = [
        block.name
        for message in messages
        for block in message.content
        if isinstance(block, ToolCall | ToolResult)
    ]
    return list(dict.fromkeys(names))


def _content(message: ModelMessage, encoding: Encoding) -> Iterator[Body]:
    for block in message.content:
        made = _block(block, encoding)
        if made is not None:
            yield made


def _block(block: ModelBlock, encoding: Encoding) -> Body | None:
    """The block as it is sent; None for one that is not."""
    match block:
        case Text():
            return {"text": block.text} if block.text else None
        case ToolCall():
            call = {
                "toolUseId": _fitting(block.id),
                "name": block.name,
                "input": arguments_object(block, encoding),
            }
            return {"toolUse": call}
        case ToolResult():
            return {"toolResult": _result(block, encoding)}
        case Thought():
            return _reasoning(block, encoding)
        case UrlFile() | Base64File() | StoredFile():
            return file_block(block, encoding)
        case Unknown():
            raise encoding.refusal("unsupported content block: blocks of unknown kind are not sent")
        case never:
            assert_never(never)


def _result(block: ToolResult, encoding: Encoding) -> Body:
    parts = (Text(text=block.result),) if isinstance(block.result, str) else block.result
    content = [made for part in parts if (made := _block(part, encoding)) is not None]
    result: Body = {
        "toolUseId": _fitting(block.id),
        "content": content or [{"text": EMPTY_RESULT}],
    }
    if block.is_error:
        result["status"] = "error"
    return result


def _reasoning(block: Thought, encoding: Encoding) -> Body | None:
    if block.text:
        told = {"text": block.text, **({"signature": block.signature} if block.signature else {})}
        return {"reasoningContent": {"reasoningText": told}}
    if block.signature and block.text is None:
        return {"reasoningContent": {"redactedContent": block.signature}}
    if block.signature:
        told = {"text": "", "signature": block.signature}
        return {"reasoningContent": {"reasoningText": told}}
    encoding.leave_out("thought", hint="it has neither a text nor a signature")
    return None


def _fitting(identifier: str) -> str:
    return fitting_tool_call_id(identifier, "bedrock")
