"""Tools of clients under names that every provider takes, and the clients' own in the answers."""

from collections.abc import Iterable, Mapping

import attrs

from lsd.conversation import (
    ContentChunk,
    ModelBlock,
    ModelRequest,
    OutputBlock,
    SpecificTool,
    ToolCall,
    ToolCallChunk,
    ToolResult,
    ToolSet,
)
from lsd.providers import fitting_tool_name


def with_fitting_tool_names(request: ModelRequest) -> tuple[ModelRequest, Mapping[str, str]]:
    """The request under fitting names, and which name stands for which; mostly none does."""
    names = {
        *(tool.name for tool in (request.tools.tools if request.tools else ())),
        *(block.name for block in _blocks(request) if isinstance(block, ToolCall | ToolResult)),
    }
    fitting = {name: fitting_tool_name(name) for name in names if name}
    originals = {new: name for name, new in fitting.items() if new != name}
    if not originals:
        return request, {}
    messages = tuple(
        attrs.evolve(
            message, content=tuple(_renamed_block(block, fitting) for block in message.content)
        )
        for message in request.messages
    )
    tools = None if request.tools is None else _renamed_tools(request.tools, fitting)
    return attrs.evolve(request, messages=messages, tools=tools), originals


def with_original_names(
    output: tuple[OutputBlock, ...], originals: Mapping[str, str]
) -> tuple[OutputBlock, ...]:
    """The answer with the names that the client knows."""
    return tuple(
        attrs.evolve(block, name=originals.get(block.name, block.name))
        if isinstance(block, ToolCall)
        else block
        for block in output
    )


def restore_names(content: Iterable[ContentChunk], originals: Mapping[str, str]) -> None:
    """The same for pieces of an answer, in place; servers send these names in one piece."""
    for chunk in content:
        if isinstance(chunk, ToolCallChunk):
            chunk.raw_name = originals.get(chunk.raw_name, chunk.raw_name)


def _blocks(request: ModelRequest) -> Iterable[ModelBlock]:
    return (block for message in request.messages for block in message.content)


def _renamed_block(block: ModelBlock, names: Mapping[str, str]) -> ModelBlock:
    if not isinstance(block, ToolCall | ToolResult):
        return block
    return attrs.evolve(block, name=names.get(block.name, block.name))


def _renamed_tools(tools: ToolSet, names: Mapping[str, str]) -> ToolSet:
    choice = tools.choice
    if isinstance(choice, SpecificTool):
        choice = SpecificTool(name=names.get(choice.name, choice.name))
    return attrs.evolve(
        tools,
        tools=tuple(attrs.evolve(tool, name=names.get(tool.name, "")) for tool in tools.tools),
        choice=choice,
        allowed=(
            None
            if tools.allowed is None
            else tuple(names.get(name, name) for name in tools.allowed)
        ),
    )
