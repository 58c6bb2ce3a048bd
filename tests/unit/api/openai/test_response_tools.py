"""Tools of Responses requests in neutral words."""

from typing import Any

import pytest

from lsd.api.compat.troubles import Unsupported
from lsd.api.openai.response_tools import read_response_tools
from lsd.conversation import CustomTool, FunctionTool, Malformed, SpecificTool

LOOK = {"type": "function", "name": "look", "parameters": {"type": "object"}, "strict": True}
SHELL = {"type": "custom", "name": "sh"}


def choice(wanted: Any) -> Any:
    """What a choice is in neutral words, and the names that it allows."""
    made = read_response_tools({"tools": [LOOK, SHELL], "tool_choice": wanted})
    assert made is not None
    return made.choice, made.allowed


def test_functions_and_free_form_tools() -> None:
    """In the order of the request."""
    grammar = {"type": "grammar", "syntax": "lark", "definition": "start: /a/"}
    tools = [LOOK, {**SHELL, "description": "Runs", "format": grammar}]
    made = read_response_tools({"tools": tools, "parallel_tool_calls": False})

    assert made is not None
    assert made.tools == (
        FunctionTool(name="look", description="", parameters={"type": "object"}, strict=True),
        CustomTool(
            name="sh",
            description="Runs",
            format={"type": "grammar", "grammar": {"syntax": "lark", "definition": "start: /a/"}},
        ),
    )
    assert made.parallel is False
    assert made.choice == "auto"


def test_parameters_may_be_missing() -> None:
    """Providers want some."""
    tools = [{"type": "function", "name": "a"}, {**LOOK, "parameters": {"properties": {}}}]
    made = read_response_tools({"tools": tools})

    assert made is not None
    assert all(
        isinstance(tool, FunctionTool) and tool.parameters == {"type": "object", "properties": {}}
        for tool in made.tools
    )


def test_tools_of_openai_are_left_out() -> None:
    """Nobody else can run them."""
    made = read_response_tools({"tools": [{"type": "web_search"}, LOOK]})

    assert made is not None
    assert [tool.name for tool in made.tools] == ["look"]
    assert read_response_tools({"tools": []}) is None
    assert read_response_tools({}) is None


def test_tools_of_openai_alone_are_refused() -> None:
    """Case 58: nothing would be left of them."""
    with pytest.raises(Unsupported) as caught:
        read_response_tools({"tools": [{"type": "web_search"}]})

    assert caught.value.where == "tools[0].type"


def test_choices() -> None:
    """By a word, by a name, or among some."""
    allowed = [{"type": "function", "name": "look"}, {"type": "web_search"}]
    some = {"type": "allowed_tools", "mode": "required", "tools": allowed}

    assert choice("required") == ("required", None)
    assert choice({"type": "custom", "name": "sh"}) == (SpecificTool(name="sh"), None)
    assert choice(some) == ("required", ("look",))


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"tools": [{"type": "function"}]}, "tools[0].name"),
        ({"tools": [{**LOOK, "parameters": []}]}, "tools[0].parameters"),
        ({"tools": [LOOK], "tool_choice": "any"}, "tool_choice"),
        ({"tools": [LOOK], "tool_choice": {"type": "web_search"}}, "tool_choice"),
        ({"tools": [LOOK], "tool_choice": {"type": "function", "name": "x"}}, "tool_choice"),
    ],
)
def test_mistakes_have_paths(fields: dict[str, Any], path: str) -> None:
    """They are the client's."""
    with pytest.raises(Malformed) as caught:
        read_response_tools(fields)

    assert [problem.path for problem in caught.value.problems] == [path]
