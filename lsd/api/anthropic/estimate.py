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
        counted.add_payload(tool)
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

    def add_payload(self, value: Any) -> None:
        """JSON that the model reads as it is."""
        self.bytes += len(encode_json(value))

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
            case {"type": "tool_result", "content": content}:
                self.add(content)
            case _:
                self.add_payload(block)
