"""Credentials never show: wherever a text could carry one, it is masked."""

from collections.abc import Collection

MASK = "***"

SECRET_LENGTH_MIN = 4
"""Shorter values are no secrets, and masking them would riddle every text."""


def masked(text: str, secrets: Collection[str]) -> str:
    """`text` with each of `secrets` replaced, also where JSON has escaped it."""
    for secret in secrets:
        if len(secret) >= SECRET_LENGTH_MIN and secret in text:
            text = text.replace(secret, MASK)
    return text
