"""Tools of a request to Bedrock, and what the model is to do with them."""

from typing import assert_never

from lsd.conversation import SpecificTool, Tool, ToolChoice, ToolSet
from lsd.providers._bedrock_messages import named_tools
from lsd.providers._bedrock_target import Body, Encoding
from lsd.providers._tool_requests import function_of, refuse_provider_tools

_NO_TOOLS = ToolSet()


def tool_config(encoding: Encoding) -> Body | None:
    """`toolConfig`; None without any tool.

    Bedrock refuses a conversation in which tools were used without being told of tools, so then
    it is told of those, and that none is to be called it cannot be told at all. Raises
    AttemptFailed (config) for tools that Bedrock does not have.
    """
    tool_set = encoding.request.tools or _NO_TOOLS
    refuse_provider_tools(tool_set, encoding)
    used = named_tools(encoding.request.messages)
    if tool_set.choice == "none" and not used:
        return None
    tools = _functions(tool_set, encoding)
    if not tools:
        return {"tools": [_used_tool(name) for name in used]} if used else None
    if tool_set.parallel is False:
        encoding.leave_out("parallel_tool_calls")
    return {"tools": tools, "toolChoice": _choice(tool_set.choice, encoding)}


def _functions(tool_set: ToolSet, encoding: Encoding) -> list[Body]:
    allowed = tool_set.allowed
    return [
        _function(tool, encoding)
        for tool in tool_set.tools
        if allowed is None or tool.name in allowed
    ]


def _function(tool: Tool, encoding: Encoding) -> Body:
    function = function_of(tool, encoding)
    told: Body = {"name": function.name}
    if function.description:
        told["description"] = function.description
    told["inputSchema"] = {"json": function.parameters}
    if function.strict:
        told["strict"] = True
    return {"toolSpec": told}


def _used_tool(name: str) -> Body:
    return {"toolSpec": {"name": name, "inputSchema": {"json": {"type": "object"}}}}


def _choice(choice: ToolChoice, encoding: Encoding) -> Body:
    match choice:
        case SpecificTool(name=name):
            return {"tool": {"name": name}}
        case "required":
            return {"any": {}}
        case "none":
            hint = "tools were called before, so they are sent, and the model may call them again"
            encoding.alter("tool_choice", hint)
            return {"auto": {}}
        case "auto":
            return {"auto": {}}
        case never:
            assert_never(never)
