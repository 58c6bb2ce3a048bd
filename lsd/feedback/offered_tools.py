"""The tools that an inference had, found again in its record and the configuration of its day."""

from collections.abc import Iterable, Mapping
from typing import Any

from lsd.config import ChatFunction, Config
from lsd.config import Tool as ConfiguredTool
from lsd.conversation import JsonValue
from lsd.store import InferenceBody

FREE_FORM = "openai_custom"
"""The type of tools that take any text."""


def offered_tools(function_name: str, body: InferenceBody, config: Config) -> dict[str, JsonValue]:
    """The JSON Schemas of the arguments, by the names under which the model knew the tools.

    None stands for a tool that takes any text. There are the function's tools, those that the
    request named among the configured and its own, less what its `allowed_tools` left out.
    """
    additional = {tool["name"]: _parameters(tool) for tool in body.additional_tools or ()}
    if body.allowed_tools is not None:
        return _allowed(body.allowed_tools, additional, config.tools)
    function = config.functions.get(function_name)
    keys = function.tools if isinstance(function, ChatFunction) else ()
    return {config.tools[key].name: config.tools[key].parameters.value for key in keys} | additional


def _allowed(
    entries: Iterable[str],
    additional: Mapping[str, JsonValue],
    configured: Mapping[str, ConfiguredTool],
) -> dict[str, JsonValue]:
    """What a request's list lets in: names of its own tools, keys of configured ones."""
    offered: dict[str, JsonValue] = {}
    for entry in entries:
        if entry in additional:
            offered[entry] = additional[entry]
        elif entry in configured:
            offered[configured[entry].name] = configured[entry].parameters.value
    return offered


def _parameters(tool: Mapping[str, Any]) -> JsonValue:
    return None if tool.get("type") == FREE_FORM else tool["parameters"]
