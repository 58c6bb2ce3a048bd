"""Tools of a chat completion request in neutral words."""

from typing import Any

import pytest

from lsd.api.openai.tools import read_tools
from lsd.conversation import CustomTool, FunctionTool, Problem, SpecificTool, ToolSet

SCHEMA = {"type": "object", "properties": {"z": {}, "a": {}}}


def function(name: str = "f", **fields: Any) -> dict[str, Any]:
    """A tool in OpenAI's own shape."""
    return {"type": "function", "function": {"name": name, "parameters": SCHEMA, **fields}}


def tools(*listed: Any, **fields: Any) -> ToolSet:
    """The tools of a body."""
    problems: list[Problem] = []
    made = read_tools({"tools": list(listed), **fields}, problems)
    assert made is not None
    assert problems == []
    return made


def test_functions_keep_what_they_say() -> None:
    """A missing description is empty, a schema without type one of an object."""
    described = function(description="d", strict=True)
    marked = {**function("g", parameters={}), "cache_control": {"type": "ephemeral"}}

    made = tools(described, marked)

    assert made.tools == (
        FunctionTool(name="f", description="d", parameters=SCHEMA, strict=True),
        FunctionTool(
            name="g",
            description="",
            parameters={"type": "object"},
            cache_control={"type": "ephemeral"},
        ),
    )
    assert (made.choice, made.parallel, made.allowed) == ("auto", None, None)


def test_free_form_tools_are_kept() -> None:
    """With their grammar."""
    form = {"type": "grammar", "grammar": {}}
    custom = {"type": "custom", "custom": {"name": "c", "format": form}}

    assert tools(custom).tools == (CustomTool(name="c", format=form),)


@pytest.mark.parametrize(
    ("choice", "neutral"),
    [
        ("none", "none"),
        ("required", "required"),
        ({"type": "function", "function": {"name": "f"}}, SpecificTool(name="f")),
        ({"type": "custom", "custom": {"name": "c"}}, SpecificTool(name="c")),
    ],
)
def test_choices_have_neutral_words(choice: Any, neutral: Any) -> None:
    """A named tool, or one of three words."""
    assert tools(function(), tool_choice=choice).choice == neutral


def test_some_tools_may_be_allowed() -> None:
    """The mode is the choice among them."""
    allowed = {
        "mode": "required",
        "tools": [{"type": "function", "function": {"name": "f"}}, {"name": "g"}],
    }
    choice = {"type": "allowed_tools", "allowed_tools": allowed}

    made = tools(function(), function("g"), tool_choice=choice, parallel_tool_calls=False)

    assert (made.choice, made.allowed, made.parallel) == ("required", ("f", "g"), False)


def test_without_tools_there_is_nothing_to_choose() -> None:
    """Trap 25: clients send such leftovers."""
    assert read_tools({"tool_choice": "none", "parallel_tool_calls": False}, []) is None
    assert read_tools({"tools": []}, []) is None


def test_parameters_that_are_no_schema_are_noted() -> None:
    """Only a provider of the client's own kind may know what to make of them."""
    problems: list[Problem] = []

    read_tools({"tools": [function(parameters=[])]}, problems)

    assert [problem.path for problem in problems] == ["tools[0].function.parameters"]
