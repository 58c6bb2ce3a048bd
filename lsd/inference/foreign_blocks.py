"""What a request holds for other models than the one about to be asked is left out."""

import attrs

from lsd.conversation import (
    ModelBlock,
    ModelMessage,
    ModelRequest,
    ProviderTool,
    Text,
    Thought,
    Unknown,
)

_TAKE_LATE_INSTRUCTIONS = frozenset({"openai", "azure"})
"""Provider types at which an instruction may stand within the conversation. Others refuse it or
take it for a part of the user's words, so that it goes to the front."""


_BOUND = (Thought, Unknown)
"""Blocks that may be for one provider alone."""


def says_only_text(request: ModelRequest) -> bool:
    """Whether there is nothing but text in it, as in most: it is the same for all models."""
    if request.tools is not None:
        return False
    for message in request.messages:
        for block in message.content:
            if type(block) is not Text:
                return False
    return True


def request_for(
    request: ModelRequest, *, provider_type: str, model_name: str, provider_name: str
) -> ModelRequest:
    """`request` without the thoughts, unknown blocks and provider tools meant for others."""
    if not _holds_foreign(request, provider_type, model_name, provider_name):
        return request
    messages = tuple(
        ModelMessage(
            role=message.role,
            content=tuple(
                block
                for block in message.content
                if _is_for(block, provider_type, model_name, provider_name)
            ),
        )
        for message in request.messages
    )
    tools = request.tools
    if tools is not None and tools.provider_tools:
        applying = tuple(
            tool for tool in tools.provider_tools if _applies(tool, model_name, provider_name)
        )
        tools = attrs.evolve(tools, provider_tools=applying)
    return attrs.evolve(request, messages=messages, tools=tools)


def _holds_foreign(
    request: ModelRequest, provider_type: str, model_name: str, provider_name: str
) -> bool:
    for message in request.messages:
        for block in message.content:
            if isinstance(block, _BOUND) and not _is_for(
                block, provider_type, model_name, provider_name
            ):
                return True
    if request.tools is None:
        return False
    tools = request.tools.provider_tools
    return not all(_applies(tool, model_name, provider_name) for tool in tools)


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


def translatable(request: ModelRequest, *, provider_type: str) -> ModelRequest:
    """What is left for a provider that does not speak the language of the request's client.

    Blocks that only that language knows are gone.
    """
    messages = request.messages
    if any(isinstance(block, Unknown) for message in messages for block in message.content):
        messages = tuple(
            attrs.evolve(
                message,
                content=tuple(block for block in message.content if not isinstance(block, Unknown)),
            )
            for message in messages
        )
    late = [message for message in messages if message.role == "system"]
    if not late or provider_type in _TAKE_LATE_INSTRUCTIONS:
        return request if messages is request.messages else attrs.evolve(request, messages=messages)
    parts = (
        *(request.system_blocks or _parts(request.system)),
        *(block for message in late for block in message.content if isinstance(block, Text)),
    )
    return attrs.evolve(
        request,
        system="\n\n".join(part.text for part in parts),
        system_blocks=parts,
        messages=tuple(message for message in messages if message.role != "system"),
    )


def _parts(system: str | None) -> tuple[Text, ...]:
    return () if system is None else (Text(text=system),)
