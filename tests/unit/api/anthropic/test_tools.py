"""Tools that callers run, and tools that exist at Anthropic only."""

from typing import Any

import pytest

from lsd.api.anthropic.tools import ReadTools, read_tools
from lsd.conversation import FunctionTool, SpecificTool, ToolSet

LOOK = {"name": "look", "description": "Looks", "input_schema": {"type": "object"}}
SEARCH = {"type": "web_search_20250305", "name": "web_search", "max_uses": 3}


def read(tools: list[Any], choice: dict[str, Any] | None = None) -> ReadTools:
    """The tools of a request for the model `m`."""
    return read_tools(tools, choice, "m")


def tool_set(choice: dict[str, Any] | None = None) -> ToolSet:
    """The tool `look` and a choice."""
    made = read([LOOK], choice)
    assert made.problems == ()
    assert made.tools is not None
    return made.tools


def test_a_tool_of_the_callers() -> None:
    """Its schema says what it takes, and says that this is an object."""
    bare = {"name": "go", "input_schema": {"properties": {"to": {}}}, "strict": True}

    made = read([LOOK, {**bare, "cache_control": {"type": "ephemeral"}, "defer_loading": True}])

    assert made.tools is not None
    assert made.tools.tools == (
        FunctionTool(name="look", description="Looks", parameters={"type": "object"}),
        FunctionTool(
            name="go",
            description="",
            parameters={"type": "object", "properties": {"to": {}}},
            strict=True,
            cache_control={"type": "ephemeral"},
        ),
    )


@pytest.mark.parametrize(
    ("choice", "wanted", "parallel"),
    [
        (None, "auto", None),
        ({"type": "auto"}, "auto", None),
        ({"type": "any", "disable_parallel_tool_use": True}, "required", False),
        ({"type": "tool", "name": "look"}, SpecificTool(name="look"), None),
        ({"type": "none", "disable_parallel_tool_use": True}, "none", None),
        ({"type": "auto", "disable_parallel_tool_use": False}, "auto", None),
    ],
)
def test_what_the_model_is_to_do(
    choice: dict[str, Any] | None, wanted: object, parallel: bool | None
) -> None:
    """One tool at a time is a wish only where tools may be called."""
    made = tool_set(choice)

    assert (made.choice, made.parallel) == (wanted, parallel)


def test_without_tools_there_is_no_choice() -> None:
    """Some clients send one all the same."""
    assert read([], {"type": "any"}) == ReadTools()


def test_a_tool_of_anthropics_is_left_out_beside_others() -> None:
    """Case 58: the model does without."""
    made = read([SEARCH, LOOK])

    assert made.has_left_out
    assert made.tools is not None
    assert [tool.name for tool in made.tools.tools] == ["look"]


@pytest.mark.parametrize(
    ("tools", "choice"),
    [([SEARCH], None), ([SEARCH, LOOK], {"type": "tool", "name": "web_search"})],
)
def test_a_tool_of_anthropics_that_is_needed_is_refused(
    tools: list[Any], choice: dict[str, Any] | None
) -> None:
    """Case 58: a model that answered as if it had searched would mislead."""
    (problem,) = read(tools, choice).problems

    assert problem.reason == "tool web_search_20250305 is not available on model m"


@pytest.mark.parametrize(
    ("tools", "choice", "told"),
    [
        ([{"input_schema": {}}], None, "tools[0].name: found null; wanted a string"),
        (
            [LOOK],
            {"type": "tool", "name": "go"},
            'tool_choice.name: found "go"; wanted the name of one of the tools',
        ),
        (
            [LOOK],
            {"type": "required"},
            'tool_choice.type: found "required"; wanted one of auto, any, tool, none',
        ),
        ([LOOK], {"type": ["any"]}, "tool_choice.type: found an array of 1; wanted one of"),
    ],
)
def test_what_is_wrong_with_tools(
    tools: list[Any], choice: dict[str, Any] | None, told: str
) -> None:
    """It is told with its place."""
    (problem,) = read(tools, choice).problems

    assert str(problem).startswith(told)
