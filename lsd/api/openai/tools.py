"""Tools of a chat completion request, and what the model is to do with them, in neutral words."""

from collections.abc import Mapping
from typing import Any

from lsd.api.openai.foreign_shapes import tool_name
from lsd.conversation import (
    CustomTool,
    FunctionTool,
    Problem,
    SpecificTool,
    Tool,
    ToolChoice,
    ToolSet,
)


def read_tools(body: Mapping[str, Any], problems: list[Problem]) -> ToolSet | None:
    """The tools of a body in OpenAI's own shapes; None without any.

    What has no neutral form is added to `problems`.
    """
    tools = body.get("tools")
    if not tools:
        return None
    choice, allowed = _choice(body.get("tool_choice"))
    return ToolSet(
        tools=tuple(_tool(tool, place, problems) for place, tool in enumerate(tools)),
        choice=choice,
        parallel=body.get("parallel_tool_calls"),
        allowed=allowed,
    )


def _tool(tool: Mapping[str, Any], place: int, problems: list[Problem]) -> Tool:
    if tool["type"] == "custom":
        custom = tool["custom"]
        description, form = custom.get("description"), custom.get("format")
        return CustomTool(
            name=custom["name"],
            description=description if isinstance(description, str) else None,
            format=form if isinstance(form, dict) else None,
        )
    function = tool["function"]
    parameters = function["parameters"]
    if not isinstance(parameters, dict):
        path = f"tools[{place}].function.parameters"
        problems.append(Problem(path, "found no object; wanted a JSON Schema"))
        parameters = {}
    description = function.get("description")
    return FunctionTool(
        name=function["name"],
        description=description if isinstance(description, str) else "",
        parameters=parameters if "type" in parameters else {"type": "object", **parameters},
        strict=function.get("strict") is True,
        cache_control=tool.get("cache_control") or function.get("cache_control"),
    )


def _choice(choice: Any) -> tuple[ToolChoice, tuple[str, ...] | None]:
    match choice:
        case None:
            return "auto", None
        case "none" | "auto" | "required":
            return choice, None
        case {"type": "allowed_tools", "allowed_tools": {"mode": mode, "tools": tools}}:
            names = tuple(each["name"] if "name" in each else tool_name(each) for each in tools)
            return mode, names
        case _:
            return SpecificTool(name=tool_name(choice)), None
