"""Ready-made answers in the shape of OpenAI's chat completions."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import orjson

from tests.fakes.recorded import RecordedRequest
from tests.fakes.script import (
    Body,
    Chunked,
    Delay,
    Fin,
    Hang,
    Head,
    Header,
    Rst,
    Script,
    Status,
    Step,
)

USAGE = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
"""What an answer says it has used, unless told otherwise."""

CREATED = 1_700_000_000
"""The time at which every fake answer was made."""

PIECES = ("An", " old", " silent", " pond")
"""What a stream says when a test cares only for how it ends."""

Payload = Mapping[str, Any] | str | bytes
"""One event of a stream: JSON, or its data as it is."""


def says(
    text: str, *, usage: Mapping[str, Any] | None = USAGE, delay_ms: float = 0
) -> Callable[[RecordedRequest], Script]:
    """Answers `text`: whole, or word by word to a request that wants a stream."""

    def answer(request: RecordedRequest) -> Script:
        if _wants_stream(request):
            words = [word + " " for word in text.split(" ")]
            words[-1] = words[-1].removesuffix(" ")
            return _after(delay_ms, streams(words, usage=usage))
        return _after(delay_ms, completes({"role": "assistant", "content": text}, usage=usage))

    return answer


def tool_call(
    name: str,
    arguments: Mapping[str, Any] | str,
    *,
    call_id: str = "call_1",
    usage: Mapping[str, Any] | None = USAGE,
) -> Callable[[RecordedRequest], Script]:
    """Calls one tool: whole, or with its arguments in pieces of eight characters."""
    text = arguments if isinstance(arguments, str) else orjson.dumps(arguments).decode()
    head = {"id": call_id, "type": "function", "function": {"name": name, "arguments": ""}}

    def answer(request: RecordedRequest) -> Script:
        if not _wants_stream(request):
            call = {**head, "function": {"name": name, "arguments": text}}
            message = {"role": "assistant", "content": None, "tool_calls": [call]}
            return completes(message, usage=usage, finish_reason="tool_calls")
        pieces = [text[start : start + 8] for start in range(0, len(text), 8)]
        deltas: list[Mapping[str, Any]] = [{"tool_calls": [{"index": 0, **head}]}]
        deltas += [
            {"tool_calls": [{"index": 0, "function": {"arguments": piece}}]} for piece in pieces
        ]
        return events([*map(chunk, deltas), *_ending("tool_calls", usage)])

    return answer


def completes(
    message: Mapping[str, Any],
    *,
    usage: Mapping[str, Any] | None = USAGE,
    finish_reason: str | None = "stop",
) -> Script:
    """A whole completion with this message."""
    body: dict[str, Any] = {
        "id": "chatcmpl-fake",
        "object": "chat.completion",
        "created": CREATED,
        "model": "fake-model",
        "choices": [{"index": 0, "message": message, "finish_reason": finish_reason}],
    }
    return answers(body if usage is None else {**body, "usage": usage})


def embeds(vectors: Sequence[Sequence[float]]) -> Script:
    """These vectors, whatever was asked."""
    data = [
        {"object": "embedding", "index": index, "embedding": list(vector)}
        for index, vector in enumerate(vectors)
    ]
    usage = {"prompt_tokens": 10, "total_tokens": 10}
    return answers({"object": "list", "data": data, "model": "fake-model", "usage": usage})


def answers(
    body: Mapping[str, Any] | str | bytes,
    *,
    status: int = 200,
    content_type: str = "application/json",
    headers: Mapping[str, str] | None = None,
) -> Script:
    """Any whole answer."""
    return Script(
        (
            Status(status),
            Header("Content-Type", content_type),
            *(Header(name, value) for name, value in (headers or {}).items()),
            Body(_encoded(body)),
        )
    )


def fails(
    status: int,
    body: Mapping[str, Any] | str | bytes | None = None,
    headers: Mapping[str, str] | None = None,
) -> Script:
    """An error; without `body`, one in the provider's shape that names the status."""
    if body is None:
        body = {"error": {"message": f"fake {status}", "type": "fake_error", "code": None}}
    content_type = "application/json" if isinstance(body, Mapping) else "text/html"
    return answers(body, status=status, content_type=content_type, headers=headers)


def streams(
    pieces: Sequence[str],
    *,
    usage: Mapping[str, Any] | None = None,
    gap_ms: float = 0,
    first_ms: float = 0,
    finish_reason: str = "stop",
) -> Script:
    """A text in pieces, `gap_ms` apart, the first one `first_ms` after the head."""
    texts = [chunk({"role": "assistant", "content": ""}), *_texts(pieces)]
    return events([*texts, *_ending(finish_reason, usage)], gap_ms=gap_ms, first_ms=first_ms)


def cut_after(chunks: int, *, pieces: Sequence[str] = PIECES, reset: bool = False) -> Script:
    """A stream that breaks after so many chunks of text, without any ending."""
    sent = events(_texts(pieces[:chunks]), done=False).steps
    return Script((*sent, Rst() if reset else Fin()))


def malformed_chunk_at(number: int, *, pieces: Sequence[str] = PIECES) -> Script:
    """A stream whose `number`-th chunk, from 1, is not JSON; the rest is in order."""
    payloads: list[Payload] = list(_texts(pieces))
    payloads.insert(number - 1, '{"choices": [')
    return events([*payloads, *_ending("stop", None)])


def hangs(*, after_head: bool = False) -> Script:
    """Never answers; `after_head`: begins a stream and then says nothing."""
    head: tuple[Step, ...] = (Header("Content-Type", "text/event-stream"), Head())
    return Script((*head, Hang()) if after_head else (Hang(),))


def drops(*, reset: bool = False) -> Script:
    """Closes the connection before a byte of the answer."""
    return Script((Rst() if reset else Fin(),))


def events(
    payloads: Sequence[Payload], *, gap_ms: float = 0, first_ms: float = 0, done: bool = True
) -> Script:
    """A stream of server-sent events, one chunk each, the head at once; `[DONE]` if `done`."""
    steps: list[Step] = [Header("Content-Type", "text/event-stream"), Head()]
    for place, payload in enumerate([*payloads, *(["[DONE]"] if done else [])]):
        pause_ms = gap_ms if place else first_ms
        if pause_ms:
            steps.append(Delay(pause_ms))
        steps.append(Chunked(b"data: " + _encoded(payload) + b"\n\n"))
    return Script(tuple(steps))


def chunk(
    delta: Mapping[str, Any],
    *,
    finish_reason: str | None = None,
    usage: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """One `chat.completion.chunk`."""
    made: dict[str, Any] = {
        "id": "chatcmpl-fake",
        "object": "chat.completion.chunk",
        "created": CREATED,
        "model": "fake-model",
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish_reason}],
    }
    return made if usage is None else {**made, "usage": usage}


def _texts(pieces: Sequence[str]) -> list[dict[str, Any]]:
    return [chunk({"content": piece}) for piece in pieces]


def _ending(finish_reason: str, usage: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    last = chunk({}, finish_reason=finish_reason)
    return [last] if usage is None else [last, {**chunk({}, usage=usage), "choices": []}]


def _after(delay_ms: float, script: Script) -> Script:
    return Script((Delay(delay_ms), *script.steps)) if delay_ms else script


def _wants_stream(request: RecordedRequest) -> bool:
    return bool(request.body) and request.json().get("stream") is True


def _encoded(payload: Payload) -> bytes:
    if isinstance(payload, Mapping):
        return orjson.dumps(payload)
    return payload.encode() if isinstance(payload, str) else payload
