"""A request from draft to bytes: the edits of operators and callers, then JSON, once."""

import re
from collections.abc import Mapping
from typing import Any

from lsd import __version__
from lsd.conversation import (
    NOTHING_DERIVED,
    UNSUPPORTED_CODE,
    AttemptFailed,
    BodyEdit,
    Edits,
    HeaderEdit,
    WireRequest,
    encode_json,
)
from lsd.providers.json_pointer import BadPointer, with_value, without
from lsd.telemetry import logger

log = logger(__name__)

USER_AGENT = f"LSD/{__version__}"

_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+\Z")
_HEADER_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*\Z")
"""What a header may hold; a line end would let a value write headers of its own. RFC 9110, 5.5."""

_KNOWN_NAMES = frozenset(
    {"Accept", "Accept-Encoding", "Authorization", "Content-Type", "User-Agent", "x-api-key"}
)
"""Of nearly every request; so one look at all of them is enough."""


class SendableHeaders(dict[str, str]):
    """Headers that were checked when they were made, for many requests: nobody changes them."""


def checked(headers: Mapping[str, str]) -> Mapping[str, str]:
    """The same as SendableHeaders, or as they are, so that each request with them is refused."""
    return headers if _fault_of(headers) is not None else SendableHeaders(headers)


def seal(
    url: str,
    headers: Mapping[str, str],
    body: Any,
    edits: Edits,
    provider_type: str,
    *,
    prefill: str = "",
    left_out: tuple[str, ...] = (),
    derived: Mapping[str, str] = NOTHING_DERIVED,
) -> WireRequest:
    """The request as it is sent; `prefill`, `left_out` and `derived` are as WireRequest has them.

    Raises AttemptFailed (config) for an edit that cannot be made.
    """
    for edit in edits.body:
        body = _edited_body(body, edit, provider_type)
    is_anonymous = False
    if edits.headers:
        headers = dict(headers)
        for each in edits.headers:
            _edit_headers(headers, each)
        is_anonymous = _is_anonymous(headers, edits)
    if type(headers) is not SendableHeaders and (reason := _fault_of(headers)) is not None:
        raise AttemptFailed(kind="config", text=f"{provider_type}: {reason}")
    try:
        data = encode_json(body)
    except TypeError as error:
        # Deeper than the encoder goes, or an integer beyond 64 bits.
        text = f"{provider_type}: the body has no JSON form: {error}"
        raise AttemptFailed(kind="config", text=text, code=UNSUPPORTED_CODE) from error
    return WireRequest("POST", url, headers, data, prefill, is_anonymous, left_out, derived)


def _edited_body(body: Any, edit: BodyEdit, provider_type: str) -> Any:
    try:
        if not edit.delete:
            return with_value(body, edit.pointer, edit.value)
        body, found = without(body, edit.pointer)
    except BadPointer as error:
        text = f"{provider_type}: extra_body: {error}"
        raise AttemptFailed(kind="config", text=text, code=UNSUPPORTED_CODE) from error
    if not found:
        log.warning(
            "extra_body deletes something that is not there",
            provider_type=provider_type,
            pointer=edit.pointer,
        )
    return body


def _edit_headers(headers: dict[str, str], edit: HeaderEdit) -> None:
    wanted = edit.name.lower()
    for name in [name for name in headers if name.lower() == wanted]:
        del headers[name]
    if not edit.delete:
        headers[edit.name] = edit.value


def _is_anonymous(headers: dict[str, str], edits: Edits) -> bool:
    """Whether an edit has taken the User-Agent away, and none has brought another."""
    name = "user-agent"
    touched = any(edit.name.lower() == name for edit in edits.headers)
    return touched and all(each.lower() != name for each in headers)


def _fault_of(headers: Mapping[str, str]) -> str | None:
    """What is wrong with one of them; None if all may be sent.

    The value is not told: it may be a credential.
    """
    values = "".join(headers.values())
    if _KNOWN_NAMES.issuperset(headers) and values.isascii() and values.isprintable():
        return None
    for name, value in headers.items():
        if not _HEADER_NAME.match(name):
            return f"found the header name {name!r}; wanted letters, digits and hyphens"
        if not _HEADER_VALUE.match(value):
            return f"the value of the header {name} holds a character that no header may hold"
    return None
