"""Tools of a request to Claude, and what it is to do with them."""

from lsd.conversation import FunctionTool, JsonValue, SpecificTool, Tool, ToolSet
from lsd.providers._anthropic_messages import has_tool_history
from lsd.providers._anthropic_target import Body, Encoding

_NO_TOOLS = ToolSet()
_CHOICES = {"auto": "auto", "required": "any"}


def tool_fields(encoding: Encoding) -> Body:
    """`tool_choice` and `tools`; nothing of these without any tool.

    Raises AttemptFailed (config) for tools that Claude does not have.
    """
    tool_set = encoding.request.tools or _NO_TOOLS
    if tool_set.choice == "none" and not has_tool_history(encoding):
        return {}
    tools = [*_functions(tool_set, encoding), *_provider_tools(tool_set, encoding)]
    return {"tool_choice": _choice(tool_set), "tools": tools} if tools else {}


def _functions(tool_set: ToolSet, encoding: Encoding) -> list[JsonValue]:
    allowed = tool_set.allowed
    return [
        _function(tool, encoding)
        for tool in tool_set.tools
        if allowed is None or tool.name in allowed
    ]


def _function(tool: Tool, encoding: Encoding) -> Body:
    if not isinstance(tool, FunctionTool):
        kind = encoding.target.provider_type
        raise encoding.refusal(f"custom tools not supported by {kind} (tool {tool.name!r})")
    made: Body = {
        "name": tool.name,
        "description": tool.description,
        "input_schema": tool.parameters,
    }
    if tool.strict:
        if encoding.target.holds_to_schemas:
            made["strict"] = True
        else:
            encoding.leave_out("strict")
    return made


def _provider_tools(tool_set: ToolSet, encoding: Encoding) -> list[JsonValue]:
    """Those of the configuration, then those of the request that are meant for this provider."""
    target = encoding.target
    return [
        *target.provider_tools,
        *(
            tool.tool
            for tool in tool_set.provider_tools
            if tool.model_name in (None, target.model_name)
            and tool.provider_name in (None, target.provider_name)
        ),
    ]


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
