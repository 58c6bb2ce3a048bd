"""Credentials never show: wherever a text could carry one, it is masked."""

from collections.abc import Collection

MASK = "***"

SECRET_LENGTH_MIN = 4
"""Shorter values are no secrets, and masking them would riddle every text."""

_JSON_ESCAPES = str.maketrans(
    {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t", "\b": "\\b", "\f": "\\f"}
)


def masked(text: str, secrets: Collection[str]) -> str:
    """`text` with each of `secrets` replaced, also where JSON has escaped it."""
    # The longest first: one that contains another must not leave the rest of itself behind.
    for secret in sorted(secrets, key=len, reverse=True):
        if len(secret) >= SECRET_LENGTH_MIN:
            text = text.replace(secret, MASK).replace(secret.translate(_JSON_ESCAPES), MASK)
    return text
