"""Which reader an answer gets that was to be a stream: by its status and its content type."""

from collections.abc import Callable, Mapping

from lsd.conversation import (
    AttemptFailed,
    JsonValue,
    ModelChunk,
    NotJson,
    StreamEvent,
    decode_json,
)
from lsd.providers._http_errors import excerpt, failed_answer, undecodable
from lsd.providers._whole_body import ANSWER_BYTES_MAX, WholeBody, failing
from lsd.providers.dialect import StreamDecoder


def opened_stream(
    provider_type: str,
    status: int,
    headers: Mapping[str, str],
    *,
    stream: Callable[[], StreamDecoder],
    whole: Callable[[bytes], ModelChunk],
) -> StreamDecoder:
    """The reader of a stream, or of what has come instead.

    `whole` reads an answer that some servers give in one piece though a stream was asked for.
    """
    if not 200 <= status < 300:
        return failing(lambda body: failed_answer(provider_type, status, headers, body))
    if _is_event_stream(headers):
        return stream()

    def decode(body: bytes, is_whole: bool) -> list[StreamEvent]:
        if not is_whole:
            raise AttemptFailed(
                kind="transport",
                text=f"{provider_type}: stream ended before first chunk; the answer was cut",
                raw_response=body.decode(errors="replace"),
            )
        return [whole(body)]

    kind = headers.get("content-type", "").partition(";")[0]
    if kind.strip().lower() == "application/json":
        return WholeBody(decode, ANSWER_BYTES_MAX)
    return failing(lambda body: _no_stream(provider_type, headers, body))


def opened_events(
    provider_type: str,
    status: int,
    headers: Mapping[str, str],
    *,
    stream: Callable[[], StreamDecoder],
    failed: Callable[[bytes], AttemptFailed],
    reported: Callable[[JsonValue, str], AttemptFailed | None],
) -> StreamDecoder:
    """The reader of a stream for providers that answer with one, or with an error.

    `failed` reads the body of an error status; `reported` tells the error that a good one holds,
    decoded and as text, if it holds any.
    """
    if not 200 <= status < 300:
        return failing(failed)
    if _is_event_stream(headers):
        return stream()

    def fail(body: bytes) -> AttemptFailed:
        try:
            failure = reported(decode_json(body), body.decode(errors="replace"))
        except NotJson:
            failure = None
        return failure or _no_stream(provider_type, headers, body)

    return failing(fail)


def _is_event_stream(headers: Mapping[str, str]) -> bool:
    return headers.get("content-type", "").strip().lower().startswith("text/event-stream")


def _no_stream(provider_type: str, headers: Mapping[str, str], body: bytes) -> AttemptFailed:
    kind = headers.get("content-type") or "no content type"
    reason = f"found {kind}; wanted text/event-stream: {excerpt(body)}"
    return undecodable(provider_type, reason, headers, body.decode(errors="replace"))
