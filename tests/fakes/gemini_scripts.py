"""Ready-made answers in the shape of Gemini's, at AI Studio and at Vertex AI alike."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tests.fakes.openai_scripts import answers, events
from tests.fakes.recorded import RecordedRequest
from tests.fakes.script import Chunked, Script

USAGE = {
    "promptTokenCount": 35,
    "cachedContentTokenCount": 20,
    "candidatesTokenCount": 4,
    "thoughtsTokenCount": 26,
    "totalTokenCount": 65,
}
"""What an answer says it has used: 35 in, 20 of them cached; 30 out, 26 of them thoughts."""

Part = Mapping[str, Any]
Event = Mapping[str, Any]


def says(text: str) -> Callable[[RecordedRequest], Script]:
    """Answers `text`: whole, or word by word to a request that wants a stream."""
    return gives([{"text": text}])


def gives(parts: Sequence[Part], *, finish: str = "STOP") -> Callable[[RecordedRequest], Script]:
    """Answers these parts, whole or streamed as the request wants them."""

    def answer(request: RecordedRequest) -> Script:
        if request.path.endswith(":streamGenerateContent"):
            return streams([*told(parts), ending(finish)])
        return whole(parts, finish=finish)

    return answer


def whole(parts: Sequence[Part], *, finish: str = "STOP") -> Script:
    """A whole answer of these parts."""
    return answers(event(*parts, finish=finish, usage=USAGE))


def fails(
    status: int,
    word: str,
    message: str = "not now",
    *details: Any,
    headers: Mapping[str, str] | None = None,
) -> Script:
    """An error in Google's shape."""
    return answers(error(status, word, message, *details), status=status, headers=headers)


def error(status: int, word: str, message: str = "not now", *details: Any) -> Event:
    """The object that reports an error."""
    told: dict[str, Any] = {"code": status, "message": message, "status": word}
    return {"error": {**told, "details": list(details)} if details else told}


def streams(payloads: Sequence[Event | str | bytes], *, bare: bytes = b"") -> Script:
    """A stream of these events, one chunk each, and then bytes that are no event."""
    script = events(payloads, done=False)
    return Script((*script.steps, Chunked(bare))) if bare else script


def told(parts: Sequence[Part]) -> list[Event]:
    """The events of these parts: texts word by word, calls whole, each with the counts so far."""
    usage = {"promptTokenCount": USAGE["promptTokenCount"]}
    pieces = [piece for part in parts for piece in _pieces_of(part)]
    return [event(piece, usage=usage) for piece in pieces]


def ending(finish: str = "STOP") -> Event:
    """The event that ends an answer."""
    return event(finish=finish, usage=USAGE)


def event(*parts: Part, finish: str | None = None, usage: Any = None) -> Event:
    """One event, or a whole answer, of these parts."""
    candidate: dict[str, Any] = {"content": {"role": "model", "parts": list(parts)}, "index": 0}
    if finish is not None:
        candidate["finishReason"] = finish
    made: dict[str, Any] = {"candidates": [candidate]}
    if usage is not None:
        made["usageMetadata"] = usage
    return {**made, "modelVersion": "gemini-fake", "responseId": "fake"}


def _pieces_of(part: Part) -> list[Part]:
    if "text" not in part:
        return [part]
    words = part["text"].split(" ")
    pieces = [*(f"{word} " for word in words[:-1]), words[-1]]
    rest = {key: part[key] for key in part if key not in ("text", "thoughtSignature")}
    made: list[Part] = [{"text": piece, **rest} for piece in pieces]
    if "thoughtSignature" in part:
        made[-1] = {**made[-1], "thoughtSignature": part["thoughtSignature"]}
    return made
