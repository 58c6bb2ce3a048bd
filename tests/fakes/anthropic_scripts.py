"""Ready-made answers in the shape of Anthropic's Messages."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import orjson

from tests.fakes.openai_scripts import answers
from tests.fakes.recorded import RecordedRequest
from tests.fakes.script import Chunked, Head, Header, Script, Step

USAGE = {
    "input_tokens": 10,
    "cache_creation_input_tokens": 5,
    "cache_read_input_tokens": 20,
    "output_tokens": 30,
}
"""What an answer says it has used: 35 in all, 20 of them from the cache, 5 written to it."""

Event = Mapping[str, Any]
Content = Sequence[Mapping[str, Any]]


def says(text: str) -> Callable[[RecordedRequest], Script]:
    """Answers `text`: whole, or word by word to a request that wants a stream."""
    return gives([{"type": "text", "text": text}])


def gives(
    content: Content, *, stop_reason: str = "end_turn"
) -> Callable[[RecordedRequest], Script]:
    """Answers these blocks, whole or streamed as the request wants them."""

    def answer(request: RecordedRequest) -> Script:
        if request.json().get("stream") is True:
            return streams([*opened(content), *ending(stop_reason)])
        return whole(content, stop_reason=stop_reason)

    return answer


def whole(content: Content, *, stop_reason: str = "end_turn") -> Script:
    """A whole message of these blocks."""
    return answers(
        {
            "id": "msg_fake",
            "type": "message",
            "role": "assistant",
            "model": "claude-fake",
            "content": content,
            "stop_reason": stop_reason,
            "stop_sequence": None,
            "usage": USAGE,
        }
    )


def fails(status: int, kind: str, message: str = "not now") -> Script:
    """An error in Anthropic's shape."""
    body = {"type": "error", "error": {"type": kind, "message": message}}
    return answers(body, status=status, headers={"request-id": "req_fake"})


def streams(events: Sequence[Event]) -> Script:
    """A stream of these events after the one that opens it, one chunk each."""
    steps: list[Step] = [Header("Content-Type", "text/event-stream; charset=utf-8"), Head()]
    usage = {**USAGE, "output_tokens": 1}
    message = {
        "id": "msg_fake",
        "type": "message",
        "role": "assistant",
        "model": "claude-fake",
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": usage,
    }
    for event in [{"type": "message_start", "message": message}, *events]:
        kind = str(event["type"]).encode()
        steps.append(Chunked(b"event: %s\ndata: %s\n\n" % (kind, orjson.dumps(event))))
    return Script(tuple(steps))


def opened(content: Content) -> list[Event]:
    """The events of these blocks: texts word by word, input in pieces of eight characters."""
    return [event for index, block in enumerate(content) for event in _events_of(index, block)]


def ending(stop_reason: str = "end_turn") -> list[Event]:
    """The events that end a message."""
    delta = {"stop_reason": stop_reason, "stop_sequence": None}
    usage = {"output_tokens": USAGE["output_tokens"]}
    return [{"type": "message_delta", "delta": delta, "usage": usage}, {"type": "message_stop"}]


def error(kind: str, message: str = "not now") -> Event:
    """The event that reports an error."""
    return {"type": "error", "error": {"type": kind, "message": message}}


def _events_of(index: int, block: Mapping[str, Any]) -> list[Event]:
    match block["type"]:
        case "text":
            start = {**block, "text": ""}
            words = block["text"].split(" ")
            pieces = [*(f"{word} " for word in words[:-1]), words[-1]]
            deltas = [{"type": "text_delta", "text": piece} for piece in pieces]
        case "thinking":
            start = {"type": "thinking", "thinking": "", "signature": ""}
            deltas = [
                {"type": "thinking_delta", "thinking": block["thinking"]},
                {"type": "signature_delta", "signature": block["signature"]},
            ]
        case "tool_use":
            start = {**block, "input": {}}
            text = orjson.dumps(block["input"]).decode()
            pieces = [text[place : place + 8] for place in range(0, len(text), 8)]
            deltas = [{"type": "input_json_delta", "partial_json": piece} for piece in pieces]
        case _:
            start, deltas = dict(block), []
    return [
        {"type": "content_block_start", "index": index, "content_block": start},
        *({"type": "content_block_delta", "index": index, "delta": each} for each in deltas),
        {"type": "content_block_stop", "index": index},
    ]
