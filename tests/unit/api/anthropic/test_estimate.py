"""Tokens of a request without anybody who counts them."""

from typing import Any

import orjson
import pytest

from lsd.api.anthropic.estimate import estimated_tokens


def of(content: Any, **more: Any) -> int:
    """The estimate for one message of the user."""
    return estimated_tokens({"messages": [{"role": "user", "content": content}], **more})


def test_every_three_bytes_are_a_token() -> None:
    """And four for each message; bytes are counted, not letters."""
    assert of("") == 4
    assert of("abcdef") == 6
    assert of("abcdefg") == 7
    assert of("日本") == 6


def test_everything_that_the_model_reads_counts() -> None:
    """System texts, tools, their calls and results, thoughts."""
    tool = {"name": "look", "description": "Looks", "input_schema": {"type": "object"}}
    text = {"type": "text", "text": "abc"}
    call = {"type": "tool_use", "id": "t", "name": "look", "input": {"a": 1}}

    assert of("", system="abc") == of("", system=[text]) == 5
    search = {"type": "web_search_20250305", "name": "web_search"}
    assert of("", tools=[tool]) == 4 + -(-len('lookLooks{"type":"object"}') // 3)
    assert of("", tools=[search]) == 4 + -(-len(orjson.dumps(search)) // 3)
    assert of([call]) == 4 + -(-len('look{"a":1}') // 3)
    assert of([{"type": "tool_result", "tool_use_id": "t", "content": [text]}]) == 5
    assert of([{"type": "tool_result", "tool_use_id": "t", "content": "abc"}]) == 5
    assert of([{"type": "thinking", "thinking": "abc", "signature": "x" * 99}]) == 5


@pytest.mark.parametrize("kind", ["image", "document"])
def test_a_file_counts_the_same_however_large(kind: str) -> None:
    """Its bytes are no text."""
    source = {"type": "base64", "media_type": "image/png", "data": "A" * 30_000}

    assert of([{"type": kind, "source": source}]) == 1604
    assert of([{"type": "tool_result", "content": [{"type": kind, "source": source}]}]) == 1604


def test_a_document_of_text_is_text() -> None:
    """As its parts are, if it has parts."""
    parts = {"type": "content", "content": [{"type": "text", "text": "abc"}]}

    assert of([{"type": "document", "source": {"type": "text", "data": "abc"}}]) == 5
    assert of([{"type": "document", "source": parts}]) == 5


def test_the_estimate_errs_high() -> None:
    """Case 45: never fewer than a quarter of the bytes."""
    text = "def f(x):\n    return x + 1\n" * 100

    assert of(text) >= len(text) / 4
