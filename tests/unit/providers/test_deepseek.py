"""DeepSeek wants turns in turn, and its reasoning back."""

from typing import Any

import pytest

from lsd.conversation import Base64File, ChatCompletionParams, Text, Thought, ToolCall, ToolResult
from tests.unit.providers.recorded import body, make_dialect, request, warned

PNG = Base64File(data="aGk=", mime_type="image/png")
CALL = ToolCall(id="c1", name="wx", arguments="{}")
SENT_CALL = {"id": "c1", "type": "function", "function": {"name": "wx", "arguments": "{}"}}


def text(words: str) -> dict[str, str]:
    """A text part."""
    return {"type": "text", "text": words}


def messages(*turns: Any, model: str = "chat", **fields: Any) -> Any:
    """What DeepSeek is sent for these turns."""
    dialect = make_dialect("deepseek", model_name=model)
    return body(dialect, request(*turns, **fields))["messages"]


def test_turns_of_one_role_are_merged() -> None:
    """Case 39: two users in a row are one user with two parts."""
    assert messages("a", [], "b", [], [PNG]) == [
        {
            "role": "user",
            "content": [
                text("a"),
                text("b"),
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,aGk="}},
            ],
        }
    ]


def test_merged_assistants_keep_calls_and_reasoning() -> None:
    """Case 39: calls are put together, thoughts joined by a blank line."""
    said = messages(
        "a",
        [Thought(text="One."), Text(text="b"), CALL],
        [],
        [Thought(text="Two."), CALL],
    )

    assert said[1] == {
        "role": "assistant",
        "content": [text("b")],
        "tool_calls": [SENT_CALL, SENT_CALL],
        "reasoning_content": "One.\n\nTwo.",
    }


def test_results_of_tools_are_never_merged() -> None:
    """Each result answers its own call."""
    results = [ToolResult(id=each, name="wx", result=each) for each in ("c1", "c2")]

    said = messages(results)

    assert [message["tool_call_id"] for message in said] == ["c1", "c2"]


def test_tool_calls_carry_a_reasoning_field() -> None:
    """Case 39: the API refuses the turn without it, even if nothing was thought."""
    assert messages("a", [CALL])[1]["reasoning_content"] == ""
    assert messages("a", [Thought(text="Hm."), CALL])[1]["reasoning_content"] == "Hm."
    assert "reasoning_content" not in messages("a", "b")[1]


def test_the_reasoner_hears_the_system_as_a_user() -> None:
    """It heeds no system message; the JSON instruction moves along."""
    said = messages("Hi", model="deepseek-Reasoner", system="Be nice.", json_mode="on")

    assert said == [
        {"role": "user", "content": [text("Respond using JSON.\n\nBe nice."), text("Hi")]}
    ]
    assert messages("Hi", system="Be nice.")[0]["role"] == "system"


@pytest.mark.parametrize(
    ("effort", "fields"),
    [
        ("none", {"thinking": {"type": "disabled"}}),
        ("high", {"reasoning_effort": "high"}),
        (None, {}),
    ],
)
def test_no_effort_switches_thinking_off(effort: str | None, fields: dict[str, Any]) -> None:
    """The word `none` has a field of its own."""
    sent = body(
        make_dialect("deepseek"), request(params=ChatCompletionParams(reasoning_effort=effort))
    )

    assert {key: sent[key] for key in ("thinking", "reasoning_effort") if key in sent} == fields


def test_a_schema_is_not_held_to() -> None:
    """Strict mode becomes plain JSON mode, with a warning."""
    asked = request(json_mode="strict", output_schema={"type": "object"})

    assert warned(make_dialect("deepseek"), asked) == ["json_mode"]
