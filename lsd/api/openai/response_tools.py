"""Tools of a Responses request, whose fields stand at their top, in neutral words."""

from collections.abc import Mapping, Sequence
from typing import Any

from lsd.api.compat.troubles import Unsupported
from lsd.api.openai.foreign_shapes import NO_PARAMETERS
from lsd.conversation import (
    CustomTool,
    FunctionTool,
    Malformed,
    Problem,
    SpecificTool,
    Tool,
    ToolChoice,
    ToolSet,
    describe_json,
)

Fields = Mapping[str, Any]

KINDS = ("function", "custom")
"""The tools that clients run themselves; all others run at OpenAI."""


def read_response_tools(body: Fields) -> ToolSet | None:
    """The tools that the client runs; None if the body has none at all.

    Raises Malformed, or Unsupported for tools that all run at OpenAI.
    """
    tools = tuple(
        _tool(tool, f"tools[{place}]")
        for place, tool in enumerate(body.get("tools", ()))
        if tool.get("type") in KINDS
    )
    if not tools:
        _check_none(body.get("tools", ()))
        return None
    choice, allowed = _choice(body.get("tool_choice", "auto"), {tool.name for tool in tools})
    return ToolSet(
        tools=tools, choice=choice, parallel=body.get("parallel_tool_calls"), allowed=allowed
    )


def _check_none(tools: Sequence[Fields]) -> None:
    if tools:
        kind = describe_json(tools[0].get("type"))
        reason = f"found {kind}, which runs at OpenAI; wanted a function or custom tool, too"
        raise Unsupported("tools[0].type", reason)


def _tool(tool: Fields, path: str) -> Tool:
    name = tool.get("name")
    if not isinstance(name, str) or not name:
        reason = f"found {describe_json(name)}; wanted the tool's name"
        raise Malformed((Problem(f"{path}.name", reason),))
    said = tool.get("description")
    description = said if isinstance(said, str) else None
    if tool["type"] == "custom":
        form = tool.get("format")
        return CustomTool(
            name=name,
            description=description,
            format=_format(form) if isinstance(form, dict) else None,
        )
    parameters = tool.get("parameters")
    if parameters is None:
        parameters = NO_PARAMETERS
    if not isinstance(parameters, dict):
        reason = f"found {describe_json(parameters)}; wanted a JSON Schema"
        raise Malformed((Problem(f"{path}.parameters", reason),))
    return FunctionTool(
        name=name,
        description=description or "",
        parameters=parameters if "type" in parameters else {"type": "object", **parameters},
        strict=tool.get("strict") is True,
    )


def _format(form: Fields) -> Fields:
    """The format as chat completions word it."""
    if form.get("type") != "grammar" or "grammar" in form:
        return form
    grammar = {name: value for name, value in form.items() if name != "type"}
    return {"type": "grammar", "grammar": grammar}


def _choice(choice: Any, names: set[str]) -> tuple[ToolChoice, tuple[str, ...] | None]:
    match choice:
        case "none" | "auto" | "required":
            return choice, None
        case {"type": "function" | "custom", "name": str(name)}:
            return SpecificTool(name=_known(name, names)), None
        case {"type": "allowed_tools", "mode": ("auto" | "required") as mode, "tools": list(tools)}:
            return mode, tuple(_allowed(tools, names))
        case _:
            pass
    reason = (
        f'found {describe_json(choice)}; wanted "none", "auto", "required", or an object that'
        " names a function, a custom tool or the allowed tools"
    )
    raise Malformed((Problem("tool_choice", reason),))


def _allowed(tools: list[Any], names: set[str]) -> list[str]:
    """The names among the allowed tools; what runs elsewhere is left out here, too."""
    return [
        _known(tool["name"], names)
        for tool in tools
        if isinstance(tool, dict)
        and tool.get("type") in KINDS
        and isinstance(tool.get("name"), str)
    ]


def _known(name: str, names: set[str]) -> str:
    if name not in names:
        reason = f"found the tool {name!r}; wanted one of `tools`"
        raise Malformed((Problem("tool_choice", reason),))
    return name
