"""What a provider's error answers mean: whose fault it was, and whether to try again."""

import math
import re
from collections.abc import Iterable, Mapping
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any

from lsd.conversation import AttemptFailed, FailureKind, JsonValue, NotJson, decode_json
from lsd.providers._error_bodies import codes_of, retry_delay_s, shortened, text_of

REQUEST_ID_HEADERS = (
    "x-request-id",
    "request-id",
    "apim-request-id",
    "x-generation-id",
    "mistral-correlation-id",
    "x-amzn-requestid",
    "cf-ray",
)

_QUOTA_CODES = frozenset(
    {"insufficient_quota", "credit_balance_exhausted", "billing_hard_limit_reached"}
)
_RATE_CODES = frozenset({"rate_limit_exceeded", "slow_down", "overloaded"})
_KEY_CODES = frozenset({"api_key_invalid"})
"""Words for a wrong key where the status does not say so: Google AI Studio answers 400."""
_GENERATION_CODES = frozenset({"tool_use_failed", "json_validate_failed"})
"""Words for "the model wrote something unusable", which another provider may do better."""

_ERROR_STATUS = re.compile(r"[45][0-9]{2}\Z")

_STATUS_KINDS: Mapping[int, FailureKind] = {
    401: "auth",
    402: "quota",
    403: "auth",
    408: "server",
    409: "server",
    424: "generation",
    425: "server",
    429: "rate_limited",
}


def failed_answer(
    provider_type: str, status: int, headers: Mapping[str, str], body: bytes
) -> AttemptFailed:
    """The failure that an answer with an error status stands for; header names lower-case."""
    shown = body.decode(errors="replace")
    try:
        value = decode_json(body)
    except NotJson:
        value = None
    text = text_of(value) or shortened(shown.strip()) or _reason_phrase(status)
    if 300 <= status < 400 and "location" in headers:
        text = f"{text} (redirects are not followed; Location: {headers['location']})"
    return failure_of(
        f"{provider_type} returned HTTP {status}", status, text, value, headers, shown
    )


def failed_inside(
    provider_type: str,
    value: JsonValue,
    headers: Mapping[str, str],
    raw: str,
    statuses: Mapping[str, int] | None = None,
) -> AttemptFailed:
    """The failure that an error object in a good answer, or in an event of a stream, stands for.

    `statuses` are the HTTP statuses for which a provider's own words stand.
    """
    codes = codes_of(value)
    status = _status_in(codes, statuses or {})
    text = text_of(value) or shortened(raw.strip())
    where = f"returned HTTP {status}" if status else "reported an error"
    failure = failure_of(f"{provider_type} {where}", status, text, value, headers, raw)
    if not codes and isinstance(value, dict) and isinstance(value.get("error"), str):
        # No API's error object: how LM Studio answers to a path that it does not have.
        failure.kind = "malformed"
    return failure


def undecodable(
    provider_type: str,
    reason: str,
    headers: Mapping[str, str],
    raw: str,
) -> AttemptFailed:
    """The failure of an answer that is not what it should be."""
    return AttemptFailed(
        kind="malformed",
        text=f"{provider_type} sent an answer that cannot be read: {reason}",
        request_id=request_id(headers),
        final=_is_final(headers),
        raw_response=raw,
    )


def object_in(provider_type: str, headers: Mapping[str, str], body: bytes) -> dict[str, Any]:
    """The JSON object that a whole answer is. Raises AttemptFailed."""
    try:
        document = decode_json(body)
    except NotJson as error:
        found = f"{headers.get('content-type', 'a body')} that is not JSON ({error})"
    else:
        if type(document) is dict:
            return document
        found = "no JSON object"
    raw = body.decode(errors="replace")
    reason = f"found {found}: {shortened(raw.strip())}"
    raise undecodable(provider_type, reason, headers, raw)


def ended_early(
    provider_type: str, headers: Mapping[str, str], *, after_content: bool, cut: bool, missing: str
) -> AttemptFailed:
    """The failure of a stream that ended before it was over; `missing` is what shows that."""
    when = "early" if after_content else "before first chunk"
    how = "the connection broke" if cut else f"there was {missing}"
    return AttemptFailed(
        kind="transport",
        text=f"{provider_type}: stream ended {when}; {how}",
        request_id=request_id(headers),
    )


def excerpt(body: bytes) -> str:
    """The beginning of a body, for an error text."""
    return shortened(body.decode(errors="replace").strip())


def request_id(headers: Mapping[str, str]) -> str | None:
    """The provider's name for the request, by which its operators find it."""
    return next((headers[name] for name in REQUEST_ID_HEADERS if headers.get(name)), None)


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Seconds that the provider asks to wait; None if it does not say, or not in earnest.

    A date counts from the answer's own `Date`, so that no clock here has to agree with it.
    """
    milliseconds = _seconds(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return milliseconds / 1000
    given = headers.get("retry-after")
    seconds = _seconds(given)
    if seconds is not None or given is None:
        return seconds
    try:
        wait = parsedate_to_datetime(given) - parsedate_to_datetime(headers.get("date", ""))
    except (ValueError, TypeError):
        return None
    return wait.total_seconds() if wait.total_seconds() > 0 else None


def _seconds(text: str | None) -> float | None:
    try:
        number = float(text or "")
    except ValueError:
        return None
    return number if math.isfinite(number) and number >= 0 else None


def kind_of(status: int, codes: Iterable[str]) -> FailureKind:
    """The kind of a failure by its status, and by the provider's words for it."""
    words = {code.lower() for code in codes}
    if status == 429 and any(word in _QUOTA_CODES or "spend" in word for word in words):
        return "quota"
    if status == 400 and words & _KEY_CODES:
        return "auth"
    if status == 400 and words & _GENERATION_CODES:
        return "generation"
    if status >= 500:
        return "server"
    return _STATUS_KINDS.get(status, "client_fault")


def _kind_of_words(codes: Iterable[str]) -> FailureKind:
    words = {code.lower() for code in codes}
    if any(word in _QUOTA_CODES or "spend" in word for word in words):
        return "quota"
    if words & _RATE_CODES:
        return "rate_limited"
    return "generation" if words & _GENERATION_CODES else "server"


def failure_of(
    what: str,
    status: int | None,
    text: str,
    value: JsonValue,
    headers: Mapping[str, str],
    raw: str,
) -> AttemptFailed:
    """A failure in the usual words: `what` has happened, `text` and `value` tell why."""
    identifier, codes, delay_s = request_id(headers), codes_of(value), retry_delay_s(value)
    code = codes[0] if codes else None
    told = f"{what}: {text}"
    if code is not None:
        told += f" [code: {code}]"
    if identifier is not None:
        told += f" [request_id: {identifier}]"
    return AttemptFailed(
        kind=kind_of(status, codes) if status else _kind_of_words(codes),
        text=told,
        message=text,
        status=status,
        code=code,
        request_id=identifier,
        retry_after_s=retry_after_s(headers) if delay_s is None else delay_s,
        final=_is_final(headers),
        raw_response=raw,
    )


def _is_final(headers: Mapping[str, str]) -> bool:
    return headers.get("x-should-retry", "").strip().lower() == "false"


def _status_in(codes: tuple[str, ...], statuses: Mapping[str, int]) -> int | None:
    for code in codes:
        if code in statuses:
            return statuses[code]
        if _ERROR_STATUS.match(code):
            return int(code)
    return None


def _reason_phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "no body"
