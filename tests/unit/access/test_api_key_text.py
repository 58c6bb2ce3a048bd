"""API keys as texts."""

import re
from hashlib import sha256

import pytest

from lsd.access import hash_of_secret, is_public_id, new_api_key
from lsd.access.api_key_text import read_key

PUBLIC_ID = "abcDEF012345"
SECRET = "s" * 48


def test_a_new_key_has_68_characters() -> None:
    """`sk-lsd-`, 12 characters of the public id, a dash, and 48 of the secret."""
    made = new_api_key()

    assert re.fullmatch(r"sk-lsd-[A-Za-z0-9]{12}-[A-Za-z0-9]{48}", made.text)
    assert len(made.text) == 68
    assert made.text[7:19] == made.public_id
    assert made.secret_hash == sha256(made.text[20:].encode()).hexdigest()


def test_no_two_keys_are_alike() -> None:
    """They come from the secure generator of the system."""
    assert len({new_api_key().text for _ in range(100)}) == 100


def test_a_key_is_read_back() -> None:
    """Its parts are the public id and the secret."""
    made = new_api_key()

    read = read_key(made.text)

    assert read.public_id == made.public_id
    assert hash_of_secret(read.secret) == made.secret_hash


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "1 parts"),
        (f"sk-lsd-{PUBLIC_ID}", "3 parts"),
        (f"sk-lsd-{PUBLIC_ID}-{SECRET}-x", "5 parts"),
        (f"sk-abc-{PUBLIC_ID}-{SECRET}", "wanted sk-lsd-"),
        (f"SK-LSD-{PUBLIC_ID}-{SECRET}", "wanted sk-lsd-"),
        (f"sk-lsd-short-{SECRET}", "public id has 5 characters"),
        (f"sk-lsd-{PUBLIC_ID}-{SECRET[1:]}", "secret has 47 characters"),
        (f"sk-lsd-{PUBLIC_ID}-{SECRET[1:]}!", "secret has others"),
        (f"sk-lsd-{PUBLIC_ID[1:]}ü-{SECRET}", "public id has others"),
    ],
)
def test_what_is_wrong_with_a_key_is_told_without_quoting_it(text: str, told: str) -> None:
    """The part is named; nothing of the text is in the message."""
    with pytest.raises(ValueError, match=told) as caught:
        read_key(text)

    assert not any(part in str(caught.value) for part in (PUBLIC_ID, SECRET[:20], "short-"))


def test_a_key_does_not_show_its_secret() -> None:
    """What is printed of it by accident is harmless."""
    made = new_api_key()

    assert made.text[20:] not in repr(made) + repr(read_key(made.text))


@pytest.mark.parametrize("text", ["", "abc", PUBLIC_ID + "x", "abcDEF01234-", "abcDEF01234ü"])
def test_only_twelve_letters_and_digits_are_a_public_id(text: str) -> None:
    """So that nobody looks for something that cannot be there."""
    assert not is_public_id(text)
    assert is_public_id(PUBLIC_ID)
