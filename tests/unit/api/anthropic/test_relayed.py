"""Messages in a provider's own words, under other names."""

from typing import Any

import orjson
import pytest

from lsd.api.anthropic.relayed import relayed_event, relayed_message

DOCUMENT = {
    "id": "msg_theirs",
    "type": "message",
    "model": "claude-haiku-4-5-20251001",
    "content": [{"type": "yet_to_come", "z": 1, "a": None}],
    "stop_reason": "pause_turn",
    "stop_details": {"x": 1},
    "usage": {
        "input_tokens": 1,
        "cache_creation_input_tokens": 2,
        "cache_read_input_tokens": 3,
        "output_tokens": 4,
        "server_tool_use": {},
    },
    "container": {"id": "c"},
}


def test_only_the_names_are_others() -> None:
    """Every other field stays, in its order."""
    made = relayed_message(DOCUMENT, "msg_ours", "coder")

    assert made == {**DOCUMENT, "id": "msg_ours", "model": "coder"}
    assert list(made) == list(DOCUMENT)


@pytest.mark.parametrize("usage", [{"output_tokens": 4}, {"input_tokens": None}, None, 5])
def test_all_counts_are_there(usage: Any) -> None:
    """Agents fail where one is missing; what is not told is 0."""
    counts = relayed_message({"usage": usage}, "", "")["usage"]

    assert counts["input_tokens"] == 0
    assert counts["cache_creation_input_tokens"] == 0
    assert counts["cache_read_input_tokens"] == 0
    assert counts["output_tokens"] == (4 if usage == {"output_tokens": 4} else 0)


def test_an_event_stays_as_it_came() -> None:
    """Byte for byte, whether anybody knows its type or not."""
    raw = '{"type": "yet_to_come",  "z": 1e2}'

    assert relayed_event(orjson.loads(raw), raw) == (
        b'event: yet_to_come\ndata: {"type": "yet_to_come",  "z": 1e2}\n\n'
    )


@pytest.mark.parametrize("raw", [None, '{"type":\n"ping"}', '{"type":\r"ping"}'])
def test_an_event_is_one_line(raw: str | None) -> None:
    """Whatever it was when it came; also if something in it was changed."""
    assert relayed_event({"type": "ping"}, raw) == b'event: ping\ndata: {"type":"ping"}\n\n'


@pytest.mark.parametrize("document", [{}, {"type": 5}, {"type": "a\nb"}, {"type": ""}])
def test_an_event_without_a_name_is_nobodys(document: dict[str, Any]) -> None:
    """No client would read it."""
    assert relayed_event(document, "{}") == b""
