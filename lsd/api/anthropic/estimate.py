"""How many tokens a request has, roughly and rather too many, where no provider counts them."""

from collections.abc import Mapping
from typing import Any

from lsd.conversation import encode_json

_BYTES_PER_TOKEN = 3
_PER_MESSAGE = 4
_PER_FILE = 1600
"""Agents shorten their conversation when the count nears the limit, and fail if they do so too
late: code has about 3.5 bytes a token, and no usual image has more than 1600 tokens."""

_FILES = ("image", "document")


def estimated_tokens(body: Mapping[str, Any]) -> int:
    """The estimate for a checked body of a Messages request."""
    counted = _Counted()
    counted.add(body.get("system", ""))
    for message in body.get("messages", []):
        counted.tokens += _PER_MESSAGE
        counted.add(message["content"])
    for tool in body.get("tools", []):
        counted.add_tool(tool)
    return counted.tokens + -(-counted.bytes // _BYTES_PER_TOKEN)


class _Counted:
    def __init__(self) -> None:
        self.bytes = 0
        self.tokens = 0

    def add(self, content: Any) -> None:
        """A text, or blocks."""
        if isinstance(content, str):
            self.bytes += len(content.encode())
        elif isinstance(content, list):
            for block in content:
                self._add_block(block)

    def add_tool(self, tool: Any) -> None:
        """The definition of a tool: what it is called, what is said of it, what it takes."""
        match tool:
            case {"name": str(name), "input_schema": dict(schema)}:
                self.add(name)
                self.add(tool.get("description"))
                self._add_json(schema)
            case _:
                self._add_json(tool)

    def _add_block(self, block: Any) -> None:
        match block:
            case {"type": "text", "text": str(text)} | {"type": "thinking", "thinking": str(text)}:
                self.bytes += len(text.encode())
            case {"type": "document", "source": {"type": "text", "data": str(text)}}:
                self.bytes += len(text.encode())
            case {"type": "document", "source": {"type": "content", "content": content}}:
                self.add(content)
            case {"type": str(kind)} if kind in _FILES:
                self.tokens += _PER_FILE
            case {"type": "tool_use", "name": str(name), "input": payload}:
                self.add(name)
                self._add_json(payload)
            case {"type": "tool_result"}:
                self.add(block.get("content"))
            case _:
                self._add_json(block)

    def _add_json(self, value: Any) -> None:
        self.bytes += len(encode_json(value))
