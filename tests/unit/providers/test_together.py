"""Together cannot be made to call a tool, nor be told not to."""

from typing import Any

import pytest

from lsd.conversation import FunctionTool, SpecificTool, Text, Thought, ToolSet
from tests.unit.providers.recorded import body, make_dialect, request, warned

TOOL = FunctionTool(name="wx", description="", parameters={})
NAMED = {"type": "function", "function": {"name": "wx"}}


@pytest.mark.parametrize(
    ("choice", "word", "warnings"),
    [
        ("auto", "auto", []),
        ("required", "auto", ["tool_choice"]),
        (SpecificTool(name="wx"), NAMED, []),
    ],
)
def test_a_tool_is_not_required(choice: Any, word: Any, warnings: list[str]) -> None:
    """`required` becomes `auto`, which the operator hears of."""
    asked = request(tools=ToolSet(tools=(TOOL,), choice=choice))

    assert body(make_dialect("together"), asked)["tool_choice"] == word
    assert warned(make_dialect("together"), asked) == warnings


def test_no_tool_is_offered_when_none_may_be_called() -> None:
    """The choice `none` is not understood."""
    asked = request(tools=ToolSet(tools=(TOOL,), choice="none", parallel=True))

    sent = body(make_dialect("together"), asked)

    assert {"tools", "tool_choice", "parallel_tool_calls"}.isdisjoint(sent)


def test_thoughts_go_back_where_they_stood() -> None:
    """Models with a reasoning field and models with tags are both served."""
    blocks = [
        Thought(text="a", extra_data={"reasoning_format": "reasoning_field"}),
        Thought(text="b", extra_data={"reasoning_format": "think_tags"}),
        Text(text="c"),
    ]

    assert body(make_dialect("together"), request("Hi", blocks))["messages"][1] == {
        "role": "assistant",
        "content": "<think>b</think>c",
        "reasoning": "a",
    }
