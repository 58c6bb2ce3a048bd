"""Tools as Claude takes them, and what it is told to do with them."""

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

SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}}
WEATHER = FunctionTool(name="wx", description="Weather", parameters=SCHEMA)
TIME = FunctionTool(name="now", description="Time", parameters={"type": "object"}, strict=True)
SEARCH = {"type": "web_search_20250305", "name": "web_search"}

HISTORY = (
    "Hi",
    [ToolCall(id="t1", name="wx", arguments="{}")],
    [ToolResult(id="t1", name="wx", result="7")],
)


def fields(tools: ToolSet | None, *turns: Any, **keys: Any) -> dict[str, Any]:
    """The fields of a request that are about tools."""
    dialect = make_dialect("anthropic", **{"model_name": "claude-haiku-4-5", **keys})
    sent = body(dialect, request(*turns, tools=tools))
    return {key: sent[key] for key in sent if key.startswith("tool")}


def test_functions() -> None:
    """Name, description and schema; `strict` only where it was asked for."""
    sent = fields(ToolSet(tools=(WEATHER, TIME)))

    assert sent == {
        "tool_choice": {"type": "auto"},
        "tools": [
            {"name": "wx", "description": "Weather", "input_schema": SCHEMA},
            {
                "name": "now",
                "description": "Time",
                "input_schema": {"type": "object"},
                "strict": True,
            },
        ],
    }


@pytest.mark.parametrize(
    ("keys", "is_strict"),
    [
        ({}, True),
        ({"beta_structured_outputs": True}, True),
        ({"beta_structured_outputs": False}, False),
        ({"model_name": "claude-3-haiku"}, False),
        ({"model_name": "claude-of-tomorrow"}, True),
    ],
)
def test_strict_tools_are_sent_where_they_may_be(keys: dict[str, Any], is_strict: bool) -> None:
    """Old models refuse the word, and an operator may forbid it."""
    tools = ToolSet(tools=(TIME,))

    assert ("strict" in fields(tools, **keys)["tools"][0]) is is_strict
    dialect = make_dialect("anthropic", **{"model_name": "claude-haiku-4-5", **keys})
    assert ("strict" in warned(dialect, request(tools=tools))) is not is_strict


@pytest.mark.parametrize(
    ("choice", "parallel", "sent"),
    [
        ("auto", None, {"type": "auto"}),
        ("auto", True, {"type": "auto"}),
        ("auto", False, {"type": "auto", "disable_parallel_tool_use": True}),
        ("required", None, {"type": "any"}),
        ("required", False, {"type": "any", "disable_parallel_tool_use": True}),
        (SpecificTool(name="wx"), None, {"type": "tool", "name": "wx"}),
        (
            SpecificTool(name="wx"),
            False,
            {"type": "tool", "name": "wx", "disable_parallel_tool_use": True},
        ),
    ],
)
def test_the_choice_of_tools(choice: ToolChoice, parallel: bool | None, sent: Any) -> None:
    """Case 12: in Claude's words; unless told otherwise it may call several at once."""
    tools = ToolSet(tools=(WEATHER,), choice=choice, parallel=parallel)

    assert fields(tools)["tool_choice"] == sent


def test_no_tools_for_who_must_not_call_any() -> None:
    """Case 10: unless the conversation has calls in it, which Claude refuses without tools."""
    tools = ToolSet(tools=(WEATHER,), choice="none", parallel=False)

    assert fields(tools) == {}
    assert fields(tools, *HISTORY)["tool_choice"] == {"type": "none"}
    assert [each["name"] for each in fields(tools, *HISTORY)["tools"]] == ["wx"]


def test_only_allowed_tools_are_sent() -> None:
    """Case 11: and if none is left, nothing is said of tools."""
    tools = ToolSet(tools=(WEATHER, TIME), allowed=("now",))
    nothing = ToolSet(tools=(WEATHER,), allowed=(), choice="required")

    assert [each["name"] for each in fields(tools)["tools"]] == ["now"]
    assert fields(nothing) == fields(None) == fields(None, *HISTORY) == {}


def test_tools_of_the_provider_come_last() -> None:
    """Those of the configuration, then those of the request that are meant for this provider."""
    tools = ToolSet(
        tools=(WEATHER,),
        provider_tools=(
            ProviderTool(tool={"name": "for all"}),
            ProviderTool(tool={"name": "for the model"}, model_name="local"),
            ProviderTool(tool={"name": "for us"}, model_name="local", provider_name="box"),
            ProviderTool(tool={"name": "for others"}, model_name="other"),
            ProviderTool(tool={"name": "nor us"}, model_name="local", provider_name="crate"),
        ),
    )

    sent = fields(tools, provider_tools=(SEARCH,))["tools"]

    names = ["wx", "web_search", "for all", "for the model", "for us"]
    assert [each["name"] for each in sent] == names
    assert sent[1] == SEARCH


def test_configured_tools_of_the_provider_need_no_others() -> None:
    """An operator may let every answer search."""
    sent = fields(None, provider_tools=(SEARCH,))

    assert sent == {"tool_choice": {"type": "auto"}, "tools": [SEARCH]}


def test_custom_tools_are_refused() -> None:
    """They are OpenAI's own."""
    tools = ToolSet(tools=(CustomTool(name="sql"),))

    told = refused(make_dialect("anthropic"), request(tools=tools))

    assert told == "anthropic: custom tools not supported by anthropic (tool 'sql')"
