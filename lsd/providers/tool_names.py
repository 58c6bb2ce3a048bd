"""Names of tools in a form that every provider takes, and back in the answer.

Providers refuse names of more than 64 characters, and others than letters, digits, `_` and `-`.
Callers, above all those with tools from several servers, have longer and stranger ones.
"""

import re
from hashlib import sha256

import attrs

from lsd.conversation import (
    ModelBlock,
    ModelChunk,
    ModelRequest,
    ModelResponse,
    OutputBlock,
    SpecificTool,
    StreamEvent,
    ToolCall,
    ToolCallChunk,
    ToolResult,
    ToolSet,
)
from lsd.providers.dialect import StreamDecoder

_FITTING = re.compile(r"[a-zA-Z0-9_-]{1,64}\Z")
_FOREIGN = re.compile(r"[^a-zA-Z0-9_-]")
_HEAD_LENGTH = 55
_HASH_DIGITS = 8
"""With the `_` between them, head and hash have 64 characters together."""

_NAMED = (ToolCall, ToolResult)

_TYPES_WITHOUT_RULE = frozenset({"echo"})


def fitting_tool_name(name: str) -> str:
    """The name itself if it is taken everywhere, else one that depends on it alone."""
    if _FITTING.match(name):
        return name
    digest = sha256(name.encode()).hexdigest()[:_HASH_DIGITS]
    return f"{_FOREIGN.sub('_', name[:_HEAD_LENGTH])}_{digest}"


@attrs.frozen
class ToolNames:
    """The names of one request that do not fit, each with the one that stands for it."""

    _fitting: dict[str, str]
    _originals: dict[str, str]

    @classmethod
    def of(cls, request: ModelRequest, provider_type: str) -> "ToolNames | None":
        """None if all names may stay, as they mostly may."""
        if provider_type in _TYPES_WITHOUT_RULE:
            return None
        names = [
            block.name
            for message in request.messages
            for block in message.content
            if isinstance(block, _NAMED)
        ]
        if request.tools is not None:
            names += [tool.name for tool in request.tools.tools]
        if not names:
            return None
        fitting = {name: fitting_tool_name(name) for name in names}
        changed = {name: other for name, other in fitting.items() if name != other}
        if not changed:
            return None
        return cls(changed, {other: name for name, other in changed.items()})

    def fitted(self, request: ModelRequest) -> ModelRequest:
        """`request` with the names that fit."""
        messages = tuple(
            attrs.evolve(message, content=tuple(map(self._fitted_block, message.content)))
            for message in request.messages
        )
        tools = None if request.tools is None else self._fitted_tools(request.tools)
        return attrs.evolve(request, messages=messages, tools=tools)

    def restored(self, response: ModelResponse) -> ModelResponse:
        """`response` with the caller's names."""
        output = tuple(self._restored_block(block) for block in response.output)
        return attrs.evolve(response, output=output)

    def restored_stream(self, decoder: StreamDecoder) -> StreamDecoder:
        """`decoder`, with the caller's names in what it reads."""
        return _RestoredStream(decoder, self._originals)

    def _fit(self, name: str) -> str:
        return self._fitting.get(name, name)

    def _fitted_block(self, block: ModelBlock) -> ModelBlock:
        if isinstance(block, ToolCall | ToolResult) and block.name in self._fitting:
            return attrs.evolve(block, name=self._fitting[block.name])
        return block

    def _fitted_tools(self, tools: ToolSet) -> ToolSet:
        choice = tools.choice
        if isinstance(choice, SpecificTool):
            choice = SpecificTool(name=self._fit(choice.name))
        return attrs.evolve(
            tools,
            tools=tuple(attrs.evolve(tool, name=self._fit(tool.name)) for tool in tools.tools),
            choice=choice,
            allowed=None if tools.allowed is None else tuple(map(self._fit, tools.allowed)),
        )

    def _restored_block(self, block: OutputBlock) -> OutputBlock:
        if isinstance(block, ToolCall) and block.name in self._originals:
            return attrs.evolve(block, name=self._originals[block.name])
        return block


@attrs.define(eq=False)
class _RestoredStream:
    """A name that comes in pieces waits until it is whole, or until its arguments begin."""

    _decoder: StreamDecoder
    _originals: dict[str, str]
    _held: dict[str, str] = attrs.field(factory=dict, init=False)

    @property
    def ended(self) -> bool:
        return self._decoder.ended

    def feed(self, data: bytes) -> list[StreamEvent]:
        return self._restored(self._decoder.feed(data))

    def finish(self, *, cut: bool) -> list[StreamEvent]:
        events = self._restored(self._decoder.finish(cut=cut))
        held, self._held = self._held, {}
        if held:
            calls = [ToolCallChunk(id=each, raw_name=name) for each, name in held.items()]
            events.insert(0, ModelChunk(content=[*calls]))
        return events

    def _restored(self, events: list[StreamEvent]) -> list[StreamEvent]:
        for event in events:
            if isinstance(event, ModelChunk):
                for piece in event.content:
                    if isinstance(piece, ToolCallChunk) and (piece.raw_name or piece.raw_arguments):
                        self._restore(piece)
        return events

    def _restore(self, piece: ToolCallChunk) -> None:
        name = self._held.pop(piece.id, "") + piece.raw_name
        is_beginning = any(other != name and other.startswith(name) for other in self._originals)
        if name and is_beginning and not piece.raw_arguments:
            self._held[piece.id], piece.raw_name = name, ""
        else:
            piece.raw_name = self._originals.get(name, name)
