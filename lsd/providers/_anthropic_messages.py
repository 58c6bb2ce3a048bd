"""The messages of a request to Claude: turns whose content is always a list of blocks."""

from base64 import b64decode
from collections.abc import Iterable
from typing import assert_never

from lsd.conversation import (
    Base64File,
    File,
    FunctionTool,
    JsonValue,
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
from lsd.providers._anthropic_target import Body, Encoding
from lsd.providers._inline_files import InlineFile, bare_mime_type, inline_file
from lsd.providers._tool_requests import arguments_object
from lsd.providers.tool_call_ids import fitting_tool_call_id

Marked = Text | ToolCall | ToolResult | UrlFile | Base64File | FunctionTool
"""What may bear a mark for the cache."""


def claude_messages(encoding: Encoding) -> list[Body]:
    """All messages; those in which nothing is left are left out.

    Raises AttemptFailed (config) for a block that cannot be sent, and if there is no message.
    """
    messages: list[Body] = []
    for message in encoding.request.messages:
        content = _content(message, encoding)
        if content:
            messages.append({"role": message.role, "content": content})
    if not messages:
        name = encoding.target.provider_name
        raise encoding.refusal(f'provider "{name}" requires at least one message')
    return messages


def has_tool_history(encoding: Encoding) -> bool:
    """Whether tools were called before; Claude then wants to know what tools there are."""
    return any(
        isinstance(block, ToolCall | ToolResult)
        for message in encoding.request.messages
        for block in message.content
    )


def _content(message: ModelMessage, encoding: Encoding) -> list[JsonValue]:
    blocks: Iterable[ModelBlock] = message.content
    if message.role == "user":
        # Claude refuses results of tools that stand behind anything else.
        blocks = sorted(blocks, key=lambda block: not isinstance(block, ToolResult))
    return [made for block in blocks if (made := _block(block, encoding)) is not None]


def _block(block: ModelBlock, encoding: Encoding) -> JsonValue:
    """The block as it is sent; None for one that is not."""
    match block:
        case Text():
            return _text(block, encoding)
        case ToolCall():
            return _tool_use(block, encoding)
        case ToolResult():
            return _tool_result(block, encoding)
        case Thought():
            return _thinking(block, encoding)
        case UrlFile() | Base64File() | StoredFile():
            return _file(block, encoding)
        case Unknown():
            return block.data
        case never:
            assert_never(never)


def marked(body: Body, source: Marked) -> Body:
    """`body` with the mark for the cache that its source has."""
    if source.cache_control is not None:
        body["cache_control"] = source.cache_control
    return body


def _text(block: Text, encoding: Encoding) -> Body | None:
    """Claude refuses empty texts, and those of white space."""
    has_text = block.text.strip() if encoding.is_translated else block.text
    return marked({"type": "text", "text": block.text}, block) if has_text else None


def _tool_use(block: ToolCall, encoding: Encoding) -> Body:
    made: Body = {
        "type": "tool_use",
        "id": _fitting(block.id),
        "name": block.name,
        "input": arguments_object(block, encoding),
    }
    return marked(made, block)


def _tool_result(block: ToolResult, encoding: Encoding) -> Body:
    parts = (Text(text=block.result),) if isinstance(block.result, str) else block.result
    made: Body = {
        "type": "tool_result",
        "tool_use_id": _fitting(block.id),
        "content": [each for part in parts if (each := _block(part, encoding)) is not None],
    }
    if block.is_error:
        made["is_error"] = True
    return marked(made, block)


def _thinking(block: Thought, encoding: Encoding) -> Body | None:
    if block.text is not None and block.signature:
        return {"type": "thinking", "thinking": block.text, "signature": block.signature}
    if block.signature:
        return {"type": "redacted_thinking", "data": block.signature}
    if block.text is not None:
        encoding.leave_out("thought", hint="it has no signature, and Claude takes no other ones")
    return None


def _fitting(identifier: str) -> str:
    return fitting_tool_call_id(identifier, "anthropic")


def is_forwarded(file: UrlFile) -> bool:
    """Whether Claude fetches the file itself: images and documents, but no plain text."""
    return file.mime_type is not None and not bare_mime_type(file.mime_type).startswith("text/")


def _file(file: File, encoding: Encoding) -> Body:
    if file.detail is not None:
        encoding.leave_out("detail")
    match file:
        case UrlFile(mime_type=str(mime_type)) if is_forwarded(file):
            made = _sourced(bare_mime_type(mime_type), {"type": "url", "url": file.url})
        case _:
            made = _inlined(inline_file(file, encoding), encoding)
    if encoding.is_translated and file.filename and made["type"] == "document":
        made["title"] = file.filename
    return made if isinstance(file, StoredFile) else marked(made, file)


def _inlined(file: InlineFile, encoding: Encoding) -> Body:
    mime_type, data = file.bare_type, file.data
    if mime_type.startswith("text/"):
        # Claude knows but one kind of text, whatever it is written in.
        text = _decoded(data, encoding)
        return _sourced(mime_type, {"type": "text", "media_type": "text/plain", "data": text})
    return _sourced(mime_type, {"type": "base64", "media_type": mime_type, "data": data})


def _sourced(mime_type: str, source: Body) -> Body:
    kind = "image" if mime_type.startswith("image/") else "document"
    return {"type": kind, "source": source}


def _decoded(data: str, encoding: Encoding) -> str:
    try:
        return b64decode(data, validate=True).decode(errors="replace")
    except ValueError:
        raise encoding.refusal("found a file whose data is not base64") from None
