"""What a request holds for other models than the one about to be asked is left out."""

import attrs

from lsd.conversation import ModelBlock, ModelMessage, ModelRequest, ProviderTool, Thought, Unknown


def request_for(
    request: ModelRequest, *, provider_type: str, model_name: str, provider_name: str
) -> ModelRequest:
    """`request` without the thoughts, unknown blocks and provider tools meant for others."""
    messages = request.messages
    if not all(
        _is_for(block, provider_type, model_name, provider_name)
        for message in messages
        for block in message.content
    ):
        messages = tuple(
            ModelMessage(
                role=message.role,
                content=tuple(
                    block
                    for block in message.content
                    if _is_for(block, provider_type, model_name, provider_name)
                ),
            )
            for message in messages
        )
    tools = request.tools
    if tools is not None and tools.provider_tools:
        applying = tuple(
            tool for tool in tools.provider_tools if _applies(tool, model_name, provider_name)
        )
        tools = attrs.evolve(tools, provider_tools=applying)
    if messages is request.messages and tools is request.tools:
        return request
    return attrs.evolve(request, messages=messages, tools=tools)


def _is_for(block: ModelBlock, provider_type: str, model_name: str, provider_name: str) -> bool:
    if isinstance(block, Thought):
        return block.provider_type in (None, provider_type)
    if isinstance(block, Unknown):
        return block.model_name in (None, model_name) and block.provider_name in (
            None,
            provider_name,
        )
    return True


def _applies(tool: ProviderTool, model_name: str, provider_name: str) -> bool:
    return tool.model_name in (None, model_name) and tool.provider_name in (None, provider_name)
