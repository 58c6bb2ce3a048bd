"""What a request says of tools as JSON values, as records keep it."""

from typing import Any, assert_never

from lsd.conversation import (
    CustomTool,
    FunctionTool,
    ProviderTool,
    SpecificTool,
    Tool,
    ToolChoice,
)


def tool_to_json(tool: Tool) -> dict[str, Any]:
    """A tool of the request's own."""
    match tool:
        case FunctionTool():
            return {
                "type": "function",
                "name": tool.name,
                "description": tool.description,
                "parameters": tool.parameters,
                "strict": tool.strict,
            }
        case CustomTool():
            shown = {
                "type": "openai_custom",
                "name": tool.name,
                "description": tool.description,
                "format": tool.format,
            }
            return {key: value for key, value in shown.items() if value is not None}
        case never:
            assert_never(never)


def tool_choice_to_json(choice: ToolChoice) -> Any:
    """A word, or `{"specific": …}`."""
    return {"specific": choice.name} if isinstance(choice, SpecificTool) else choice


def provider_tool_to_json(tool: ProviderTool) -> dict[str, Any]:
    """A tool that runs at the provider; without a scope it goes everywhere."""
    if tool.model_name is None:
        return {"tool": tool.tool}
    scope = {"model_name": tool.model_name}
    if tool.provider_name is not None:
        scope["provider_name"] = tool.provider_name
    return {"tool": tool.tool, "scope": scope}
