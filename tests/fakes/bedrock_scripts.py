"""Ready-made answers in the shape of Bedrock and of SageMaker, for requests that are signed."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import orjson

from tests.fakes.aws_frames import event
from tests.fakes.aws_signatures import is_well_signed
from tests.fakes.openai_scripts import answers
from tests.fakes.recorded import RecordedRequest
from tests.fakes.script import Answer, Body, Chunked, Head, Header, Script, Step

USAGE = {
    "inputTokens": 10,
    "outputTokens": 30,
    "totalTokens": 40,
    "cacheReadInputTokens": 20,
    "cacheWriteInputTokens": 5,
}
"""What an answer says it has used: 35 in all, 20 of them from the cache, 5 written to it."""

EVENT_STREAM = "application/vnd.amazon.eventstream"

Content = Sequence[Mapping[str, Any]]


def signed(answer: Answer, secret_access_key: str) -> Answer:
    """The answer, to requests that AWS would take; all others are refused as AWS does it."""

    def checked(request: RecordedRequest) -> Script:
        url = f"http://{request.headers['host']}{request.target}"
        if not is_well_signed(
            request.method, url, request.headers, request.body, secret_access_key
        ):
            return fails(403, "InvalidSignatureException", "The request signature is wrong")
        return answer if isinstance(answer, Script) else answer(request)

    return checked


def says(text: str) -> Callable[[RecordedRequest], Script]:
    """Answers `text`: whole, or word by word to a request that wants a stream."""
    return gives([{"text": text}])


def gives(
    content: Content, *, stop_reason: str = "end_turn"
) -> Callable[[RecordedRequest], Script]:
    """Answers these blocks, whole or streamed as the request wants them."""

    def answer(request: RecordedRequest) -> Script:
        if request.path.endswith("/converse-stream"):
            return streams([*opened(content), *ending(stop_reason)])
        return whole(content, stop_reason=stop_reason)

    return answer


def whole(content: Content, *, stop_reason: str = "end_turn") -> Script:
    """A whole message of these blocks."""
    return answers(
        {
            "output": {"message": {"role": "assistant", "content": content}},
            "stopReason": stop_reason,
            "usage": USAGE,
            "metrics": {"latencyMs": 1},
        }
    )


def fails(status: int, name: str, message: str = "not now", **headers: str) -> Script:
    """An error of AWS."""
    told = {"x-amzn-errortype": f"{name}:http://internal.amazon.com/", "x-amzn-requestid": "r-1"}
    more = {each.replace("_", "-"): value for each, value in headers.items()}
    return answers({"message": message}, status=status, headers={**told, **more})


def streams(frames: Iterable[bytes]) -> Script:
    """A stream of these messages after the one that opens it, one chunk each."""
    return stream_of(event("messageStart", {"role": "assistant"}), *frames)


def stream_of(*frames: bytes) -> Script:
    """A stream of these messages and no other, one chunk each."""
    steps: list[Step] = [Header("Content-Type", EVENT_STREAM), Head()]
    return Script((*steps, *map(Chunked, frames)))


def opened(content: Content) -> list[bytes]:
    """The events of these blocks: texts word by word, input in pieces of eight characters."""
    return [frame for index, block in enumerate(content) for frame in _events_of(index, block)]


def ending(stop_reason: str = "end_turn") -> list[bytes]:
    """The events that end a message."""
    return [
        event("messageStop", {"stopReason": stop_reason}),
        event("metadata", {"usage": USAGE, "metrics": {"latencyMs": 1}}),
    ]


def hosts(answer: Callable[[RecordedRequest], Script]) -> Callable[[RecordedRequest], Script]:
    """What an endpoint of SageMaker answers that hosts what answers so."""

    def passed_on(request: RecordedRequest) -> Script:
        script = answer(request)
        wants_stream = request.path.endswith("/invocations-response-stream")
        return hosted(script) if wants_stream else script

    return passed_on


def hosted(script: Script) -> Script:
    """What a container has streamed, as SageMaker passes it on, 11 bytes in each message."""
    data = b"".join(step.data for step in script.steps if isinstance(step, Chunked | Body))
    pieces = [data[place : place + 11] for place in range(0, len(data), 11)]
    return stream_of(*(event("PayloadPart", piece) for piece in pieces))


def _events_of(index: int, block: Mapping[str, Any]) -> list[bytes]:
    place = {"contentBlockIndex": index}
    start: dict[str, Any] | None = None
    match block:
        case {"text": text}:
            words = text.split(" ")
            pieces = [*(f"{word} " for word in words[:-1]), words[-1]]
            deltas: list[Any] = [{"text": piece} for piece in pieces]
        case {"toolUse": call}:
            start = {"toolUse": {"toolUseId": call["toolUseId"], "name": call["name"]}}
            text = _compact(call["input"])
            pieces = [text[at : at + 8] for at in range(0, len(text), 8)]
            deltas = [{"toolUse": {"input": piece}} for piece in pieces]
        case {"reasoningContent": {"reasoningText": told}}:
            deltas = [
                {"reasoningContent": {"text": told["text"]}},
                {"reasoningContent": {"signature": told["signature"]}},
            ]
        case _:
            raise AssertionError(f"no block of Bedrock: {block}")
    opening = [] if start is None else [event("contentBlockStart", {**place, "start": start})]
    told = [event("contentBlockDelta", {**place, "delta": each, "p": "ab"}) for each in deltas]
    return [*opening, *told, event("contentBlockStop", place)]


def _compact(value: Any) -> str:
    return orjson.dumps(value).decode()
