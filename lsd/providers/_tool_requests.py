"""Tools of a request for providers that know functions only, and past calls of them."""

from collections.abc import Mapping
from typing import Any

from lsd.conversation import FunctionTool, JsonValue, NotJson, Tool, ToolCall, ToolSet, decode_json
from lsd.providers._encoding import Addressee, EncodingFor


def function_of(tool: Tool, encoding: EncodingFor[Any]) -> FunctionTool:
    """The tool, if it is a function. Raises AttemptFailed (config)."""
    if isinstance(tool, FunctionTool):
        return tool
    kind = encoding.target.provider_type
    raise encoding.refusal(f"custom tools not supported by {kind} (tool {tool.name!r})")


def refuse_provider_tools(tool_set: ToolSet, encoding: EncodingFor[Any]) -> None:
    """For providers at which no tools run. Raises AttemptFailed (config) if one is wanted."""
    target = encoding.target
    count = len(provider_tools_for(tool_set, target))
    if count:
        raise encoding.refusal(
            f'provider "{target.provider_name}" got {count} of provider_tools and takes none'
        )


def provider_tools_for(tool_set: ToolSet, target: Addressee) -> list[JsonValue]:
    """The tools of the request that are meant to run at this provider."""
    return [
        tool.tool
        for tool in tool_set.provider_tools
        if tool.model_name in (None, target.model_name)
        and tool.provider_name in (None, target.provider_name)
    ]


def arguments_object(call: ToolCall, encoding: EncodingFor[Any]) -> Mapping[str, JsonValue]:
    """The object that the text holds. Nothing at all is how some models write no arguments.

    Raises AttemptFailed (config), which shows the text, if it holds anything else.
    """
    if not call.arguments.strip():
        return {}
    where = f"the arguments of tool call {call.id!r}"
    try:
        value = decode_json(call.arguments)
    except NotJson:
        raise encoding.refusal(f"{where} are not JSON", shown=call.arguments) from None
    if not isinstance(value, dict):
        raise encoding.refusal(f"{where} must be an object", shown=call.arguments)
    return value
