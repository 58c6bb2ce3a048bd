"""Pieces of tool calls as the deltas of a streamed chat completion.

Clients want the first piece of a call to name it whole, and all later ones to hold arguments only.
"""

from collections.abc import Mapping
from typing import Any

import attrs

from lsd.conversation import ToolCallChunk


@attrs.define(eq=False)
class _Call:
    index: int
    id: str
    is_custom: bool = False
    name: str = ""
    extras: dict[str, Any] = attrs.field(factory=dict)
    has_started: bool = False
    has_arguments: bool = False

    def start(self) -> dict[str, Any]:
        self.has_started = True
        kind, argument = ("custom", "input") if self.is_custom else ("function", "arguments")
        return {
            "index": self.index,
            "id": self.id,
            "type": kind,
            kind: {"name": self.name, argument: ""},
            **self.extras,
        }

    def piece(self, text: str) -> dict[str, Any]:
        self.has_arguments = True
        kind, argument = ("custom", "input") if self.is_custom else ("function", "arguments")
        return {"index": self.index, kind: {argument: text}}


@attrs.define(eq=False)
class ToolCallDeltas:
    """Words the calls of one answer; each item that it gives is one delta's only call."""

    custom_names: frozenset[str]
    _calls: dict[str, _Call] = attrs.field(factory=dict, init=False)
    _unnamed: _Call | None = attrs.field(default=None, init=False)
    """The call whose name may still grow."""

    def add(self, chunk: ToolCallChunk, extras: Mapping[str, Any]) -> list[dict[str, Any]]:
        """What a piece of a call adds; `extras` are further fields of the call."""
        made = [] if self._unnamed is None or self._unnamed.id == chunk.id else self.flush()
        call = self._calls.get(chunk.id)
        if call is None:
            call = self._calls[chunk.id] = _Call(len(self._calls), chunk.id)
            self._unnamed = call
        call.extras.update(extras)
        if not call.has_started:
            call.name += chunk.raw_name
        if chunk.raw_arguments:
            made += self.flush()
            made.append(call.piece(chunk.raw_arguments))
        return made

    def flush(self) -> list[dict[str, Any]]:
        """The start of the call whose name is whole, as something else follows it."""
        call, self._unnamed = self._unnamed, None
        if call is None:
            return []
        call.is_custom = call.name in self.custom_names
        return [call.start()]

    def end(self) -> list[dict[str, Any]]:
        """What is left at the end: calls without arguments have an empty object of them."""
        made = self.flush()
        made += [
            call.piece("{}")
            for call in self._calls.values()
            if not call.has_arguments and not call.is_custom
        ]
        return made
