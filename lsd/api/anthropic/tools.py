"""Tools of a Messages request, and what the model is to do with them."""

from collections.abc import Mapping
from typing import Any

import attrs

from lsd.conversation import (
    FunctionTool,
    Problem,
    SpecificTool,
    ToolChoice,
    ToolSet,
    describe_json,
)

_CHOICES: Mapping[str, ToolChoice] = {"auto": "auto", "any": "required", "none": "none"}


@attrs.frozen(kw_only=True)
class ReadTools:
    """`tools` is None without any. `has_left_out`: some exist at Anthropic only.

    `problems` are why the tools have no neutral form.
    """

    tools: ToolSet | None = None
    has_left_out: bool = False
    problems: tuple[Problem, ...] = ()


def read_tools(tools: list[Any], choice: Mapping[str, Any] | None, model: str) -> ReadTools:
    """The neutral tools and the choice among them; `model` is what errors call it."""
    if not tools:
        return ReadTools()
    functions = [tool for tool in tools if _is_function(tool)]
    elsewhere = [tool for tool in tools if not _is_function(tool)]
    problems = [
        Problem(f"tools[{place}].name", f"found {describe_json(tool.get('name'))}; wanted a string")
        for place, tool in enumerate(tools)
        if _is_function(tool) and not isinstance(tool.get("name"), str)
    ]
    problems += _unavailable(elsewhere, functions, choice, model)
    wanted, parallel = _read_choice(choice, functions, problems)
    if problems:
        return ReadTools(problems=tuple(problems))
    made = tuple(_function(tool) for tool in functions)
    return ReadTools(
        tools=ToolSet(tools=made, choice=wanted, parallel=parallel), has_left_out=bool(elsewhere)
    )


def _is_function(tool: Mapping[str, Any]) -> bool:
    """Whether the caller runs the tool and says what it takes; all others Anthropic knows."""
    return isinstance(tool.get("input_schema"), dict)


def _unavailable(
    elsewhere: list[Any], functions: list[Any], choice: Mapping[str, Any] | None, model: str
) -> list[Problem]:
    """A model that answers as if it had looked would mislead; so what it needs is refused."""
    forced = choice.get("name") if choice is not None and choice.get("type") == "tool" else None
    named = [tool for tool in elsewhere if tool.get("name") == forced and forced is not None]
    missing = elsewhere if not functions else named
    return [
        Problem("tools", f"tool {tool.get('type', '')} is not available on model {model}")
        for tool in missing[:1]
    ]


def _function(tool: Mapping[str, Any]) -> FunctionTool:
    schema = tool["input_schema"]
    description = tool.get("description")
    return FunctionTool(
        name=tool["name"],
        description=description if isinstance(description, str) else "",
        parameters=schema if "type" in schema else {"type": "object", **schema},
        strict=tool.get("strict") is True,
        cache_control=tool.get("cache_control"),
    )


def _read_choice(
    choice: Mapping[str, Any] | None, functions: list[Any], problems: list[Problem]
) -> tuple[ToolChoice, bool | None]:
    if choice is None:
        return "auto", None
    parallel = False if choice.get("disable_parallel_tool_use") is True else None
    kind = choice.get("type")
    if kind == "tool":
        name = choice.get("name")
        if not problems and all(tool.get("name") != name for tool in functions):
            reason = f"found {describe_json(name)}; wanted the name of one of the tools"
            problems.append(Problem("tool_choice.name", reason))
        return SpecificTool(name=str(name)), parallel
    wanted = _CHOICES.get(kind) if isinstance(kind, str) else None
    if wanted is None:
        reason = f"found {describe_json(kind)}; wanted one of auto, any, tool, none"
        problems.append(Problem("tool_choice.type", reason))
        return "auto", parallel
    return wanted, None if wanted == "none" else parallel
