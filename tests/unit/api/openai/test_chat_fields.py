"""The types of the fields of a chat completion request."""

from typing import Any

import pytest

from lsd.api.compat.troubles import Unsupported
from lsd.api.openai.chat_fields import KNOWN, check_fields
from lsd.conversation import Malformed

GOOD: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}


def problems(**changes: Any) -> list[str]:
    """What is wrong with a good body after these changes; None takes a field away."""
    body = {name: value for name, value in {**GOOD, **changes}.items() if value is not None}
    with pytest.raises(Malformed) as caught:
        check_fields(body)
    return [str(problem) for problem in caught.value.problems]


def messages(*messages: Any) -> list[str]:
    """The problems of these messages."""
    return problems(messages=list(messages))


def test_a_good_body_is_taken() -> None:
    """Cases 15 and 18: unknown fields, one choice, integers that look like floats."""
    check_fields({**GOOD, "foo": object, "n": 1, "max_tokens": 100.0, "seed": -1, "stop": "X"})
    call = {"id": "1"}
    check_fields(
        {
            **GOOD,
            "messages": [
                {"role": "developer", "content": "a"},
                {"role": "assistant", "content": None, "tool_calls": [call]},
                {"role": "assistant"},
                {"role": "tool", "tool_call_id": "1", "content": None},
                {"role": "user", "content": [{"type": "new"}]},
                {"role": "function", "name": "f", "content": "x"},
            ],
        }
    )


@pytest.mark.parametrize(
    ("value", "told"),
    [(None, "model: missing"), ("", 'model: found ""'), (5, "model: found 5")],
)
def test_a_model_is_named(value: Any, told: str) -> None:
    """Case 1."""
    (problem,) = problems(model=value)

    assert problem.startswith(told)


def test_messages_are_there() -> None:
    """At least one; a body of the Responses API is told where it belongs."""
    assert problems(messages=None) == ["messages: missing; it is required"]
    assert problems(messages=[]) == ["messages: found an array of 0; wanted at least one message"]
    assert problems(messages="hi") == ['messages: found "hi"; wanted an array of messages']
    assert "/openai/v1/responses" in problems(messages=None, input="hi")[0]


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ("hi", 'messages[0]: found "hi"; wanted a message'),
        ({"content": "hi"}, "messages[0].role: found null; wanted one of system,"),
        ({"role": "bot", "content": "hi"}, 'messages[0].role: found "bot"; wanted one of'),
        ({"role": "user"}, "messages[0].content: missing"),
        ({"role": "user", "content": None}, "messages[0].content: missing"),
        ({"role": "user", "content": 5}, "messages[0].content: found 5; wanted a string or"),
        ({"role": "user", "content": ["hi"]}, 'messages[0].content[0]: found "hi"; wanted'),
        ({"role": "tool", "content": "ok"}, "messages[0].tool_call_id: found null; wanted"),
        ({"role": "assistant", "tool_calls": {}}, "messages[0].tool_calls: found an object"),
        ({"role": "assistant", "tool_calls": [1]}, "messages[0].tool_calls[0]: found 1"),
    ],
)
def test_messages_have_a_shape(message: Any, told: str) -> None:
    """The path leads to the place."""
    (problem,) = messages(message)

    assert problem.startswith(told)


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"max_tokens": 0}, "max_tokens: found 0; wanted an integer ≥ 1"),
        ({"max_completion_tokens": "5"}, 'max_completion_tokens: found "5"; wanted an integer ≥ 1'),
        ({"temperature": "1"}, 'temperature: found "1"; wanted a number'),
        ({"stream": "true"}, 'stream: found "true"; wanted true or false'),
        ({"stop": 5}, "stop: found 5; wanted a string or an array of strings"),
        ({"stop": ["a", 5]}, "stop[1]: found 5; wanted a string"),
        ({"tools": {}}, "tools: found an object; wanted an array of tools"),
        ({"tool_choice": 1}, "tool_choice: found 1; wanted a string or an object"),
        ({"metadata": {"a": 1}}, "metadata.a: found 1; wanted a string"),
        ({"metadata": 1}, "metadata: found 1; wanted an object of strings"),
        ({"response_format": "x"}, 'response_format: found "x"; wanted an object'),
        (
            {"response_format": {"type": "xml"}},
            'response_format.type: found "xml"; wanted one of text, json_object, json_schema',
        ),
        (
            {"response_format": {"type": "json_schema"}},
            "response_format.json_schema: found null; wanted an object",
        ),
        ({"n": "1"}, 'n: found "1"; wanted an integer'),
    ],
)
def test_types_are_exact(fields: dict[str, Any], told: str) -> None:
    """Ranges are for the provider to judge, types are not."""
    assert problems(**fields) == [told]


@pytest.mark.parametrize("n", [0, 2])
def test_there_is_one_choice(n: int) -> None:
    """Case 15."""
    with pytest.raises(Unsupported) as refused:
        check_fields({**GOOD, "n": n})

    assert refused.value.where == "n"


def test_all_problems_are_told_at_once() -> None:
    """Nobody has to try again for each of them."""
    assert len(problems(model=None, stream=1, messages=[1, 2])) == 4


def test_the_fields_of_the_api_are_known() -> None:
    """Those of others are not."""
    assert {"model", "prompt_cache_key", "functions"} < KNOWN
    assert "foo" not in KNOWN
