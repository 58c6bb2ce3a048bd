"""Tools that a model may call, and what the caller wants of them."""

from collections.abc import Mapping
from typing import Literal

from lsd.conversation.json import JsonValue
from lsd.conversation.values import frozen


@frozen(kw_only=True)
class FunctionTool:
    """A tool with arguments that fit a JSON Schema."""

    name: str
    description: str
    parameters: Mapping[str, JsonValue]
    strict: bool = False
    cache_control: JsonValue = None


@frozen(kw_only=True)
class CustomTool:
    """OpenAI's free-form tool: its argument is a text, perhaps of a grammar."""

    name: str
    description: str | None = None
    format: Mapping[str, JsonValue] | None = None


Tool = FunctionTool | CustomTool


@frozen(kw_only=True)
class SpecificTool:
    """The model must call this tool."""

    name: str


ToolChoice = Literal["none", "auto", "required"] | SpecificTool


@frozen(kw_only=True)
class ProviderTool:
    """A tool that runs at the provider, in the provider's own words.

    Without `model_name` it goes everywhere; with it only to that model, and with
    `provider_name` only to that entry of its routing.
    """

    tool: JsonValue
    model_name: str | None = None
    provider_name: str | None = None


@frozen(kw_only=True)
class ToolSet:
    """The tools of one request.

    `allowed` lists the names that may be called when the caller chose among the tools.
    """

    tools: tuple[Tool, ...] = ()
    provider_tools: tuple[ProviderTool, ...] = ()
    choice: ToolChoice = "auto"
    parallel: bool | None = None
    allowed: tuple[str, ...] | None = None
