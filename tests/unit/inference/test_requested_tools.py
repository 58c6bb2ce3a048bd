"""The tool fields of a request, as callers write them."""

from typing import Any

import pytest

from lsd.conversation import (
    CustomTool,
    FunctionTool,
    Malformed,
    ProviderTool,
    SpecificTool,
    Structurer,
    Tool,
    ToolChoice,
    register_input,
)
from lsd.inference.requested_tools import register_tools

LOOKUP = {"name": "lookup", "description": "Find a ticket", "parameters": {"type": "object"}}
GRAMMAR = {"type": "grammar", "grammar": {"syntax": "lark", "definition": "start: WORD"}}


@pytest.fixture(scope="module")
def structurer() -> Structurer:
    """What reads requests."""
    made = Structurer()
    register_input(made)
    register_tools(made)
    return made


def problem(structurer: Structurer, value: Any, kind: Any) -> str:
    """The only thing that is wrong with a value."""
    with pytest.raises(Malformed) as malformed:
        structurer.structure(value, kind, "here")
    (only,) = malformed.value.problems
    return str(only)


@pytest.mark.parametrize(
    ("value", "tool"),
    [
        (
            LOOKUP,
            FunctionTool(name="lookup", description="Find a ticket", parameters={"type": "object"}),
        ),
        (
            {**LOOKUP, "type": "function", "strict": True},
            FunctionTool(
                name="lookup",
                description="Find a ticket",
                parameters={"type": "object"},
                strict=True,
            ),
        ),
        (
            {**LOOKUP, "type": None, "strict": None},
            FunctionTool(name="lookup", description="Find a ticket", parameters={"type": "object"}),
        ),
        ({"type": "openai_custom", "name": "sql"}, CustomTool(name="sql")),
        (
            {"type": "openai_custom", "name": "sql", "description": None, "format": None},
            CustomTool(name="sql"),
        ),
        (
            {
                "type": "openai_custom",
                "name": "sql",
                "description": "d",
                "format": {"type": "text"},
            },
            CustomTool(name="sql", description="d", format={"type": "text"}),
        ),
        (
            {"type": "openai_custom", "name": "sql", "format": GRAMMAR},
            CustomTool(name="sql", format=GRAMMAR),
        ),
    ],
    ids=[
        "function",
        "function with its type",
        "function with nulls",
        "custom",
        "custom with nulls",
        "custom for text",
        "custom with a grammar",
    ],
)
def test_a_tool_is_a_function_or_free_form(structurer: Structurer, value: Any, tool: Tool) -> None:
    """Without a type it is a function; null is absence; a free-form tool may have a grammar."""
    assert structurer.structure(value, Tool) == tool  # type: ignore[comparison-overlap]


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("lookup", 'here: found "lookup"; wanted a tool, which is an object'),
        (
            {**LOOKUP, "type": "web"},
            'here.type: found "web"; wanted one of function, openai_custom',
        ),
        ({**LOOKUP, "type": 5}, "here.type: found 5; wanted one of function, openai_custom"),
        ({**LOOKUP, "x": 1}, "here.x: unknown key; known keys: description, name, parameters, st"),
        ({**LOOKUP, "strict": 1}, "here.strict: found 1; wanted true or false"),
        ({**LOOKUP, "parameters": None}, "here.parameters: found null; wanted an object"),
        ({**LOOKUP, "name": None}, "here.name: found null; wanted a string"),
        ({"name": "n", "parameters": {}}, "here.description: missing; it is required"),
        ({"type": "openai_custom"}, "here.name: missing; it is required"),
        (
            {"type": "openai_custom", "name": "n", "parameters": {}},
            "here.parameters: unknown key; known keys: description, format, name",
        ),
        (
            {"type": "openai_custom", "name": "n", "format": {"type": "xml"}},
            'here.format.type: found "xml"; wanted one of text, grammar',
        ),
        (
            {"type": "openai_custom", "name": "n", "format": {"type": "text", "x": 1}},
            "here.format.x: unknown key; no keys are known here",
        ),
        (
            {
                "type": "openai_custom",
                "name": "n",
                "format": {"type": "grammar", "grammar": {"syntax": "ebnf", "definition": ""}},
            },
            'here.format.grammar.syntax: found "ebnf"; wanted one of "lark", "regex"',
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_tool_of_another_shape_is_refused(structurer: Structurer, value: Any, told: str) -> None:
    """The path leads to what is wrong, also deep within a grammar."""
    assert problem(structurer, value, Tool).startswith(told)


@pytest.mark.parametrize(
    ("value", "choice"),
    [
        ("none", "none"),
        ("auto", "auto"),
        ("required", "required"),
        ({"specific": "lookup"}, SpecificTool(name="lookup")),
    ],
    ids=str,
)
def test_a_tool_choice_is_a_word_or_a_name(
    structurer: Structurer, value: Any, choice: ToolChoice
) -> None:
    """Three words, or one tool by the name that models see."""
    assert structurer.structure(value, ToolChoice) == choice  # type: ignore[comparison-overlap]


@pytest.mark.parametrize(
    "value",
    ["any", "lookup", "", 1, True, [], {}, {"specific": 1}, {"specific": "a", "b": 1}, {"auto": 1}],
    ids=str,
)
def test_any_other_tool_choice_is_refused(structurer: Structurer, value: Any) -> None:
    """What is wanted is said in full."""
    told = problem(structurer, value, ToolChoice)

    assert told.endswith('; wanted "none", "auto", "required" or {"specific": "<name of a tool>"}')


@pytest.mark.parametrize(
    ("value", "tool"),
    [
        ({"tool": {"type": "web"}}, ProviderTool(tool={"type": "web"})),
        ({"tool": {}, "scope": None}, ProviderTool(tool={})),
        ({"tool": {}, "scope": {"model_name": "m"}}, ProviderTool(tool={}, model_name="m")),
        (
            {"tool": {}, "scope": {"model_name": "m", "provider_name": None}},
            ProviderTool(tool={}, model_name="m"),
        ),
        (
            {"tool": {}, "scope": {"model_name": "m", "provider_name": "p"}},
            ProviderTool(tool={}, model_name="m", provider_name="p"),
        ),
    ],
    ids=["everywhere", "null scope", "model", "model with null", "provider"],
)
def test_a_provider_tool_may_have_a_scope(
    structurer: Structurer, value: Any, tool: ProviderTool
) -> None:
    """Without a scope it goes everywhere."""
    assert structurer.structure(value, ProviderTool) == tool


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ({}, "here.tool: missing; it is required"),
        ({"tool": "web"}, 'here.tool: found "web"; wanted an object'),
        ({"tool": {}, "scope": {}}, "here.scope.model_name: missing; it is required"),
        ({"tool": {}, "scope": "m"}, 'here.scope: found "m"; wanted an object'),
        ({"tool": {}, "x": 1}, "here.x: unknown key; known keys: scope, tool"),
        (
            {"tool": {}, "scope": {"provider_name": "p", "model_name": "m", "x": 1}},
            "here.scope.x: unknown key; known keys: model_name, provider_name",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_provider_tool_of_another_shape_is_refused(
    structurer: Structurer, value: Any, told: str
) -> None:
    """A scope names a model, perhaps one of its providers, and nothing else."""
    assert problem(structurer, value, ProviderTool) == told
