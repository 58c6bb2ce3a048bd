"""Mistral keeps thoughts in the content and has short ids."""

from typing import Any

import pytest

from lsd.conversation import FunctionTool, Text, Thought, ToolCall, ToolResult, ToolSet
from tests.unit.providers.recorded import body, make_dialect, request, warned

TOOL = FunctionTool(name="wx", description="", parameters={})
CALL = ToolCall(id="call_abc123", name="wx", arguments="{}")


def said(*blocks: Any, **keys: Any) -> Any:
    """The content of the assistant's message."""
    return body(make_dialect("mistral", **keys), request("Hi", blocks))["messages"][1]["content"]


@pytest.mark.parametrize(
    ("choice", "word"), [("required", "any"), ("auto", "auto"), ("none", "none")]
)
def test_a_required_tool_is_any(choice: Any, word: str) -> None:
    """Mistral has its own word."""
    tools = ToolSet(tools=(TOOL,), choice=choice)

    assert body(make_dialect("mistral"), request(tools=tools))["tool_choice"] == word


def test_ids_are_mapped_alike_in_calls_and_results() -> None:
    """Case 38: nine characters, the same for the call and its result."""
    messages = body(
        make_dialect("mistral"),
        request("Hi", [CALL], [ToolResult(id="call_abc123", name="wx", result="1")]),
    )["messages"]

    identifier = messages[1]["tool_calls"][0]["id"]
    assert identifier == messages[2]["tool_call_id"]
    assert len(identifier) == 9


def test_a_message_of_tool_calls_alone_has_null_content() -> None:
    """The field may not be missing."""
    assert said(CALL) is None


def test_its_own_thoughts_go_back_as_thinking_parts() -> None:
    """In front of the text, in the form in which they came."""
    thought = Thought(text="Hm.", provider_type="mistral")
    part = {"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}]}

    assert said(thought, Text(text="Yes?")) == [part, {"type": "text", "text": "Yes?"}]
    assert said(thought, Text(text="a"), Text(text="b"))[0] == part
    assert said(thought, CALL) == [part]


def test_thoughts_of_unknown_origin_need_a_prompt_mode() -> None:
    """Models that do not reason would refuse them."""
    blocks = (Thought(text="Hm."), Text(text="Yes?"))

    assert said(*blocks) == "Yes?"
    assert warned(make_dialect("mistral"), request("Hi", blocks)) == ["thought"]
    assert said(*blocks, prompt_mode="reasoning")[0]["type"] == "thinking"


def test_the_prompt_mode_is_sent_as_configured() -> None:
    """It switches the reasoning of the model on."""
    assert body(make_dialect("mistral", prompt_mode="reasoning"), request())["prompt_mode"] == (
        "reasoning"
    )
    assert "prompt_mode" not in body(make_dialect("mistral"), request())
