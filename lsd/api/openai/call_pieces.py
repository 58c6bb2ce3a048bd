"""Pieces of tool calls in an order that clients of OpenAI's APIs understand.

Clients want the first piece of a call to name it whole, and all later ones to hold arguments only.
"""

from collections.abc import Mapping
from typing import Any

import attrs

from lsd.conversation import ToolCallChunk


@attrs.define(eq=False)
class StreamedCall:
    """A call; `index` counts those of one answer that the client has heard of.

    `early_arguments` came before the name, and `extras` are further fields from its provider.
    """

    id: str
    index: int = -1
    is_custom: bool = False
    name: str = ""
    extras: dict[str, Any] = attrs.field(factory=dict)
    early_arguments: str = ""
    has_started: bool = False
    has_arguments: bool = False


@attrs.frozen
class CallPiece:
    """The beginning of a call, or with `text` a piece of its arguments."""

    call: StreamedCall
    text: str | None = None


@attrs.define(eq=False)
class CallPieces:
    """Follows the calls of one answer; those of `custom_names` are free-form."""

    custom_names: frozenset[str]
    _calls: dict[str, StreamedCall] = attrs.field(factory=dict, init=False)
    _started: int = attrs.field(default=0, init=False)
    unnamed: StreamedCall | None = attrs.field(default=None, init=False)
    """The call whose name may still grow."""

    def add(self, chunk: ToolCallChunk, extras: Mapping[str, Any]) -> list[CallPiece]:
        """What a piece of a call adds; `extras` are further fields of the call."""
        made = [] if self.unnamed is None or self.unnamed.id == chunk.id else self.flush()
        call = self._calls.get(chunk.id)
        if call is None:
            call = self._calls[chunk.id] = StreamedCall(chunk.id)
        call.extras.update(extras)
        if not call.has_started:
            self.unnamed = call
            call.name += chunk.raw_name
        if chunk.raw_arguments and not call.name:
            call.early_arguments += chunk.raw_arguments
        elif chunk.raw_arguments:
            made += self.flush()
            made.append(_arguments(call, chunk.raw_arguments))
        return made

    def flush(self) -> list[CallPiece]:
        """The start of the call whose name is whole, as something else follows it."""
        call, self.unnamed = self.unnamed, None
        if call is None or not call.name:
            return []
        call.index = self._started
        self._started += 1
        call.is_custom = call.name in self.custom_names
        call.has_started = True
        early = [_arguments(call, call.early_arguments)] if call.early_arguments else []
        return [CallPiece(call), *early]

    def end(self) -> list[CallPiece]:
        """What is left at the end: calls without arguments have an empty object of them."""
        made = self.flush()
        made += [
            _arguments(call, "{}")
            for call in self._calls.values()
            if call.has_started and not call.has_arguments and not call.is_custom
        ]
        return made


def _arguments(call: StreamedCall, text: str) -> CallPiece:
    call.has_arguments = True
    return CallPiece(call, text)
