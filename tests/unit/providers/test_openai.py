"""OpenAI's own quirks by model, and where they end."""

from typing import Any

import pytest

from lsd.conversation import FunctionTool, ToolSet
from tests.unit.providers.recorded import body, make_dialect, request

TOOL = FunctionTool(name="wx", description="", parameters={})


@pytest.mark.parametrize(
    ("model", "parallel", "sent"),
    [("o1", False, None), ("O1-preview", False, None), ("o1", True, True), ("o3", False, False)],
)
def test_o1_is_not_told_to_call_one_tool_at_a_time(
    model: str, parallel: bool, sent: bool | None
) -> None:
    """These models know no other way, and refuse the parameter."""
    asked = request(tools=ToolSet(tools=(TOOL,), parallel=parallel))

    assert body(make_dialect(model_name=model), asked).get("parallel_tool_calls") is sent


@pytest.mark.parametrize(
    ("model", "role"), [("o1-mini", "user"), ("O1-Mini-2024", "user"), ("o1", "system")]
)
def test_o1_mini_hears_the_system_as_a_user(model: str, role: str) -> None:
    """These models refuse system messages."""
    said: Any = body(make_dialect(model_name=model), request(system="Be brief."))["messages"]

    assert said == [{"role": role, "content": "Be brief."}, {"role": "user", "content": "Hi"}]


def test_o1_mini_without_a_system_text_hears_the_user() -> None:
    """The first message is only moved if it is the system's."""
    said = body(make_dialect(model_name="o1-mini"), request())["messages"]

    assert said == [{"role": "user", "content": "Hi"}]
