"""API keys as texts: `sk-lsd-<public id>-<secret>`."""

import secrets
import string
from hashlib import sha256
from typing import Final

import attrs

PUBLIC_ID_LENGTH: Final = 12
SECRET_LENGTH: Final = 48
"""Of 62 characters each: 285 bits, which nobody guesses."""

FORM: Final = "sk-lsd-<public id>-<secret>"

_PARTS: Final = FORM.split("-")
_CHARACTERS: Final = string.ascii_letters + string.digits


@attrs.frozen
class KeyText:
    """The two parts of a key that differ from key to key."""

    public_id: str
    secret: str = attrs.field(repr=False)


@attrs.frozen
class NewApiKey:
    """A key that was just made: the only time that its text is known."""

    text: str = attrs.field(repr=False)
    public_id: str
    secret_hash: str = attrs.field(repr=False)


def new_api_key() -> NewApiKey:
    """A key that nobody can foresee."""
    public_id, secret = _random(PUBLIC_ID_LENGTH), _random(SECRET_LENGTH)
    return NewApiKey(f"sk-lsd-{public_id}-{secret}", public_id, hash_of_secret(secret))


def hash_of_secret(secret: str) -> str:
    """What is stored of a key's secret: SHA-256 in hex. A random text needs no slower one."""
    return sha256(secret.encode()).hexdigest()


def is_public_id(text: str) -> bool:
    """Whether any key could have this public id."""
    return len(text) == PUBLIC_ID_LENGTH and text.isascii() and text.isalnum()


def read_key(text: str) -> KeyText:
    """The parts of a key.

    Raises ValueError telling which part has another form; the message holds nothing of the text.
    """
    parts = text.split("-")
    if len(parts) != len(_PARTS):
        raise ValueError(f"found {len(parts)} parts between dashes; wanted {len(_PARTS)}")
    first, second, public_id, secret = parts
    if (first, second) != ("sk", "lsd"):
        raise ValueError("found another beginning; wanted sk-lsd-")
    for name, part, length in (
        ("public id", public_id, PUBLIC_ID_LENGTH),
        ("secret", secret, SECRET_LENGTH),
    ):
        if len(part) != length:
            raise ValueError(f"the {name} has {len(part)} characters; wanted {length}")
        if not (part.isascii() and part.isalnum()):
            raise ValueError(f"the {name} has others than A-Z, a-z and 0-9; wanted these only")
    return KeyText(public_id, secret)


def _random(length: int) -> str:
    return "".join(secrets.choice(_CHARACTERS) for _ in range(length))
