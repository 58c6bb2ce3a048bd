"""Tokens of Google's cloud: what an endpoint answers, and what a signed one says."""

from base64 import urlsafe_b64decode
from hashlib import sha256
from typing import Any

import orjson

from lsd.config import read_rsa_key
from tests.fakes.gcp_keys import pem
from tests.fakes.openai_scripts import answers
from tests.fakes.script import Script

DIGEST_INFO = bytes.fromhex("3031300d060960864801650304020105000420")
"""What stands before a SHA-256 in a signature. Source: RFC 8017, section 9.2."""


def token(value: str) -> Script:
    """The answer of an endpoint that gives a token."""
    return answers({"access_token": value, "expires_in": 3599, "token_type": "Bearer"})


def claims_of(signed: str) -> Any:
    """What a token says, after its signature was checked with the public half of the key."""
    message, _, signature = signed.rpartition(".")
    key = read_rsa_key(pem())
    opened = pow(int.from_bytes(_decoded(signature)), key.e, key.n).to_bytes(256)
    digest = DIGEST_INFO + sha256(message.encode()).digest()
    assert opened == b"\x00\x01" + b"\xff" * (253 - len(digest)) + b"\x00" + digest
    header, claims = (orjson.loads(_decoded(part)) for part in message.split("."))
    assert header == {"alg": "RS256", "typ": "JWT", "kid": "k1"}
    return claims


def _decoded(text: str) -> bytes:
    """The bytes of base64url without its padding."""
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))
