"""Functions."""

from lsd.config import ChatFunction, ForcedTool, Tool
from lsd.conversation import Schema, SpecificTool

TOOLS = {"find": Tool(name="search", description="", parameters=Schema.compile({}))}


def test_a_forced_tool_has_the_name_that_models_see() -> None:
    """The configuration knows it by its key."""
    forced = ChatFunction(variants={}, tools=("find",), tool_choice=ForcedTool(specific="find"))
    free = ChatFunction(variants={}, tools=("find",), tool_choice="required")

    assert forced.choice(TOOLS) == SpecificTool(name="search")
    assert free.choice(TOOLS) == "required"
