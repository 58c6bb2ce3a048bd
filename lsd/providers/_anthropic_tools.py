"""Tools of a request to Claude, and what it is to do with them."""

from lsd.conversation import JsonValue, SpecificTool, Tool, ToolSet
from lsd.providers._anthropic_messages import has_tool_history, marked
from lsd.providers._anthropic_target import Body, Encoding
from lsd.providers._tool_requests import function_of, provider_tools_for

_NO_TOOLS = ToolSet()
_CHOICES = {"auto": "auto", "required": "any"}


def tool_fields(encoding: Encoding) -> Body:
    """`tool_choice` and `tools`; nothing of these without any tool.

    Raises AttemptFailed (config) for tools that Claude does not have.
    """
    tool_set = encoding.request.tools or _NO_TOOLS
    if tool_set.choice == "none" and not (encoding.is_translated or has_tool_history(encoding)):
        return {}
    # Those of the configuration come before those of the request.
    at_provider = [*encoding.target.provider_tools, *provider_tools_for(tool_set, encoding.target)]
    tools = [*_functions(tool_set, encoding), *at_provider]
    return {"tool_choice": _choice(tool_set), "tools": tools} if tools else {}


def _functions(tool_set: ToolSet, encoding: Encoding) -> list[JsonValue]:
    allowed = tool_set.allowed
    return [
        _function(tool, encoding)
        for tool in tool_set.tools
        if allowed is None or tool.name in allowed
    ]


def _function(tool: Tool, encoding: Encoding) -> Body:
    function = function_of(tool, encoding)
    made: Body = {"name": function.name}
    if function.description:
        made["description"] = function.description
    made["input_schema"] = function.parameters
    if encoding.is_translated and "type" not in function.parameters:
        made["input_schema"] = {"type": "object", **function.parameters}
    if function.strict:
        if encoding.target.holds_to_schemas:
            made["strict"] = True
        else:
            encoding.leave_out("strict")
    return marked(made, function)


def _choice(tool_set: ToolSet) -> Body:
    choice = tool_set.choice
    if choice == "none":
        return {"type": "none"}
    if isinstance(choice, SpecificTool):
        made: Body = {"type": "tool", "name": choice.name}
    else:
        made = {"type": _CHOICES[choice]}
    if tool_set.parallel is False:
        made["disable_parallel_tool_use"] = True
    return made
