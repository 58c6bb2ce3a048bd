"""The JSON in which the offline provider is asked and answers, whole and as a stream of events."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import attrs

from lsd.conversation import (
    AttemptFailed,
    ContentChunk,
    CustomTool,
    FunctionTool,
    ModelChunk,
    ModelRequest,
    ModelResponse,
    OutputBlock,
    SpecificTool,
    StreamEvent,
    StreamFault,
    Text,
    TextChunk,
    ToolCall,
    ToolCallChunk,
    ToolSet,
    Usage,
    block_to_json,
    decode_json,
    encode_json,
)
from lsd.providers._event_stream import EventStream, ServerSentEvent
from lsd.providers.echo_reply import Reply

ARGUMENTS_PIECE_LENGTH = 16
"""Characters of a tool call's arguments in one event: so few that most calls come in several."""

_WORD = re.compile(r"\s{1,4096}|\S{1,4096}\s{0,4096}")
"""A word with the white space after it. Endless ones are cut, as events have a bound."""

_DONE = "[DONE]"


def request_json(request: ModelRequest, model_name: str) -> dict[str, Any]:
    """The neutral request, as it is shown; what is not set is left out."""
    shown: dict[str, Any] = {"model": model_name}
    if request.system is not None:
        shown["system"] = request.system
    shown["messages"] = [
        {"role": message.role, "content": [block_to_json(block) for block in message.content]}
        for message in request.messages
    ]
    if request.tools is not None:
        shown.update(_tools_json(request.tools))
    shown.update(request.params.set_values())
    if request.json_mode != "off":
        shown["json_mode"] = request.json_mode
    if request.output_schema is not None:
        shown["output_schema"] = request.output_schema
    if request.stream:
        shown["stream"] = True
    return shown


def _tools_json(tools: ToolSet) -> dict[str, Any]:
    shown: dict[str, Any] = {"tools": [_tool_json(tool) for tool in tools.tools]}
    choice = tools.choice
    shown["tool_choice"] = {"name": choice.name} if isinstance(choice, SpecificTool) else choice
    if tools.parallel is not None:
        shown["parallel_tool_calls"] = tools.parallel
    if tools.allowed is not None:
        shown["allowed_tools"] = list(tools.allowed)
    return shown


def _tool_json(tool: FunctionTool | CustomTool) -> dict[str, Any]:
    kind = "function" if isinstance(tool, FunctionTool) else "custom"
    set_fields = attrs.asdict(tool, recurse=False, filter=lambda _, value: value is not None)
    return {"type": kind, **set_fields}


def answer_json(reply: Reply, model_name: str) -> dict[str, Any]:
    """A whole answer; an empty text is no content."""
    content = [block_to_json(call) for call in reply.calls]
    if reply.text:
        content.append({"type": "text", "text": reply.text})
    return {"model": model_name, "content": content, **_ending(reply)}


def events_of(reply: Reply) -> list[bytes]:
    """A streamed answer, event by event; the last one has the usage, and the end mark after it."""
    events = [_event(encode_json({"content": piece})) for piece in _pieces(reply)]
    return [*events, _event(encode_json(_ending(reply))) + _event(_DONE.encode())]


def response_of(answer: Mapping[str, Any]) -> ModelResponse:
    """What a whole answer says. Raises KeyError or TypeError for what is none."""
    return ModelResponse(
        output=tuple(_block(each) for each in answer["content"]),
        usage=Usage(**answer["usage"]),
        raw_usage=answer["usage"],
        finish_reason=answer["finish_reason"],
        document=answer,
    )


@attrs.define(eq=False)
class EchoStream:
    """Reads the events that `play` writes."""

    ended: bool = attrs.field(default=False, init=False)
    _events: EventStream = attrs.field(factory=EventStream, init=False)

    def feed(self, data: bytes) -> list[StreamEvent]:
        found: list[StreamEvent] = []
        for event in self._events.feed(data):
            assert isinstance(event, ServerSentEvent), "events written in this process are whole"
            if event.data == _DONE:
                self.ended = True
            else:
                found.append(_chunk(event.data))
        return found

    def finish(self, *, cut: bool) -> list[StreamEvent]:
        if self.ended:
            return []
        self.ended = True
        how = "the connection broke" if cut else "its end mark is missing"
        failure = AttemptFailed(kind="transport", text=f"echo: stream ended too early; {how}")
        return [StreamFault(failure=failure, fatal=True)]


def _ending(reply: Reply) -> dict[str, Any]:
    usage = {
        "input_tokens": reply.usage.input_tokens,
        "output_tokens": reply.usage.output_tokens,
    }
    return {"finish_reason": reply.finish_reason, "usage": usage}


def _event(data: bytes) -> bytes:
    return b"data: " + data + b"\n\n"


def _pieces(reply: Reply) -> Iterator[dict[str, Any]]:
    """Text by words with the white space after them, arguments by characters."""
    for word in _WORD.findall(reply.text):
        yield {"type": "text", "id": "0", "text": word}
    for call in reply.calls:
        named = {"name": call.name}
        for start in range(0, len(call.arguments) or 1, ARGUMENTS_PIECE_LENGTH):
            piece = call.arguments[start : start + ARGUMENTS_PIECE_LENGTH]
            yield {"type": "tool_call", "id": call.id, **named, "arguments": piece}
            named = {}


def _block(shown: Mapping[str, Any]) -> OutputBlock:
    if shown["type"] == "text":
        return Text(text=shown["text"])
    return ToolCall(id=shown["id"], name=shown["name"], arguments=shown["arguments"])


def _chunk(data: str) -> ModelChunk:
    event = decode_json(data)
    if "content" in event:
        return ModelChunk(content=[_content_chunk(event["content"])], raw=data)
    return ModelChunk(
        usage=Usage(**event["usage"]),
        raw_usage=event["usage"],
        finish_reason=event["finish_reason"],
        raw=data,
    )


def _content_chunk(shown: Mapping[str, Any]) -> ContentChunk:
    if shown["type"] == "text":
        return TextChunk(id=shown["id"], text=shown["text"])
    return ToolCallChunk(
        id=shown["id"], raw_name=shown.get("name", ""), raw_arguments=shown["arguments"]
    )
