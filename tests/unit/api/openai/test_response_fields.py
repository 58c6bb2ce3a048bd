"""Fields of Responses requests: what may stand there."""

from typing import Any

import pytest

from lsd.api.compat.troubles import Unsupported
from lsd.api.openai.response_fields import KNOWN, check_fields
from lsd.conversation import Malformed

GOOD = {"model": "m", "input": "Hi"}


def problems(body: dict[str, Any]) -> list[str]:
    """Where something is wrong."""
    with pytest.raises(Malformed) as caught:
        check_fields(body)
    return [problem.path for problem in caught.value.problems]


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"input": [{"role": "user", "content": "Hi"}]},
        {"max_output_tokens": 16, "tool_choice": {"type": "function", "name": "f"}},
        {"text": {"format": {"type": "json_schema", "name": "a", "schema": {}}}},
        {"text": {"verbosity": "low"}, "background": False},
        {"unknown": 1},
    ],
)
def test_good_bodies(fields: dict[str, Any]) -> None:
    """Unknown fields are nobody's business here."""
    check_fields({**GOOD, **fields})


def test_what_is_missing_is_told_at_once() -> None:
    """Both of them."""
    assert problems({}) == ["model", "input"]


def test_a_chat_body_is_shown_the_way() -> None:
    """It belongs elsewhere."""
    with pytest.raises(Malformed, match="/openai/v1/chat/completions"):
        check_fields({"model": "m", "messages": []})


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"input": 1}, "input"),
        ({"input": []}, "input"),
        ({"input": ["a"]}, "input[0]"),
        ({"instructions": ["a"]}, "instructions"),
        ({"max_output_tokens": 15}, "max_output_tokens"),
        ({"temperature": "1"}, "temperature"),
        ({"tools": {}}, "tools"),
        ({"text": "json"}, "text"),
        ({"text": {"format": "json"}}, "text.format"),
        ({"text": {"format": {"type": "xml"}}}, "text.format.type"),
        ({"text": {"format": {"type": "json_schema"}}}, "text.format.schema"),
        ({"metadata": {"a": 1}}, "metadata.a"),
        ({"stream": "yes"}, "stream"),
        ({"include": "all"}, "include"),
    ],
)
def test_wrong_types(fields: dict[str, Any], path: str) -> None:
    """Each is told with its path."""
    assert problems({**GOOD, **fields}) == [path]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("previous_response_id", "resp_1"),
        ("conversation", "conv_1"),
        ("conversation", {"id": "conv_1"}),
        ("background", True),
        ("prompt", {"id": "pmpt_1"}),
    ],
)
def test_what_needs_kept_responses_is_refused(name: str, value: Any) -> None:
    """Nothing is kept for a later request."""
    with pytest.raises(Unsupported) as caught:
        check_fields({**GOOD, name: value})

    assert caught.value.where == name
    assert name in KNOWN
