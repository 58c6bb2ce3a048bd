"""OpenRouter's reasoning comes in details and goes back the same."""

from typing import Any

import pytest

from lsd.conversation import (
    NO_EDITS,
    ChatCompletionParams,
    Text,
    Thought,
    encode_json,
)
from tests.unit.providers.recorded import body, make_dialect, request, warned

OPENAI = "openai-responses-v1"
DETAILS = [
    {"type": "reasoning.text", "text": "Hm.", "signature": "c2ln", "format": "anthropic-claude-v1"},
    {"type": "reasoning.summary", "summary": "He wondered.", "format": OPENAI},
    {"type": "reasoning.encrypted", "data": "gAAA+/é==", "format": OPENAI, "id": "rs_1"},
]


def thoughts_of(message: dict[str, Any]) -> tuple[Any, ...]:
    """The blocks that an answer's message becomes."""
    answer = encode_json({"choices": [{"message": message}]})
    return make_dialect("openrouter").decode(200, {}, answer).output


def test_details_survive_a_round_trip() -> None:
    """Case 40: what came goes back, character by character."""
    blocks = thoughts_of({"content": "Hi", "reasoning": "Hm.", "reasoning_details": DETAILS})

    said = body(make_dialect("openrouter"), request("a", blocks))["messages"][1]

    assert said == {"role": "assistant", "content": "Hi", "reasoning_details": DETAILS}


def test_an_encrypted_detail_has_a_format() -> None:
    """One that came without gets the word that OpenRouter uses for unknown ones."""
    blocks = thoughts_of({"reasoning_details": [{"type": "reasoning.encrypted", "data": "x"}]})

    said = body(make_dialect("openrouter"), request("a", [*blocks, Text(text="b")]))

    assert said["messages"][1]["reasoning_details"] == [
        {"type": "reasoning.encrypted", "data": "x", "format": "raw"}
    ]


@pytest.mark.parametrize(
    "details", [None, [], [7], "x", [{"type": "odd"}], [{"type": "reasoning.text", "text": None}]]
)
def test_details_without_a_thought_are_nothing(details: Any) -> None:
    """Empty and unknown details make no blocks."""
    assert thoughts_of({"content": "Hi", "reasoning_details": details}) == (Text(text="Hi"),)


def test_the_plain_field_counts_without_details() -> None:
    """The field repeats the details; alone it is the thought."""
    (thought, _) = thoughts_of({"content": "Hi", "reasoning": "Hm.", "reasoning_details": []})

    assert thought == Thought(text="Hm.", provider_type="openrouter")


def test_thoughts_of_others_stay_behind() -> None:
    """A thought of unknown origin means nothing to the model behind OpenRouter."""
    asked = request(
        "a", [Thought(text="x"), Thought(text="y", provider_type="openrouter"), Text(text="b")]
    )

    said = body(make_dialect("openrouter"), asked)["messages"][1]

    assert said["reasoning_details"] == [{"type": "reasoning.text", "text": "y"}]
    assert warned(make_dialect("openrouter"), asked) == ["thought"]


@pytest.mark.parametrize(
    ("params", "reasoning", "warnings"),
    [
        ({}, None, []),
        ({"reasoning_effort": "low"}, {"effort": "low"}, []),
        ({"thinking_budget_tokens": 100}, {"max_tokens": 100}, []),
        (
            {"thinking_budget_tokens": 100, "reasoning_effort": "low"},
            {"max_tokens": 100},
            ["reasoning_effort"],
        ),
    ],
)
def test_reasoning_is_bounded_by_effort_or_tokens(
    params: Any, reasoning: Any, warnings: list[str]
) -> None:
    """Both at once are refused upstream; the exact one wins."""
    asked = request(params=ChatCompletionParams(**params))

    sent = body(make_dialect("openrouter"), asked)

    assert sent.get("reasoning") == reasoning
    assert "reasoning_effort" not in sent
    assert warned(make_dialect("openrouter"), asked) == warnings


def test_lsd_introduces_itself() -> None:
    """OpenRouter shows the program in its statistics."""
    headers = make_dialect("openrouter").encode(request(), {"api_key": "k"}, NO_EDITS).headers

    assert headers["X-Title"] == "LSD"


def test_old_models_get_no_schema() -> None:
    """Case 15: a name with 3.5 means plain JSON mode."""
    asked = request(json_mode="strict", output_schema={"type": "object"})

    sent = body(make_dialect("openrouter", model_name="openai/gpt-3.5-turbo"), asked)

    assert sent["response_format"] == {"type": "json_object"}
