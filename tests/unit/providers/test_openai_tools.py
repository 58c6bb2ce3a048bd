"""Tools are offered as the caller asked, or not at all."""

from typing import Any

import pytest

from lsd.conversation import CustomTool, FunctionTool, ProviderTool, SpecificTool, ToolSet
from tests.unit.providers.recorded import body, make_dialect, refused, request

WEATHER = FunctionTool(name="wx", description="Weather", parameters={"type": "object"})
TIME = FunctionTool(name="tm", description="Time", parameters={"type": "object"})
SQL = CustomTool(name="sql")
FIELDS = ("tools", "tool_choice", "parallel_tool_calls")
LOCAL = {"api_base": "http://127.0.0.1:11434/v1"}


def sent(keys: Any = None, **fields: Any) -> dict[str, Any]:
    """What of these tools is sent to OpenAI, or to the provider with these keys."""
    asked = request(tools=ToolSet(**{"tools": (WEATHER,), **fields}))
    whole = body(make_dialect(**(keys or {})), asked)
    return {key: whole[key] for key in FIELDS if key in whole}


def named(name: str, kind: str = "function") -> dict[str, Any]:
    """How a tool is named in a choice."""
    return {"type": kind, kind: {"name": name}}


def test_a_function_is_offered_with_its_schema() -> None:
    """Name, description and parameters; nothing that was not asked for."""
    assert sent() == {
        "tools": [
            {
                "type": "function",
                "function": {
                    "name": "wx",
                    "description": "Weather",
                    "parameters": {"type": "object"},
                },
            }
        ],
        "tool_choice": "auto",
    }


@pytest.mark.parametrize("strict", [True, False])
def test_strict_is_told_inside_the_function(strict: bool) -> None:
    """Case 17: only `true` is sent, and where the API documents it."""
    tool = FunctionTool(name="wx", description="", parameters={}, strict=strict)

    function = sent(tools=(tool,))["tools"][0]["function"]

    assert function.get("strict") is (True if strict else None)


def test_a_custom_tool_has_its_own_form() -> None:
    """Free-form tools are offered with their grammar, if they have one."""
    grammar = {"type": "grammar", "grammar": {"syntax": "lark", "definition": "start: /a/"}}
    tool = CustomTool(name="q", description="Query", format=grammar)

    fields = sent(tools=(SQL, tool), choice=SpecificTool(name="q"))

    assert fields == {
        "tools": [
            {"type": "custom", "custom": {"name": "sql"}},
            {"type": "custom", "custom": {"name": "q", "description": "Query", "format": grammar}},
        ],
        "tool_choice": named("q", "custom"),
    }


@pytest.mark.parametrize(
    ("choice", "said"),
    [
        ("none", "none"),
        ("auto", "auto"),
        ("required", "required"),
        (SpecificTool(name="wx"), named("wx")),
    ],
)
def test_the_choice_is_told(choice: Any, said: Any) -> None:
    """Case 16: each choice has its word; a single tool is named."""
    assert sent(choice=choice)["tool_choice"] == said


@pytest.mark.parametrize("parallel", [True, False, None])
def test_parallel_calls_are_mentioned_only_if_asked(parallel: bool | None) -> None:
    """What the caller leaves open, the provider decides."""
    assert sent(parallel=parallel).get("parallel_tool_calls") is parallel


@pytest.mark.parametrize("choice", ["none", "auto", "required"])
def test_without_tools_nothing_is_said_about_them(choice: Any) -> None:
    """Case 19: providers refuse a choice among no tools."""
    assert sent(tools=(), choice=choice, parallel=True) == {}
    assert sent(LOCAL, allowed=(), choice=choice, parallel=True) == {}


def test_allowed_tools_are_told_where_that_exists() -> None:
    """Case 18: OpenAI gets all tools and the names, so that its prompt cache still fits."""
    fields = sent(tools=(WEATHER, TIME, SQL), allowed=("tm", "sql"), choice="required")

    assert len(fields["tools"]) == 3
    assert fields["tool_choice"] == {
        "type": "allowed_tools",
        "allowed_tools": {"mode": "required", "tools": [named("tm"), named("sql", "custom")]},
    }


@pytest.mark.parametrize(
    ("choice", "said"),
    [
        (
            "auto",
            {
                "type": "allowed_tools",
                "allowed_tools": {"mode": "auto", "tools": [named("tm")]},
            },
        ),
        ("none", "none"),
        (SpecificTool(name="tm"), named("tm")),
    ],
)
def test_a_narrower_choice_beats_the_allowed_tools(choice: Any, said: Any) -> None:
    """Case 18: none is none, and a single tool is that tool."""
    assert sent(tools=(WEATHER, TIME), allowed=("tm",), choice=choice)["tool_choice"] == said


@pytest.mark.parametrize("choice", ["auto", "required", "none"])
def test_allowed_tools_are_the_only_ones_elsewhere(choice: Any) -> None:
    """Case 18: a server without an allow-list is offered only what may be called."""
    fields = sent(LOCAL, tools=(WEATHER, TIME), allowed=("tm",), choice=choice)

    assert [tool["function"]["name"] for tool in fields["tools"]] == ["tm"]
    assert fields["tool_choice"] == choice


@pytest.mark.parametrize(
    ("scopes", "count"),
    [
        ([(None, None)], 1),
        ([("local", None), ("local", "box"), ("local", "other"), ("far", None)], 2),
        ([("far", None), ("local", "other")], 0),
    ],
)
def test_tools_of_a_provider_are_refused_where_they_apply(
    scopes: list[tuple[str | None, str | None]], count: int
) -> None:
    """Case 45: chat completions have none; entries meant for others do not matter."""
    tools = ToolSet(
        provider_tools=tuple(
            ProviderTool(tool={"type": "web_search"}, model_name=model, provider_name=provider)
            for model, provider in scopes
        )
    )

    if count:
        assert refused(make_dialect(), request(tools=tools)) == (
            f'openai: provider "box" got {count} of provider_tools and takes none'
        )
    else:
        assert "tools" not in body(make_dialect(), request(tools=tools))
