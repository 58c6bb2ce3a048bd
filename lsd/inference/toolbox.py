"""The tools of one chat inference: which there are, and which of them may be called."""

from collections.abc import Mapping
from typing import Protocol

import attrs

from lsd.config import ChatFunction
from lsd.config import Tool as ConfiguredTool
from lsd.conversation import (
    BadSchema,
    CustomTool,
    FunctionTool,
    JsonValue,
    ProviderTool,
    Schema,
    SchemaCache,
    SpecificTool,
    Tool,
    ToolChoice,
    ToolSet,
)
from lsd.inference.refusals import BadRequest


@attrs.frozen(kw_only=True)
class Toolbox:
    """The tools as the model is told of them, with the schemas that its calls are checked by."""

    tool_set: ToolSet
    _schemas: Mapping[str, Schema | None]
    _callable: frozenset[str]

    def may_call(self, name: str) -> bool:
        """Whether a call of this name is one of a tool that was offered."""
        return name in self._callable

    def parameters_of(self, name: str) -> Schema | None:
        """The schema of a tool's arguments; None for a free-form tool."""
        return self._schemas.get(name)


class ToolRequest(Protocol):
    """What a request says of tools."""

    @property
    def allowed_tools(self) -> tuple[str, ...] | None:
        """Keys of configured tools and names of its own; None for all there are."""

    @property
    def additional_tools(self) -> tuple[Tool, ...] | None:
        """Tools of its own."""

    @property
    def tool_choice(self) -> ToolChoice | None:
        """None: as the function has it."""

    @property
    def parallel_tool_calls(self) -> bool | None:
        """None: as the function has it."""

    @property
    def provider_tools(self) -> tuple[ProviderTool, ...]:
        """Tools that run at providers."""


def toolbox_for(
    function: ChatFunction,
    configured: Mapping[str, ConfiguredTool],
    request: ToolRequest,
    schemas: SchemaCache,
) -> Toolbox | None:
    """The tools of a request: the function's, those it names among the configured, its own.

    None if there are none. Raises BadRequest naming the tool or the field.
    """
    if not (
        function.tools
        or request.allowed_tools
        or request.additional_tools
        or request.provider_tools
        or isinstance(request.tool_choice, SpecificTool)
    ):
        return None
    keys = [*function.tools, *_further_keys(function, configured, request)]
    offered: dict[str, tuple[Tool, Schema | None]] = {}
    for key in keys:
        tool = configured[key]
        _offer(offered, _neutral(tool), tool.parameters, "allowed_tools")
    for place, additional in enumerate(request.additional_tools or ()):
        where = f"additional_tools[{place}]"
        _offer(offered, additional, _compiled(additional, where, schemas), f"{where}.name")
    allowed = _allowed_names(configured, offered, request)
    choice = request.tool_choice or function.choice(configured)
    _check_choice(choice, offered, allowed)
    if not offered and not request.provider_tools:
        return None
    parallel = request.parallel_tool_calls
    return Toolbox(
        tool_set=ToolSet(
            tools=tuple(tool for tool, _ in offered.values()),
            provider_tools=request.provider_tools,
            choice=choice,
            parallel=function.parallel_tool_calls if parallel is None else parallel,
            allowed=allowed,
        ),
        schemas={name: schema for name, (_, schema) in offered.items()},
        callable=frozenset(offered if allowed is None else allowed),
    )


def forced_tool(schema: Mapping[str, JsonValue], name: str = "respond") -> ToolSet:
    """One tool that the model must call, so that its arguments are JSON of `schema`."""
    tool = FunctionTool(name=name, description=FORCED_TOOL_DESCRIPTION, parameters=schema)
    return ToolSet(tools=(tool,), choice=SpecificTool(name=name), parallel=False)


FORCED_TOOL_DESCRIPTION = "Respond to the user using the output schema provided."


def _further_keys(
    function: ChatFunction, configured: Mapping[str, ConfiguredTool], request: ToolRequest
) -> list[str]:
    """Configured tools outside the function that the request lets in."""
    allowed = request.allowed_tools or ()
    additional = {tool.name for tool in request.additional_tools or ()}
    return [
        key
        for key in dict.fromkeys(allowed)
        if key in configured and key not in function.tools and key not in additional
    ]


def _neutral(tool: ConfiguredTool) -> FunctionTool:
    return FunctionTool(
        name=tool.name,
        description=tool.description,
        parameters=tool.parameters.value,
        strict=tool.strict,
    )


def _compiled(tool: Tool, where: str, schemas: SchemaCache) -> Schema | None:
    if isinstance(tool, CustomTool):
        return None
    try:
        return schemas.compile(tool.parameters)
    except BadSchema as error:
        raise BadRequest(f"{where}.parameters", str(error)) from None


def _offer(
    offered: dict[str, tuple[Tool, Schema | None]], tool: Tool, schema: Schema | None, where: str
) -> None:
    if tool.name in offered:
        raise BadRequest(where, f"found a second tool {tool.name!r}; wanted names that differ")
    offered[tool.name] = (tool, schema)


def _allowed_names(
    configured: Mapping[str, ConfiguredTool],
    offered: Mapping[str, tuple[Tool, Schema | None]],
    request: ToolRequest,
) -> tuple[str, ...] | None:
    if request.allowed_tools is None:
        return None
    additional = {tool.name for tool in request.additional_tools or ()}
    names = []
    for place, entry in enumerate(request.allowed_tools):
        name = entry if entry in additional else None
        if name is None and entry in configured:
            name = configured[entry].name
        if name is None or name not in offered:
            raise BadRequest(
                f"allowed_tools[{place}]",
                f"found {entry!r}; wanted the key of a configured tool or the name of one in"
                " additional_tools",
            )
        names.append(name)
    return tuple(dict.fromkeys(names))


def _check_choice(
    choice: ToolChoice,
    offered: Mapping[str, tuple[Tool, Schema | None]],
    allowed: tuple[str, ...] | None,
) -> None:
    if not isinstance(choice, SpecificTool):
        return
    available = list(offered) if allowed is None else list(allowed)
    if choice.name not in available:
        listed = ", ".join(available) or "there are none"
        raise BadRequest(
            "tool_choice.specific",
            f"found {choice.name!r}; wanted one of the tools of this request ({listed})",
        )
