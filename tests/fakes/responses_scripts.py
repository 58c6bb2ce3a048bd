"""Ready-made answers in the shape of OpenAI's Responses API."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import orjson

from tests.fakes.openai_scripts import answers
from tests.fakes.recorded import RecordedRequest
from tests.fakes.script import Chunked, Head, Header, Script, Step

USAGE = {
    "input_tokens": 10,
    "input_tokens_details": {"cached_tokens": 4},
    "output_tokens": 5,
    "output_tokens_details": {"reasoning_tokens": 0},
    "total_tokens": 15,
}
"""What an answer says it has used."""

Item = Mapping[str, Any]
Event = Mapping[str, Any]


def message(text: str) -> Item:
    """The item of a text."""
    part = {"type": "output_text", "text": text, "annotations": []}
    return {"id": "msg_1", "type": "message", "role": "assistant", "content": [part]}


def gives(*items: Item) -> Callable[[RecordedRequest], Script]:
    """Answers these items, whole or streamed as the request wants them."""

    def answer(request: RecordedRequest) -> Script:
        if request.json().get("stream") is not True:
            return answers(_response(items))
        told = [event for place, item in enumerate(items) for event in _told(item, place)]
        return streams([*told, {"type": "response.completed", "response": _response(items)}])

    return answer


def says(text: str) -> Callable[[RecordedRequest], Script]:
    """Answers `text`: whole, or in two pieces to a request that wants a stream."""
    return gives(message(text))


def streams(events: Sequence[Event]) -> Script:
    """A stream of these events, which has no end mark."""
    steps: list[Step] = [Header("Content-Type", "text/event-stream"), Head()]
    steps += [
        Chunked(b"event: %b\ndata: %b\n\n" % (event["type"].encode(), orjson.dumps(event)))
        for event in events
    ]
    return Script(tuple(steps))


def _response(items: Sequence[Item]) -> dict[str, Any]:
    return {
        "id": "resp_fake",
        "object": "response",
        "status": "completed",
        "error": None,
        "incomplete_details": None,
        "output": list(items),
        "usage": USAGE,
    }


def _told(item: Item, place: int) -> list[Event]:
    """The events that an item comes in."""
    here = {"output_index": place, "item_id": item["id"]}
    added = {"type": "response.output_item.added", "output_index": place, "item": item}
    done = {**added, "type": "response.output_item.done"}
    if item["type"] == "message":
        text = item["content"][0]["text"]
        half = len(text) // 2
        kind = {"type": "response.output_text.delta", "content_index": 0, **here}
        return [added, {**kind, "delta": text[:half]}, {**kind, "delta": text[half:]}, done]
    if item["type"] == "function_call":
        kind = {"type": "response.function_call_arguments.delta", **here}
        return [added, {**kind, "delta": item["arguments"]}, done]
    return [added, done]
