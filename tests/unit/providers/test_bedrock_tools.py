"""Tools as Bedrock takes them, and what the model is told to do with them."""

from typing import Any

import pytest

from lsd.conversation import (
    CustomTool,
    FunctionTool,
    ProviderTool,
    SpecificTool,
    ToolCall,
    ToolChoice,
    ToolResult,
    ToolSet,
)
from tests.unit.providers.recorded import body, make_dialect, refused, request, warned

BEDROCK = make_dialect("aws_bedrock")

SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}}
WEATHER = FunctionTool(name="wx", description="Weather", parameters=SCHEMA)
TIME = FunctionTool(name="now", description="", parameters={"type": "object"}, strict=True)

HISTORY = (
    "Hi",
    [ToolCall(id="t1", name="wx", arguments="{}"), ToolCall(id="t2", name="old", arguments="{}")],
    [ToolResult(id="t1", name="wx", result="7"), ToolResult(id="t2", name="old", result="8")],
)


def config(tools: ToolSet | None, *turns: Any) -> Any:
    """`toolConfig` as it is sent; None without one."""
    return body(BEDROCK, request(*turns, tools=tools)).get("toolConfig")


def names(sent: Any) -> list[str]:
    """The names of the tools in it."""
    return [tool["toolSpec"]["name"] for tool in sent["tools"]]


def test_functions() -> None:
    """Name, description and schema; `strict` only where it was asked for."""
    assert config(ToolSet(tools=(WEATHER, TIME))) == {
        "tools": [
            {
                "toolSpec": {
                    "name": "wx",
                    "description": "Weather",
                    "inputSchema": {"json": SCHEMA},
                }
            },
            {
                "toolSpec": {
                    "name": "now",
                    "inputSchema": {"json": {"type": "object"}},
                    "strict": True,
                }
            },
        ],
        "toolChoice": {"auto": {}},
    }


@pytest.mark.parametrize(
    ("choice", "sent"),
    [
        ("auto", {"auto": {}}),
        ("required", {"any": {}}),
        (SpecificTool(name="wx"), {"tool": {"name": "wx"}}),
    ],
)
def test_choices(choice: ToolChoice, sent: Any) -> None:
    """Each in Bedrock's words."""
    assert config(ToolSet(tools=(WEATHER,), choice=choice))["toolChoice"] == sent


def test_no_tool_is_to_be_called() -> None:
    """Case 10: then none is sent, as there is no word for it."""
    assert config(ToolSet(tools=(WEATHER,), choice="none")) is None


def test_no_tool_is_to_be_called_any_more() -> None:
    """Case 10: a conversation with calls needs its tools, so they are sent, with a warning."""
    tools = ToolSet(tools=(WEATHER,), choice="none")

    sent = config(tools, *HISTORY)

    assert (names(sent), sent["toolChoice"]) == (["wx"], {"auto": {}})
    assert warned(BEDROCK, request(*HISTORY, tools=tools)) == ["tool_choice"]


@pytest.mark.parametrize(
    "tools", [None, ToolSet(), ToolSet(choice="none"), ToolSet(tools=(TIME,), allowed=())]
)
def test_calls_of_tools_that_are_gone(tools: ToolSet | None) -> None:
    """Case 39: they are told of as far as they are known, with nothing to be chosen."""
    assert config(tools, *HISTORY) == {
        "tools": [
            {"toolSpec": {"name": name, "inputSchema": {"json": {"type": "object"}}}}
            for name in ("wx", "old")
        ]
    }


def test_only_tools_that_may_be_called_are_sent() -> None:
    """Case 11: and if there is none, nothing is said of a choice."""
    tools = (WEATHER, TIME)

    assert names(config(ToolSet(tools=tools, allowed=("now",)))) == ["now"]
    assert config(ToolSet(tools=tools, allowed=(), choice="required")) is None


def test_one_call_at_a_time() -> None:
    """Bedrock has no word for it."""
    tools = ToolSet(tools=(WEATHER,), parallel=False)

    assert warned(BEDROCK, request(tools=tools)) == ["parallel_tool_calls"]
    assert warned(BEDROCK, request(tools=ToolSet(tools=(WEATHER,), parallel=True))) == []


def test_custom_tools_are_refused() -> None:
    """Only functions have a form at Bedrock."""
    tools = ToolSet(tools=(CustomTool(name="grep"),))

    assert "custom tools not supported by aws_bedrock" in refused(BEDROCK, request(tools=tools))


def test_tools_of_the_provider_are_refused() -> None:
    """Case 58: with the provider and their number."""
    tool = ProviderTool(tool={"type": "search"}, model_name="local", provider_name="box")
    other = ProviderTool(tool={"type": "search"}, model_name="other")
    asked = request(tools=ToolSet(provider_tools=(tool, tool, other)))

    assert 'provider "box" got 2 of provider_tools' in refused(BEDROCK, asked)
