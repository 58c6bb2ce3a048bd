"""What a request says of tools as JSON values."""

from typing import Any

import pytest

from lsd.conversation import ProviderTool, SpecificTool, Structurer, Tool, ToolChoice, encode_json
from lsd.inference.requested_tools import register_tools
from lsd.inference.tools_json import provider_tool_to_json, tool_choice_to_json, tool_to_json

STRUCTURER = Structurer()
register_tools(STRUCTURER)


@pytest.mark.parametrize(
    "tool",
    [
        {
            "type": "function",
            "name": "page",
            "description": "Pages somebody",
            "parameters": {"type": "object"},
            "strict": True,
        },
        {"type": "openai_custom", "name": "sql"},
        {
            "type": "openai_custom",
            "name": "sql",
            "description": "Asks the database",
            "format": {"type": "grammar", "grammar": {"syntax": "lark", "definition": "start: a"}},
        },
    ],
)
def test_a_tool_is_shown_as_it_is_sent(tool: dict[str, Any]) -> None:
    """So that what was read back can be sent again."""
    made: Any = STRUCTURER.structure(tool, Tool)  # type: ignore[type-abstract]

    assert tool_to_json(made) == tool


def test_choices_are_words_or_name_a_tool() -> None:
    """As in a request."""
    assert tool_choice_to_json("required") == "required"
    assert tool_choice_to_json(SpecificTool(name="page")) == {"specific": "page"}
    for choice in ("auto", {"specific": "page"}):
        made: Any = STRUCTURER.structure(choice, ToolChoice)  # type: ignore[arg-type]
        assert tool_choice_to_json(made) == choice


def test_a_providers_tool_has_a_scope_where_it_was_given_one() -> None:
    """For a model, or one entry of its routing."""
    search = {"type": "web_search"}
    made = [
        ProviderTool(tool=search),
        ProviderTool(tool=search, model_name="m"),
        ProviderTool(tool=search, model_name="m", provider_name="one"),
    ]

    assert encode_json([provider_tool_to_json(each) for each in made]) == encode_json(
        [
            {"tool": search},
            {"tool": search, "scope": {"model_name": "m"}},
            {"tool": search, "scope": {"model_name": "m", "provider_name": "one"}},
        ]
    )
