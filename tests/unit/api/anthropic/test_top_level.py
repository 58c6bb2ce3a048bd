"""The types of the fields of a Messages request."""

from typing import Any

import pytest

from lsd.api.anthropic.top_level import KNOWN, TRANSLATED, check_body
from lsd.api.compat.troubles import Unsupported
from lsd.conversation import Malformed

GOOD: dict[str, Any] = {
    "model": "m",
    "max_tokens": 64,
    "messages": [{"role": "user", "content": "hi"}],
}


def problems(**changes: Any) -> list[str]:
    """What is wrong with a good body after these changes."""
    with pytest.raises(Malformed) as caught:
        check_body({**GOOD, **changes})
    return [str(problem) for problem in caught.value.problems]


def test_what_must_be_there() -> None:
    """Case 17: it is told in Anthropic's own words, all at once."""
    with pytest.raises(Malformed) as caught:
        check_body({})

    assert [str(problem) for problem in caught.value.problems] == [
        "max_tokens: Field required",
        "messages: Field required",
        "model: Field required",
    ]


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"max_tokens": 0},
        {"max_tokens": 100.0, "top_k": 5.0, "temperature": 5, "top_p": 0.5},
        {"system": "Be brief.", "stop_sequences": [], "stream": True},
        {"system": [{"type": "text", "text": "Be brief."}]},
        {"messages": [{"role": "system", "content": "x"}, {"role": "user", "content": []}]},
        {"messages": [{"role": "user", "content": [{"type": "yet to come"}]}]},
        {"tools": [{"type": "web_search_20250305"}], "tool_choice": {"type": "auto"}},
        {"thinking": {"type": "enabled", "budget_tokens": 2048}},
        {"thinking": {"type": "adaptive"}, "output_config": {"effort": "low"}},
        {"metadata": {"user_id": None}, "service_tier": "auto"},
        {"foo": 1, "container": {}, "mcp_servers": []},
    ],
)
def test_a_good_body(more: dict[str, Any]) -> None:
    """What blocks and tools hold is looked at by whoever has to understand it."""
    check_body({**GOOD, **more})


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"model": ""}, 'model: found ""; wanted the name of a model'),
        ({"model": 5}, "model: found 5; wanted the name of a model"),
        ({"max_tokens": -1}, "max_tokens: found -1; wanted an integer ≥ 0"),
        ({"max_tokens": "64"}, 'max_tokens: found "64"; wanted an integer ≥ 0'),
        ({"max_tokens": True}, "max_tokens: found true; wanted an integer ≥ 0"),
        ({"max_tokens": 1.5}, "max_tokens: found 1.5; wanted an integer ≥ 0"),
        ({"messages": []}, "messages: found an array of 0; wanted at least one message"),
        ({"messages": {}}, "messages: found an object; wanted an array of messages"),
        ({"messages": ["hi"]}, 'messages[0]: found "hi"; wanted a message, which is an object'),
        (
            {"messages": [{"role": "tool", "content": "x"}]},
            'messages[0].role: found "tool"; wanted one of user, assistant, system',
        ),
        ({"messages": [{"role": "user"}]}, "messages[0].content: Field required"),
        (
            {"messages": [{"role": "user", "content": None}]},
            "messages[0].content: found null; wanted a string or an array of content blocks",
        ),
        (
            {"messages": [{"role": "user", "content": ["x"]}]},
            'messages[0].content[0]: found "x"; wanted an object',
        ),
        ({"system": 5}, "system: found 5; wanted a string or an array of content blocks"),
        ({"temperature": "1"}, 'temperature: found "1"; wanted a number'),
        ({"stop_sequences": "X"}, 'stop_sequences: found "X"; wanted an array of strings'),
        ({"stop_sequences": [1]}, "stop_sequences[0]: found 1; wanted a string"),
        ({"stream": "yes"}, 'stream: found "yes"; wanted true or false'),
        ({"tools": {}}, "tools: found an object; wanted an array of tools"),
        ({"tool_choice": "auto"}, 'tool_choice: found "auto"; wanted an object'),
        ({"thinking": {}}, "thinking: found an object; wanted an object with a `type`"),
        ({"thinking": {"type": "enabled"}}, "thinking.budget_tokens: Field required"),
        ({"metadata": "me"}, 'metadata: found "me"; wanted an object'),
        ({"metadata": {"user_id": 5}}, "metadata.user_id: found 5; wanted a string"),
    ],
)
def test_a_field_of_the_wrong_type(changes: dict[str, Any], told: str) -> None:
    """It is named by its path, with what was found and what would be right."""
    assert problems(**changes) == [told]


def test_a_thread_is_refused() -> None:
    """Case 60: with the code from which the client knows to send the whole conversation."""
    with pytest.raises(Unsupported) as caught:
        check_body({**GOOD, "thread": {"type": "new"}})

    assert caught.value.details == {"error_code": "thread_unsupported_request"}
    assert "whole conversation" in str(caught.value)


def test_every_field_is_known() -> None:
    """What has a meaning elsewhere is a part of what may be there at all."""
    assert TRANSLATED < KNOWN
    assert {"container", "thread"} <= KNOWN
    assert "foo" not in KNOWN
