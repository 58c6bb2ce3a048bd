"""Private keys are read from the files that clouds hand out, and from no others."""

from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsd.config.rsa_keys import BadRsaKey, read_rsa_key
from tests.fakes.gcp_keys import pem


def refused(text: str) -> str:
    """Why a text is no key."""
    with pytest.raises(BadRsaKey) as caught:
        read_rsa_key(text)
    return str(caught.value)


def test_both_wrappings_hold_the_same_key() -> None:
    """Case 55: PKCS #8 as clouds write it, PKCS #1 as OpenSSL used to."""
    key = read_rsa_key(pem("rsa_pkcs8"))

    assert key == read_rsa_key(pem("rsa_pkcs1"))
    assert key.n.bit_length() == 2048
    assert key.n == key.p * key.q


def test_what_stands_around_the_block_does_not_matter() -> None:
    """Some tools write the key's properties before it, some other line ends."""
    text = "Bag Attributes\n  name: x\n" + pem().replace("\n", "\r\n")

    assert read_rsa_key(text) == read_rsa_key(pem())


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "found no PEM block; wanted -----BEGIN PRIVATE KEY-----"),
        ("sk-secret", "found no PEM block; wanted -----BEGIN PRIVATE KEY-----"),
        (pem("ec_pkcs8"), "found a key of another kind; wanted an RSA key"),
        (
            pem("rsa_encrypted"),
            "found ENCRYPTED PRIVATE KEY; wanted an RSA key, not encrypted",
        ),
        (pem("rsa_public"), "found PUBLIC KEY; wanted an RSA key, not encrypted"),
        (pem("rsa_512"), "found an RSA key of 512 bits; wanted 1024 to 8192"),
        (
            "-----BEGIN PRIVATE KEY-----\nä!\n-----END PRIVATE KEY-----",
            "found a PEM block that is not base64; wanted it as issued",
        ),
        (
            "-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----",
            "found something that is no RSA key; wanted the key as it was issued",
        ),
    ],
)
def test_what_is_no_usable_key_is_told_apart(text: str, reason: str) -> None:
    """Case 55: the operator hears what he has put there, and not a byte of it."""
    assert refused(text) == reason


def test_a_damaged_key_is_noticed() -> None:
    """Numbers that do not fit together would sign, and nobody would accept it."""
    lines = pem("rsa_pkcs1").splitlines()
    body = "".join(lines[1:-1])
    place = len(body) // 2
    other = "A" if body[place] != "A" else "B"

    damaged = "\n".join([lines[0], body[:place] + other + body[place + 1 :], lines[-1]])

    wanted = "wanted the key as it was issued"
    assert refused(damaged) == f"found numbers that do not fit together; {wanted}"


def test_a_key_of_many_primes_is_refused() -> None:
    """Nobody issues them, and they are signed with otherwise."""
    fields = b"\x02\x01\x01" + b"\x02\x01\x03" * 8
    text = pem_of(b"\x30" + bytes([len(fields)]) + fields)

    assert refused(text) == "found a key of more than two primes; wanted one of two"


@given(der=st.binary(max_size=60))
def test_no_bytes_are_too_strange(der: bytes) -> None:
    """Whatever a file holds, it is refused with a reason."""
    assert refused(pem_of(der))


def pem_of(der: bytes) -> str:
    """A PKCS #1 file with this content."""
    body = b64encode(der).decode()
    return f"-----BEGIN RSA PRIVATE KEY-----\n{body}\n-----END RSA PRIVATE KEY-----\n"
