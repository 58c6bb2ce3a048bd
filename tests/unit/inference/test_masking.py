"""Credentials never show."""

import pytest

from lsd.conversation import HeaderEdit, decode_json, encode_json
from lsd.inference.masking import masked, masked_json, secrets_in, spellings_of


@pytest.mark.parametrize(
    ("text", "secrets", "shown"),
    [
        ("key sk-12345 is wrong", {"sk-12345"}, "key *** is wrong"),
        ("sk-12345sk-12345", {"sk-12345"}, "******"),
        ("sk-1 and token", {"sk-1", "token"}, "*** and ***"),
        ("nothing here", {"sk-12345"}, "nothing here"),
        ("", {"sk-12345"}, ""),
        ("a cat, 42", {"cat", "a", "42", ""}, "a cat, 42"),
    ],
    ids=["one", "twice", "two", "none", "empty text", "too short for a secret"],
)
def test_a_credential_is_masked_wherever_it_stands(
    text: str, secrets: set[str], shown: str
) -> None:
    """A credential value in a text becomes `***`; what is shorter than four characters is none."""
    assert masked(text, spellings_of(secrets)) == shown


def test_of_credentials_within_each_other_no_rest_is_left() -> None:
    """When one credential begins like another, the longer one leaves nothing behind."""
    secrets = ["sk-abc", "sk-abcdef", "def-sk-abc"]

    for order in (secrets, secrets[::-1]):
        assert masked("sk-abcdef def-sk-abc sk-abc", spellings_of(order)) == "*** *** ***"


@pytest.mark.parametrize("secret", ['pa"ss"word', "back\\slash", "line\nfeed", "caf\u00e9-key"])
def test_a_credential_is_masked_as_json_writes_it(secret: str) -> None:
    """Inside of JSON a credential may be escaped; it is masked all the same."""
    escaped = encode_json({"message": f"bad key {secret}!"}).decode()

    assert masked(escaped, spellings_of([secret])) == '{"message":"bad key ***!"}'


@pytest.mark.parametrize(
    ("secret", "written"),
    [("ab/cd/ef", r"ab\/cd\/ef"), ("a<b>&c", r"a\u003cb\u003e\u0026c")],
    ids=["slashes", "signs of HTML"],
)
def test_a_credential_is_masked_as_careful_writers_write_it(secret: str, written: str) -> None:
    """Some writers of JSON escape more than they must."""
    assert masked(f"key {written} or {secret}", spellings_of([secret])) == "key *** or ***"


def test_values_of_headers_are_secrets_by_name_or_by_length() -> None:
    """A short flag is none, so that records keep their `true`; a short key is."""
    headers = [
        HeaderEdit(name="x-debug", value="true"),
        HeaderEdit(name="X-Api-Key", value="k-12"),
        HeaderEdit(name="x-trace", value="0123456789"),
        HeaderEdit(name="authorization", delete=True),
    ]

    assert secrets_in(headers) == {"k-12", "0123456789"}


def test_a_key_that_a_model_repeats_is_masked_in_what_is_stored() -> None:
    """Only then is the value written anew."""
    blocks = [{"type": "text", "text": 'your key is "sk-12345"'}]

    assert masked_json(blocks, {"sk-99999"}) is blocks
    assert masked_json(blocks, ()) is blocks
    assert decode_json(encode_json(masked_json(blocks, {"sk-12345"}))) == [
        {"type": "text", "text": 'your key is "***"'}
    ]
