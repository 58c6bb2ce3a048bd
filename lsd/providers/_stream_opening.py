"""Which reader an answer gets that was to be a stream: by its status and its content type."""

from collections.abc import Callable, Mapping
from contextlib import suppress

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

_SERVER_SENT_EVENTS = "text/event-stream"


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
    if _has_type(headers, _SERVER_SENT_EVENTS):
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
    reported: Callable[[JsonValue, str], AttemptFailed | None] | None = None,
    content_type: str = _SERVER_SENT_EVENTS,
) -> StreamDecoder:
    """The reader of a stream for providers that answer with one, or with an error.

    `failed` reads the body of an error status; `reported` tells the error that a good one holds,
    decoded and as text, if it holds any. `content_type` is that of the provider's streams.
    """
    if not 200 <= status < 300:
        return failing(failed)
    if _has_type(headers, content_type):
        return stream()

    def fail(body: bytes) -> AttemptFailed:
        failure = None
        if reported is not None:
            with suppress(NotJson):
                failure = reported(decode_json(body), body.decode(errors="replace"))
        return failure or _no_stream(provider_type, headers, body, content_type)

    return failing(fail)


def _has_type(headers: Mapping[str, str], content_type: str) -> bool:
    return headers.get("content-type", "").strip().lower().startswith(content_type)


def _no_stream(
    provider_type: str,
    headers: Mapping[str, str],
    body: bytes,
    wanted: str = _SERVER_SENT_EVENTS,
) -> AttemptFailed:
    kind = headers.get("content-type") or "no content type"
    reason = f"found {kind}; wanted {wanted}: {excerpt(body)}"
    return undecodable(provider_type, reason, headers, body.decode(errors="replace"))
