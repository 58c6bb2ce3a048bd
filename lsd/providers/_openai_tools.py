"""Tools of a chat completion, and what the model is to do with them."""

from typing import Any

from lsd.conversation import CustomTool, FunctionTool, SpecificTool, Tool, ToolSet
from lsd.providers._openai_family import Body, Encoding
from lsd.providers._tool_requests import function_of, refuse_provider_tools


def tool_fields(tool_set: ToolSet, encoding: Encoding) -> Body:
    """`tools`, `tool_choice` and `parallel_tool_calls`; nothing of these without any tool.

    Raises AttemptFailed (config) for tools that this provider does not have.
    """
    refuse_provider_tools(tool_set, encoding)
    tools = _tools_sent(tool_set, encoding)
    if not tools:
        return {}
    fields: Body = {
        "tools": [_tool(tool, encoding) for tool in tools],
        "tool_choice": _choice(tool_set, encoding),
    }
    if tool_set.parallel is not None and encoding.member.takes_parallel_tool_calls:
        fields["parallel_tool_calls"] = tool_set.parallel
    return fields


def _tools_sent(tool_set: ToolSet, encoding: Encoding) -> list[Tool]:
    allowed = tool_set.allowed
    if allowed is None or encoding.member.takes_allowed_tools:
        return list(tool_set.tools)
    return [tool for tool in tool_set.tools if tool.name in allowed]


def _tool(tool: Tool, encoding: Encoding) -> Body:
    if isinstance(tool, FunctionTool) or not encoding.member.takes_custom_tools:
        told = function_of(tool, encoding)
        function: Body = {
            "name": told.name,
            "description": told.description,
            "parameters": told.parameters,
        }
        if told.strict and encoding.member.takes_strict_tools:
            function["strict"] = True
        return {"type": "function", "function": function}
    custom: Body = {"name": tool.name}
    if tool.description is not None:
        custom["description"] = tool.description
    if tool.format is not None:
        custom["format"] = tool.format
    return {"type": "custom", "custom": custom}


def _choice(tool_set: ToolSet, encoding: Encoding) -> Any:
    choice = tool_set.choice
    if isinstance(choice, SpecificTool):
        return _named(choice.name, tool_set)
    if choice != "none" and tool_set.allowed is not None and encoding.member.takes_allowed_tools:
        mode = "required" if choice == "required" else "auto"
        tools = [_named(name, tool_set) for name in tool_set.allowed]
        return {"type": "allowed_tools", "allowed_tools": {"mode": mode, "tools": tools}}
    return choice


def _named(name: str, tool_set: ToolSet) -> Body:
    is_custom = any(tool.name == name for tool in tool_set.tools if isinstance(tool, CustomTool))
    kind = "custom" if is_custom else "function"
    return {"type": kind, kind: {"name": name}}
