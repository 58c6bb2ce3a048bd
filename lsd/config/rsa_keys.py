"""RSA private keys as PEM files hold them: PKCS #8 and PKCS #1, unencrypted.

Read by hand, because the usual library for keys is compiled and larger than all of LSD, and what
is needed of it is this module and one formula. Source: RFC 8017, appendix A.1.2; RFC 5958; X.690.
"""

import re
from base64 import b64decode

import attrs

from lsd.conversation import LsdError

MODULUS_BITS_MIN = 1024
MODULUS_BITS_MAX = 8192
"""Below, a key protects nothing; above, a signature takes more than a second."""

_PEM = re.compile(r"-----BEGIN ([A-Z0-9 ]+)-----(.*?)-----END \1-----", re.DOTALL)

_INTEGER = 0x02
_OCTET_STRING = 0x04
_OBJECT_IDENTIFIER = 0x06
_SEQUENCE = 0x30
_LONG_LENGTH = 0x80
_RSA_ENCRYPTION = bytes.fromhex("2a864886f70d010101")
"""1.2.840.113549.1.1.1, the name of RSA in PKCS #8."""


@attrs.frozen
class BadRsaKey(LsdError):
    """A text is no RSA private key that can be used; `reason` shows nothing of it."""

    reason: str

    def __str__(self) -> str:
        return self.reason


@attrs.frozen(kw_only=True, repr=False)
class RsaKey:
    """The numbers of a private key, named as in RFC 8017."""

    n: int
    e: int
    p: int
    q: int
    d_p: int
    d_q: int
    q_inverse: int


def read_rsa_key(pem: str) -> RsaKey:
    """The key in a PEM text. Raises BadRsaKey."""
    found = _PEM.search(pem)
    if found is None:
        raise BadRsaKey("found no PEM block; wanted -----BEGIN PRIVATE KEY-----")
    label = found[1]
    if label not in ("PRIVATE KEY", "RSA PRIVATE KEY"):
        raise BadRsaKey(f"found {label}; wanted an RSA key, not encrypted")
    try:
        der = b64decode("".join(found[2].split()), validate=True)
    except ValueError:
        raise BadRsaKey("found a PEM block that is not base64; wanted it as issued") from None
    return _checked(_numbers(_inner_key(der) if label == "PRIVATE KEY" else der))


def _inner_key(der: bytes) -> bytes:
    """The PKCS #1 key inside of a PKCS #8 one."""
    outer = _Der(_Der(der).take(_SEQUENCE))
    outer.take(_INTEGER)
    if _Der(outer.take(_SEQUENCE)).take(_OBJECT_IDENTIFIER) != _RSA_ENCRYPTION:
        raise BadRsaKey("found a key of another kind; wanted an RSA key")
    return outer.take(_OCTET_STRING)


def _numbers(der: bytes) -> RsaKey:
    fields = _Der(_Der(der).take(_SEQUENCE))
    version, n, e, _, p, q, d_p, d_q, q_inverse = (
        int.from_bytes(fields.take(_INTEGER), signed=True) for _ in range(9)
    )
    if version != 0:
        raise BadRsaKey("found a key of more than two primes; wanted one of two")
    return RsaKey(n=n, e=e, p=p, q=q, d_p=d_p, d_q=d_q, q_inverse=q_inverse)


def _checked(key: RsaKey) -> RsaKey:
    """The key, if its numbers fit together; a damaged one would sign without anybody noticing."""
    bits = key.n.bit_length()
    if not MODULUS_BITS_MIN <= bits <= MODULUS_BITS_MAX:
        wanted = f"wanted {MODULUS_BITS_MIN} to {MODULUS_BITS_MAX}"
        raise BadRsaKey(f"found an RSA key of {bits} bits; {wanted}")
    fits = (
        min(key.p, key.q) > 1
        and key.p * key.q == key.n
        and key.e * key.d_p % (key.p - 1) == 1
        and key.e * key.d_q % (key.q - 1) == 1
        and key.q * key.q_inverse % key.p == 1
    )
    if not fits:
        raise BadRsaKey("found numbers that do not fit together; wanted the key as it was issued")
    return key


@attrs.define
class _Der:
    """Reads DER, one value after the other."""

    _data: bytes

    def take(self, tag: int) -> bytes:
        """The content of the next value, which must have this tag. Raises BadRsaKey."""
        data = self._data
        size, start = (data[1], 2) if len(data) >= 2 else (0, 2)
        if size & _LONG_LENGTH:
            start += size & ~_LONG_LENGTH
            size = int.from_bytes(data[2:start])
        content = data[start : start + size]
        if data[:1] != bytes([tag]) or len(content) < size:
            raise BadRsaKey("found something that is no RSA key; wanted the key as it was issued")
        self._data = data[start + size :]
        return content
