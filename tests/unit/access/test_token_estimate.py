"""How many tokens a call may cost, before anybody has counted."""

from typing import Any

import pytest

from lsd.access import estimated_embedding_tokens, estimated_prompt_tokens
from lsd.conversation import (
    Base64File,
    EmbeddingRequest,
    ModelMessage,
    ModelRequest,
    StoredFile,
    Text,
    Thought,
    ToolCall,
    ToolResult,
    Unknown,
    UrlFile,
)

URL = UrlFile(url="https://example.com/cat.png")


def of_block(block: Any) -> int:
    """The estimate of a message with this one block."""
    messages = (ModelMessage(role="user", content=(block,)),)
    return estimated_prompt_tokens(ModelRequest(messages=messages))


@pytest.mark.parametrize(
    ("block", "tokens"),
    [
        (Text(text="12345"), 2),
        (Text(text="äöü"), 3),
        (Text(text=""), 0),
        (ToolCall(id="an id that does not count", name="abc", arguments='{"a":1}'), 1 + 3),
        (ToolResult(id="x", name="abc", result="12345"), 1 + 2),
        (ToolResult(id="x", name="ab", result=(Text(text="1234"), URL)), 1 + 2 + 10_000),
        (Thought(text="123", signature="12345"), 1 + 2),
        (Thought(), 0),
        (URL, 10_000),
        (Base64File(data="AAAA", mime_type="image/png"), 10_000),
        (StoredFile(storage_path={}, mime_type="image/png"), 10_000),
        (Unknown(data={"much": "x" * 1000}), 0),
    ],
    ids=lambda value: type(value).__name__ if not isinstance(value, int) else str(value),
)
def test_half_a_token_per_byte_and_ten_thousand_per_file(block: Any, tokens: int) -> None:
    """Each text is rounded down by itself; what nobody can read counts for nothing."""
    assert of_block(block) == tokens


def test_the_system_text_and_all_messages_count() -> None:
    """In all roles."""
    request = ModelRequest(
        system="12345",
        messages=(
            ModelMessage(role="user", content=(Text(text="123"), Text(text="123"))),
            ModelMessage(role="assistant", content=(Text(text="1234"),)),
        ),
    )

    assert estimated_prompt_tokens(request) == 2 + 1 + 1 + 2


def test_embeddings_count_texts_likewise_and_tokens_exactly() -> None:
    """What is tokens already need not be guessed."""
    assert estimated_embedding_tokens(EmbeddingRequest(inputs=("12345", "123"))) == 2 + 1
    assert estimated_embedding_tokens(EmbeddingRequest(inputs=((1, 2, 3), "1234"))) == 3 + 2
