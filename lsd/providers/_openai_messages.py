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

JSON_INSTRUCTION = "Respond using JSON."
"""OpenAI refuses plain JSON mode unless the word JSON occurs in the messages."""


def chat_messages(encoding: Encoding) -> list[Body]:
    """All messages. Raises AttemptFailed (config) for a block that its message cannot hold."""
    messages: list[Body] = []
    system = system_text(encoding)
    if system is not None:
        messages.append({"role": "system", "content": system})
    custom_names = custom_tool_names(encoding)
    for message in encoding.request.messages:
        if message.role == "user":
            messages += _user_messages(message, encoding)
        else:
            messages += _assistant_message(message, encoding, custom_names)
    arrange = encoding.member.arrange_messages
    return messages if arrange is None else arrange(messages, encoding)


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
    found = (tool.name for tool in tools.tools if isinstance(tool, CustomTool)) if tools else ()
    return frozenset(found)


def _user_messages(message: ModelMessage, encoding: Encoding) -> list[Body]:
    """Results of tools first, each as its own message, then all the rest as one."""
    results: list[Body] = []
    attached: list[File] = []
    parts: list[Body] = []
    for block in message.content:
        match block:
            case ToolResult():
                results.append(_tool_message(block, attached, encoding))
            case ToolCall():
                raise encoding.refusal(f"found tool_call {block.id!r} in a user message")
            case Thought():
                encoding.leave_out("thought in a user message")
            case Text() | Unknown() | UrlFile() | Base64File() | StoredFile():
                parts.append(_part(block, encoding))
            case never:
                assert_never(never)
    content = [*(file_part(each, encoding) for each in attached), *parts]
    is_plain = not attached and _is_one_text(message)
    if not content:
        return results
    return [*results, {"role": "user", "content": content[0]["text"] if is_plain else content}]


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
    parts: list[Body] = []
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
                parts.append(_part(block, encoding))
            case never:
                assert_never(never)
    if not parts and not calls:
        if thoughts:
            encoding.leave_out("thought in an assistant message without anything else")
        return []
    made: Body = {"role": "assistant"}
    if parts:
        made["content"] = parts[0]["text"] if _is_one_text(message) else parts
    elif encoding.member.always_has_content:
        made["content"] = None
    if calls:
        made["tool_calls"] = calls
    (encoding.member.put_thoughts or put_thoughts)(made, thoughts, encoding)
    return [made]


def _part(block: Text | File | Unknown, encoding: Encoding) -> Any:
    match block:
        case Text():
            return {"type": "text", "text": block.text}
        case Unknown():
            return block.data
        case _:
            return file_part(block, encoding)


def _is_one_text(message: ModelMessage) -> bool:
    """Whether a text is all that becomes the content; such a content is a plain string."""
    shown = [
        each for each in message.content if not isinstance(each, ToolCall | ToolResult | Thought)
    ]
    return len(shown) == 1 and isinstance(shown[0], Text)


def _tool_call(block: ToolCall, encoding: Encoding, is_custom: bool) -> Body:
    identifier = _fitting(block.id, encoding)
    if is_custom:
        custom = {"name": block.name, "input": block.arguments}
        return {"id": identifier, "type": "custom", "custom": custom}
    function = {"name": block.name, "arguments": block.arguments}
    return {"id": identifier, "type": "function", "function": function}


def _fitting(identifier: str, encoding: Encoding) -> str:
    return fitting_tool_call_id(identifier, encoding.member.tool_call_ids)
