"""Streamed tool calls put together: which call a delta belongs to, and what it adds.

Servers disagree about indexes and ids: some number the calls, some send index 0 or null for all
of them, some repeat the id and the name in each delta, some send no id at all.
"""

from collections.abc import Callable, Mapping
from typing import Any

import attrs

from lsd.conversation import JsonValue, LsdError, ToolCallChunk, encode_json


@attrs.frozen
class BadToolCall(LsdError):
    """A tool call, or a delta of one, that cannot be understood."""

    reason: str

    def __str__(self) -> str:
        return self.reason


def arguments_text(value: JsonValue) -> str:
    """Arguments as text: an object, as some servers send it, becomes compact JSON.

    Raises BadToolCall for a value nested too deeply to be written.
    """
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    try:
        return encode_json(value).decode()
    except TypeError as error:
        raise BadToolCall(f"found tool arguments without a JSON form: {error}") from error


def identifier_of(item: Mapping[str, Any]) -> str:
    """The id of a tool call, empty if it has none; a number counts as its digits."""
    found = item.get("id")
    return str(found) if isinstance(found, str | int) and not isinstance(found, bool) else ""


def called(item: Mapping[str, Any]) -> tuple[str, JsonValue]:
    """The name and the arguments in a call of a function or of a custom tool."""
    function = item.get("function")
    if isinstance(function, dict):
        name, arguments = function.get("name"), function.get("arguments")
    elif isinstance(custom := item.get("custom"), dict):
        name, arguments = custom.get("name"), custom.get("input")
    else:
        name = arguments = None
    return name if isinstance(name, str) else "", arguments


@attrs.define(eq=False)
class _Call:
    id: str
    given_id: str
    """What the server calls it; two of its calls may have the same."""
    name: str
    has_arguments: bool


@attrs.define(eq=False)
class ToolCallSlots:
    """The tool calls of one stream; `new_id` names those that the server leaves without an id."""

    new_id: Callable[[], str]
    _slots: dict[int, _Call] = attrs.field(factory=dict, init=False)
    _calls: dict[str, _Call] = attrs.field(factory=dict, init=False)
    _newest: int = attrs.field(default=0, init=False)

    def take(self, item: JsonValue) -> ToolCallChunk | None:
        """What one element of `delta.tool_calls` adds, if anything. Raises BadToolCall."""
        if not isinstance(item, dict):
            raise BadToolCall("found a tool call that is not an object")
        identifier = identifier_of(item)
        name, arguments = called(item)
        place = self._place(item.get("index"), identifier)
        call = self._slots.get(place)
        if call is None or (identifier and identifier != call.given_id):
            known = self._calls.get(identifier)
            if known is None or (call is None and name):
                return self._start(place, identifier, name, arguments_text(arguments))
            # One index for all calls, and this one was pushed aside by another.
            call = self._slots[place] = known
        return self._continue(call, name, arguments)

    def nameless(self) -> list[str]:
        """The ids of calls that never got a name."""
        return [call.id for call in self._calls.values() if not call.name]

    def _place(self, index: JsonValue, identifier: str) -> int:
        if isinstance(index, int) and not isinstance(index, bool):
            return index
        for place, call in self._slots.items():
            if identifier and call.given_id == identifier:
                return place
        return self._newest

    def _start(self, place: int, identifier: str, name: str, arguments: str) -> ToolCallChunk:
        if not identifier and not name:
            raise BadToolCall(f"found more of tool call {place}, which was never begun")
        # Pieces of an answer are joined by id, so that no two calls may share one.
        own = identifier if identifier and identifier not in self._calls else self.new_id()
        call = _Call(own, identifier, name, bool(arguments))
        self._slots[place] = self._calls[own] = call
        self._newest = place
        return ToolCallChunk(id=own, raw_name=name, raw_arguments=arguments)

    def _continue(self, call: _Call, name: str, arguments: JsonValue) -> ToolCallChunk | None:
        piece = ""
        if name and name != call.name and not (call.name and call.has_arguments):
            piece = name
            call.name += name
        if call.has_arguments and not isinstance(arguments, str):
            # An object is whole; sent once more it would spoil what is there.
            arguments = None
        more = arguments_text(arguments)
        if not piece and not more:
            return None
        call.has_arguments = call.has_arguments or bool(more)
        return ToolCallChunk(id=call.id, raw_name=piece, raw_arguments=more)
