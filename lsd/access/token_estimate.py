"""How many tokens a call may cost, from what is asked and before anybody has counted."""

from collections.abc import Iterator
from typing import Final, assert_never

from lsd.conversation import (
    Base64File,
    EmbeddingRequest,
    ModelBlock,
    ModelRequest,
    StoredFile,
    Text,
    Thought,
    ToolCall,
    ToolResult,
    Unknown,
    UrlFile,
)

BYTES_OF_TOKEN: Final = 2
"""Fewer than in any usual text, so that the estimate is rarely too low."""

TOKENS_OF_FILE: Final = 10_000
"""Of any kind and size: a picture costs thousands, a long document tens of thousands."""


def estimated_prompt_tokens(request: ModelRequest) -> int:
    """Of the prompt alone. Definitions of tools and unknown blocks count for nothing."""
    counts = [_of_text(request.system)]
    for message in request.messages:
        for block in message.content:
            counts += _of_block(block)
    return sum(counts)


def estimated_embedding_tokens(request: EmbeddingRequest) -> int:
    """Of all inputs; those that are tokens already are counted."""
    return sum(_of_text(each) if isinstance(each, str) else len(each) for each in request.inputs)


def _of_block(block: ModelBlock) -> Iterator[int]:
    match block:
        case Text():
            yield _of_text(block.text)
        case ToolCall():
            yield _of_text(block.name)
            yield _of_text(block.arguments)
        case ToolResult():
            yield _of_text(block.name)
            if isinstance(block.result, str):
                yield _of_text(block.result)
            else:
                for part in block.result:
                    yield from _of_block(part)
        case Thought():
            yield _of_text(block.text)
            yield _of_text(block.signature)
        case UrlFile() | Base64File() | StoredFile():
            yield TOKENS_OF_FILE
        case Unknown():
            pass
        case never:
            assert_never(never)


def _of_text(text: str | None) -> int:
    return 0 if text is None else len(text.encode()) // BYTES_OF_TOKEN
