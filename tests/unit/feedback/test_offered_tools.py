"""The tools of an inference, found again."""

from typing import Any

import pytest

from lsd.feedback.offered_tools import offered_tools
from lsd.store import InferenceBody
from tests.unit.feedback.desk import ORDER_PARAMETERS, desk_config

WEATHER = {
    "name": "weather",
    "description": "Tells the weather",
    "parameters": {"type": "object"},
    "strict": False,
}
SQL = {"type": "openai_custom", "name": "sql"}


def offered(function_name: str = "support", **fields: Any) -> dict[str, Any]:
    """The tools of an inference with these fields in its body."""
    body = InferenceBody(input={}, output=[], **fields)
    return offered_tools(function_name, body, desk_config())


def test_a_function_brings_its_tools() -> None:
    """They are known by the names which the model saw, not by their keys."""
    assert offered() == {"lookup_order": ORDER_PARAMETERS}


@pytest.mark.parametrize("function_name", ["chatter", "lsd::default", "removed"])
def test_a_function_may_have_none(function_name: str) -> None:
    """So has the built-in function of calls by model."""
    assert offered(function_name) == {}


def test_a_request_adds_its_own() -> None:
    """A tool that takes any text has no schema."""
    assert offered(additional_tools=[WEATHER, SQL]) == {
        "lookup_order": ORDER_PARAMETERS,
        "weather": {"type": "object"},
        "sql": None,
    }


@pytest.mark.parametrize(
    ("allowed", "names"),
    [
        ([], []),
        (["weather"], ["weather"]),
        (["lookup", "refund"], ["lookup_order", "refund"]),
        (["lookup_order"], []),
    ],
)
def test_a_request_narrows_them(allowed: list[str], names: list[str]) -> None:
    """Configured tools are named by key, and need not be the function's."""
    assert list(offered(allowed_tools=allowed, additional_tools=[WEATHER])) == names
