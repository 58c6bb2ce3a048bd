"""The messages of a chat completion: system, then turns, results of tools on their own."""

from typing import Any, assert_never

from lsd.conversation import (
    Base64File,
    CustomTool,
    File,
    ModelMessage,
    StoredFile,
    Text,
    Thought,
    ToolCall,
    ToolResult,
    Unknown,
    UrlFile,
)
from lsd.providers._openai_family import Body, Encoding
from lsd.providers._openai_files import file_part
from lsd.providers._openai_thoughts import put_thoughts
from lsd.providers._tool_results import result_text
from lsd.providers.tool_call_ids import fitting_tool_call_id

NO_NAMES: frozenset[str] = frozenset()

JSON_INSTRUCTION = "Respond using JSON."
"""OpenAI refuses plain JSON mode unless the word JSON occurs in the messages."""


def chat_messages(encoding: Encoding) -> list[Body]:
    """All messages. Raises AttemptFailed (config) for a block that its message cannot hold."""
    request, member = encoding.request, encoding.target.member
    messages: list[Body] = []
    system: Any = request.system
    if request.json_mode == "on" or (request.system_blocks and member.takes_cache_marks):
        system = _system_content(encoding)
    if system is not None:
        messages.append({"role": "system", "content": system})
    custom_names = NO_NAMES if request.tools is None else custom_tool_names(encoding)
    for message in request.messages:
        role, content = message.role, message.content
        first = content[0] if len(content) == 1 else None
        if (
            type(first) is Text
            and role != "system"
            and (first.cache_control is None or not member.takes_cache_marks)
        ):
            # A turn that is nothing but a text, as most are.
            messages.append({"role": role, "content": first.text})
            continue
        match role:
            case "user":
                messages += _user_messages(message, encoding)
            case "assistant":
                messages += _assistant_message(message, encoding, custom_names)
            case "system":
                messages.append(_instruction(message, encoding))
            case never:
                assert_never(never)
    if request.client is not None and messages and messages[-1]["role"] == "assistant":
        encoding.alter("messages", "the model may answer anew where it was to go on")
    arrange = member.arrange_messages
    return messages if arrange is None else arrange(messages, encoding)


def _instruction(message: ModelMessage, encoding: Encoding) -> Body:
    """An instruction within the conversation, for types that take one there."""
    texts: list[Text | File | Unknown] = [
        block for block in message.content if isinstance(block, Text)
    ]
    return {"role": "developer", "content": _content(texts, encoding)}


def _system_content(encoding: Encoding) -> Any:
    blocks = encoding.request.system_blocks
    if encoding.member.takes_cache_marks and any(block.cache_control for block in blocks):
        return [_part(block, encoding) for block in blocks]
    return system_text(encoding)


def system_text(encoding: Encoding) -> str | None:
    """The system text, with the word JSON in it where the API insists on it."""
    request = encoding.request
    if (
        request.json_mode != "on"
        or not encoding.member.adds_json_instruction
        or _mentions_json(encoding)
    ):
        return request.system
    return f"{JSON_INSTRUCTION}\n\n{request.system}" if request.system else JSON_INSTRUCTION


def _mentions_json(encoding: Encoding) -> bool:
    request = encoding.request
    texts = [request.system or ""]
    for message in request.messages:
        for block in message.content:
            if isinstance(block, Text):
                texts.append(block.text)
            elif isinstance(block, ToolResult):
                texts.append(_result_text(block))
    return any("json" in text.lower() for text in texts)


def custom_tool_names(encoding: Encoding) -> frozenset[str]:
    """The tools that take a text in place of arguments."""
    tools = encoding.request.tools
    if tools is None:
        return NO_NAMES
    return frozenset(tool.name for tool in tools.tools if isinstance(tool, CustomTool))


def _user_messages(message: ModelMessage, encoding: Encoding) -> list[Body]:
    """Results of tools first, each as its own message, then all the rest as one."""
    results: list[Body] = []
    attached: list[File] = []
    shown: list[Text | File | Unknown] = []
    for block in message.content:
        match block:
            case ToolResult():
                results.append(_tool_message(block, attached, encoding))
            case ToolCall():
                raise encoding.refusal(f"found tool_call {block.id!r} in a user message")
            case Thought():
                encoding.leave_out("thought in a user message")
            case Text() | Unknown() | UrlFile() | Base64File() | StoredFile():
                shown.append(block)
            case never:
                assert_never(never)
    if not attached and not shown:
        return results
    return [*results, {"role": "user", "content": _content([*attached, *shown], encoding)}]


def _tool_message(block: ToolResult, attached: list[File], encoding: Encoding) -> Body:
    """The message of one result; its files go into `attached`, for the user message after it."""
    text = result_text(block, attached)
    return {"role": "tool", "tool_call_id": _fitting(block.id, encoding), "content": text}


def _result_text(block: ToolResult) -> str:
    if isinstance(block.result, str):
        return block.result
    return "\n".join(each.text for each in block.result if isinstance(each, Text))


def _assistant_message(
    message: ModelMessage, encoding: Encoding, custom_names: frozenset[str]
) -> list[Body]:
    """The message, or none if nothing is left that a message could consist of."""
    shown: list[Text | File | Unknown] = []
    calls: list[Body] = []
    thoughts: list[Thought] = []
    for block in message.content:
        match block:
            case ToolCall():
                calls.append(_tool_call(block, encoding, block.name in custom_names))
            case ToolResult():
                raise encoding.refusal(f"found tool_result {block.id!r} in an assistant message")
            case Thought():
                thoughts.append(block)
            case Text() | Unknown() | UrlFile() | Base64File() | StoredFile():
                shown.append(block)
            case never:
                assert_never(never)
    if not shown and not calls:
        if thoughts:
            encoding.leave_out("thought in an assistant message without anything else")
        return []
    made: Body = {"role": "assistant"}
    if shown:
        made["content"] = _content(shown, encoding)
    elif encoding.member.always_has_content or encoding.is_translated:
        made["content"] = None
    if calls:
        made["tool_calls"] = calls
    (encoding.member.put_thoughts or put_thoughts)(made, thoughts, encoding)
    return [made]


def _part(block: Text | File | Unknown, encoding: Encoding) -> Any:
    match block:
        case Unknown():
            return block.data
        case Text():
            part: Body = {"type": "text", "text": block.text}
        case _:
            part = file_part(block, encoding)
    marks = None if isinstance(block, StoredFile) else block.cache_control
    if marks is not None and encoding.member.takes_cache_marks:
        part["cache_control"] = marks
    return part


def _content(blocks: list[Text | File | Unknown], encoding: Encoding) -> Any:
    """The parts; what is nothing but one text is a plain string, which more servers take.

    Of a client that could not but write several texts, several become one, too.
    """
    parts = [_part(block, encoding) for block in blocks]
    is_plain = len(parts) == 1 or encoding.is_translated
    if is_plain and all(map(_is_plain_text, blocks, parts)):
        return "\n\n".join(part["text"] for part in parts)
    return parts


def _is_plain_text(block: Text | File | Unknown, part: Any) -> bool:
    return isinstance(block, Text) and "cache_control" not in part


def _tool_call(block: ToolCall, encoding: Encoding, is_custom: bool) -> Body:
    identifier = _fitting(block.id, encoding)
    if is_custom:
        custom = {"name": block.name, "input": block.arguments}
        return {"id": identifier, "type": "custom", "custom": custom}
    function = {"name": block.name, "arguments": block.arguments}
    return {"id": identifier, "type": "function", "function": function}


def _fitting(identifier: str, encoding: Encoding) -> str:
    return fitting_tool_call_id(identifier, encoding.member.tool_call_ids)
