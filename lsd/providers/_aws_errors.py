"""Errors of AWS: a name, a sentence, and sometimes what the model behind it said."""

from collections.abc import Mapping
from typing import Any

from lsd.conversation import (
    TRANSIENT_KINDS,
    AttemptFailed,
    FailureKind,
    JsonValue,
    NotJson,
    decode_json,
)
from lsd.providers._error_bodies import shortened
from lsd.providers._http_errors import failed_answer, failure_of, kind_of

_STATUSES = {
    "AccessDeniedException": 403,
    "ExpiredTokenException": 403,
    "InternalDependencyException": 530,
    "InternalFailure": 500,
    "InternalServerException": 500,
    "InternalStreamFailure": 500,
    "InvalidSignatureException": 403,
    "ModelError": 424,
    "ModelErrorException": 424,
    "ModelNotReadyException": 429,
    "ModelStreamError": 424,
    "ModelStreamErrorException": 424,
    "ModelTimeoutException": 408,
    "RequestTimeTooSkewed": 403,
    "ResourceNotFoundException": 404,
    "ServiceQuotaExceededException": 400,
    "ServiceUnavailable": 503,
    "ServiceUnavailableException": 503,
    "ThrottlingException": 429,
    "UnrecognizedClientException": 403,
    "ValidationError": 400,
    "ValidationException": 400,
}
"""The HTTP statuses that names come with; streams tell the name alone.

Source: API references of Bedrock and SageMaker, autumn 2026."""

_KINDS: dict[str, FailureKind] = {
    "ModelStreamError": "server",
    "ServiceQuotaExceededException": "quota",
}
"""Names that mean something else than their status: a stream of a container that broke, or took
too long, may well hold the next time."""

_CLOCK_WORDS = ("Signature expired", "Signature not yet current", "RequestTimeTooSkewed")


def error_name(headers: Mapping[str, str], body: bytes) -> str:
    """The name of the error that an answer is; empty if it has none."""
    kind = headers.get("x-amzn-errortype") or _object(body).get("__type")
    return kind.partition(":")[0].rpartition("#")[2].strip() if isinstance(kind, str) else ""


def failed_call(
    provider_type: str, status: int, headers: Mapping[str, str], body: bytes
) -> AttemptFailed:
    """The failure that an answer with an error status stands for; header names lower-case."""
    name = error_name(headers, body)
    if not name:
        return failed_answer(provider_type, status, headers, body)
    return _failure(provider_type, status, name, headers, body)


def failed_in_stream(
    provider_type: str, name: str, headers: Mapping[str, str], payload: bytes
) -> AttemptFailed:
    """The failure that an exception in a stream stands for; `headers` are those of the answer."""
    return _failure(provider_type, _STATUSES.get(_capital(name)), name, headers, payload)


def _failure(
    provider_type: str,
    status: int | None,
    name: str,
    headers: Mapping[str, str],
    body: bytes,
) -> AttemptFailed:
    document = _object(body)
    raw = body.decode(errors="replace")
    what = "reported an error" if status is None else f"returned HTTP {status}"
    text = _text(document) or shortened(raw.strip()) or name
    failure = failure_of(f"{provider_type} {what}", status, text, {"code": name}, headers, raw)
    failure.kind = _kind(status, _capital(name), document)
    if any(words in f"{name} {text}" for words in _CLOCK_WORDS):
        failure.text += " (is the clock of this machine right?)"
    return failure


def _kind(status: int | None, name: str, document: Mapping[str, Any]) -> FailureKind:
    if name in _KINDS:
        return _KINDS[name]
    told = _STATUSES.get(name, status)
    if told is None:
        return "server"
    if told != 424:
        return kind_of(told, ())
    original = document.get("originalStatusCode", document.get("OriginalStatusCode"))
    behind = kind_of(original, ()) if isinstance(original, int) else "generation"
    return behind if behind in TRANSIENT_KINDS else "generation"


def _text(document: Mapping[str, Any]) -> str:
    """The sentence of the service, and that of the model if it is another one."""
    told = _first_text(document, "message", "Message")
    original = _first_text(document, "originalMessage", "OriginalMessage")
    if not original or original in told:
        return shortened(told)
    return shortened(f"{told} (original message: {original})" if told else original)


def _first_text(document: Mapping[str, Any], *names: str) -> str:
    found = (document.get(name) for name in names)
    return next((each for each in found if isinstance(each, str) and each.strip()), "")


def _capital(name: str) -> str:
    """The name as it is written outside of streams."""
    return name[:1].upper() + name[1:]


def _object(body: bytes) -> Mapping[str, JsonValue]:
    try:
        document = decode_json(body)
    except NotJson:
        return {}
    return document if isinstance(document, dict) else {}
