"""RS256: the signature under a JSON Web Token, by the private key of a service account.

Own code, because the usual library for it is compiled and larger than all of LSD, while one token
an hour for each credential is all there is to sign. Source: RFC 8017, sections 5.2.1, 8.2.1, 9.2.
"""

from hashlib import sha256
from random import Random

from lsd.config import RsaKey

_DIGEST_INFO = bytes.fromhex("3031300d060960864801650304020105000420")
"""What stands before a SHA-256 in the padded message. Source: RFC 8017, section 9.2, note 1."""


def rs256(key: RsaKey, message: bytes, random: Random) -> bytes:
    """The signature of `message`: RSASSA-PKCS1-v1_5 with SHA-256.

    Python's integers tell by their time what they compute, so the message is blinded by a random
    factor. `random` must be a source that cannot be foretold. Takes some 10 ms of processor time
    with a key of 2048 bits: call it in a thread.
    """
    size = (key.n.bit_length() + 7) // 8
    padded = int.from_bytes(_padded(message, size))
    # Only multiples of the primes have no inverse, and whoever meets one has found the key.
    factor = random.randrange(2, key.n)
    blinded = padded * pow(factor, key.e, key.n) % key.n
    signature = _decrypted(key, blinded) * pow(factor, -1, key.n) % key.n
    if pow(signature, key.e, key.n) != padded:
        # One wrong bit in one half of the computation would give away the key's primes.
        raise ArithmeticError("the signature does not fit its message; the machine miscalculates")
    return signature.to_bytes(size)


def _padded(message: bytes, size: int) -> bytes:
    info = _DIGEST_INFO + sha256(message).digest()
    return b"\x00\x01" + b"\xff" * (size - len(info) - 3) + b"\x00" + info


def _decrypted(key: RsaKey, number: int) -> int:
    """`number` to the power of the private exponent, by the primes one by one."""
    by_p = pow(number % key.p, key.d_p, key.p)
    by_q = pow(number % key.q, key.d_q, key.q)
    return by_q + key.q * ((by_p - by_q) * key.q_inverse % key.p)
