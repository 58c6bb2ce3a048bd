"""Credentials never show: wherever a text could carry one, it is masked."""

import re
from collections.abc import Collection, Iterable

from lsd.conversation import Fragment, HeaderEdit, JsonValue, encode_json

MASK = "***"

SECRET_LENGTH_MIN = 4
"""Shorter values are no secrets, and masking them would riddle every text."""

HEADER_LENGTH_MIN = 8
"""Of a header's value that is masked whatever its name: shorter ones are flags and versions, and
masking every `true` would spoil the records."""

NO_SECRETS: frozenset[str] = frozenset()

_TELLING_NAME = re.compile(r"auth|key|token|secret|cookie|credential|password", re.IGNORECASE)

_SPELLED_ALIKE = re.compile(r"[\w.+=-]+")
"""What nobody escapes; most keys are made of it."""

_JSON_ESCAPES = str.maketrans(
    {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t", "\b": "\\b", "\f": "\\f"}
)

_HTML_ESCAPES = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"})


def masked(text: str, secrets: Collection[str]) -> str:
    """`text` with each of `secrets` replaced; they come from `spellings_of`."""
    if not secrets:
        return text
    # The longest first: one that contains another must not leave the rest of itself behind.
    for secret in secrets if len(secrets) == 1 else sorted(secrets, key=len, reverse=True):
        if secret in text:
            text = text.replace(secret, MASK)
    return text


def spellings_of(values: Iterable[str]) -> set[str]:
    """These secrets as they are, and as JSON has them."""
    return {
        spelling
        for value in values
        if len(value) >= SECRET_LENGTH_MIN
        for spelling in _spellings(value)
    }


def _spellings(secret: str) -> Collection[str]:
    """As it is, and as JSON has it: by writers, too, who escape slashes, or signs of HTML."""
    if _SPELLED_ALIKE.fullmatch(secret):
        return (secret,)
    escaped = secret.translate(_JSON_ESCAPES)
    return {secret, escaped, escaped.replace("/", "\\/"), escaped.translate(_HTML_ESCAPES)}


def secrets_in(headers: Iterable[HeaderEdit]) -> set[str]:
    """The spellings of values that may be credentials, by their names or by their length."""
    return spellings_of(
        edit.value
        for edit in headers
        if len(edit.value) >= HEADER_LENGTH_MIN or (edit.value and _TELLING_NAME.search(edit.name))
    )


def masked_json(value: JsonValue, secrets: Collection[str]) -> JsonValue:
    """`value` as it is, or as JSON text with `secrets` masked if it holds one."""
    if not secrets:
        return value
    text = encode_json(value).decode()
    shown = masked(text, secrets)
    return value if shown == text else Fragment(shown)
