"""Content blocks as JSON values: how they are stored, and how answers show them."""

from collections.abc import Iterable, Mapping
from typing import Any, assert_never

from lsd.conversation.content import (
    Base64File,
    InputBlock,
    RawText,
    StoredFile,
    Template,
    Text,
    Thought,
    ToolCall,
    ToolResult,
    Unknown,
    UrlFile,
)
from lsd.conversation.input import Input


def input_to_json(value: Input) -> dict[str, Any]:
    """`{"system"?, "messages"}` as it is stored; reading it again gives the same `Input`."""
    messages = [
        {"role": message.role, "content": blocks_to_json(message.content)}
        for message in value.messages
    ]
    if value.system is None:
        return {"messages": messages}
    return {"system": value.system, "messages": messages}


def blocks_to_json(blocks: Iterable[InputBlock]) -> list[dict[str, Any]]:
    """Blocks, in their order. Most are text."""
    return [
        {"type": "text", "text": block.text} if type(block) is Text else block_to_json(block)
        for block in blocks
    ]


def block_to_json(block: InputBlock) -> dict[str, Any]:
    """One block; fields that are not set are left out."""
    match block:
        case Text():
            return {"type": "text", "text": block.text}
        case RawText():
            return {"type": "raw_text", "value": block.value}
        case Template():
            return {"type": "template", "name": block.name, "arguments": block.arguments}
        case ToolCall():
            return {
                "type": "tool_call",
                "id": block.id,
                "name": block.name,
                "arguments": block.arguments,
            }
        case ToolResult():
            return _tool_result(block)
        case Thought():
            return thought_to_json(block)
        case UrlFile() | Base64File() | StoredFile():
            return _file(block)
        case Unknown():
            return _set_fields(
                {
                    "type": "unknown",
                    "data": block.data,
                    "model_name": block.model_name,
                    "provider_name": block.provider_name,
                },
                keep=("data",),
            )
        case never:
            assert_never(never)


def thought_to_json(block: Thought) -> dict[str, Any]:
    """A thought; `text` is always there, perhaps null."""
    return _set_fields(
        {
            "type": "thought",
            "text": block.text,
            "signature": block.signature,
            "summary": None if block.summary is None else list(block.summary),
            "provider_type": block.provider_type,
            "extra_data": block.extra_data,
        },
        keep=("text",),
    )


def _tool_result(block: ToolResult) -> dict[str, Any]:
    result = block.result
    shown: dict[str, Any] = {
        "type": "tool_result",
        "id": block.id,
        "name": block.name,
        "result": result if isinstance(result, str) else blocks_to_json(result),
    }
    if block.is_error:
        shown["is_error"] = True
    return shown


def _file(block: UrlFile | Base64File | StoredFile) -> dict[str, Any]:
    shared = {"mime_type": block.mime_type, "detail": block.detail, "filename": block.filename}
    match block:
        case UrlFile():
            return _set_fields({"type": "file", "file_type": "url", "url": block.url, **shared})
        case Base64File():
            return _set_fields(
                {"type": "file", "file_type": "base64", "data": block.data, **shared}
            )
        case StoredFile():
            file_type = "object_storage_pointer" if block.data is None else "object_storage"
            own = {"storage_path": block.storage_path, "source_url": block.source_url}
            return _set_fields(
                {"type": "file", "file_type": file_type, **own, "data": block.data, **shared}
            )


def _set_fields(fields: Mapping[str, Any], keep: tuple[str, ...] = ()) -> dict[str, Any]:
    return {key: value for key, value in fields.items() if value is not None or key in keep}
