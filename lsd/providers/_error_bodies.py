"""The words in the body of an error, in whichever of the usual shapes it comes."""

import re
from collections.abc import Mapping
from typing import Any, TypeGuard

from lsd.conversation import JsonValue, describe_json

_DURATION = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,9})?)s")
"""Source: the JSON form of google.protobuf.Duration."""

TEXT_LENGTH_MAX = 2000
"""Characters of a provider's text that an error shows; more of a page of HTML tells no more."""


def text_of(value: JsonValue) -> str:
    """The sentence in an error body, empty if there is none."""
    value = _unwrapped(value)
    if not isinstance(value, dict):
        return ""
    error = value.get("error")
    if isinstance(error, dict) and _is_text(error.get("message")):
        return shortened(error["message"]) + _details_of(error)
    for candidate in (error, value.get("message"), value.get("detail")):
        if _is_text(candidate):
            return shortened(candidate)
    return shortened(_validation_list(value.get("detail")))


def codes_of(value: JsonValue) -> tuple[str, ...]:
    """The provider's words for an error; the first is its code, later ones help to classify."""
    value = _unwrapped(value)
    if not isinstance(value, dict):
        return ()
    error = value.get("error")
    inner = error if isinstance(error, dict) else {}
    # Where the code is but the HTTP status, as in Google's errors, a word stands beside it.
    word = inner.get("status") if isinstance(inner.get("code"), int) else None
    found = (
        word,
        inner.get("code"),
        inner.get("type"),
        value.get("code"),
        value.get("error_type"),
        value.get("type"),
        *(each.get("reason") for each in _google_details(value)),
    )
    return tuple(
        str(each)
        for each in found
        if _is_text(each) or (isinstance(each, int | float) and not isinstance(each, bool))
    )


def retry_delay_s(value: JsonValue) -> float | None:
    """Seconds to wait, as the details of Google's errors tell them: `37s`, `0.5s`."""
    for each in _google_details(_unwrapped(value)):
        delay = each.get("retryDelay")
        if str(each.get("@type", "")).endswith("RetryInfo") and isinstance(delay, str):
            found = _DURATION.fullmatch(delay)
            if found is not None:
                return float(found[1])
    return None


def shortened(text: str) -> str:
    """`text` without what is beyond the bound."""
    return text if len(text) <= TEXT_LENGTH_MAX else text[:TEXT_LENGTH_MAX] + "…"


def _google_details(value: JsonValue) -> list[Mapping[str, Any]]:
    error = value.get("error") if isinstance(value, dict) else None
    details = error.get("details") if isinstance(error, dict) else None
    return [each for each in details if isinstance(each, dict)] if isinstance(details, list) else []


def _unwrapped(value: JsonValue) -> JsonValue:
    """Google wraps some error objects in an array."""
    return value[0] if isinstance(value, list) and len(value) == 1 else value


def _is_text(value: JsonValue) -> TypeGuard[str]:
    return isinstance(value, str) and bool(value.strip())


def _details_of(error: Mapping[str, Any]) -> str:
    """What stands beside the message and says more: Groq's failed text, Azure's policy."""
    told = ""
    if _is_text(error.get("failed_generation")):
        told += f" (failed_generation: {shortened(error['failed_generation'])})"
    inner = error.get("innererror")
    if isinstance(inner, dict) and _is_text(inner.get("code")):
        results = inner.get("content_filter_result")
        filtered = [
            name
            for name, each in (results.items() if isinstance(results, dict) else ())
            if isinstance(each, dict) and each.get("filtered") is True
        ]
        told += f" ({': '.join([inner['code'], *([', '.join(filtered)] if filtered else [])])})"
    return told


def _validation_list(detail: JsonValue) -> str:
    """`[{"loc": ["body", "x"], "msg": "…"}]`, as servers built on pydantic send it."""
    if not isinstance(detail, list):
        return ""
    told = []
    for each in detail:
        if not isinstance(each, dict):
            told.append(each if isinstance(each, str) else describe_json(each))
            continue
        place = each.get("loc")
        where = ".".join(map(str, place)) if isinstance(place, list) else str(place or "")
        message = each.get("msg") or each.get("message") or describe_json(each)
        told.append(f"{where}: {message}" if where else str(message))
    return "; ".join(told)
