"""Signatures of tokens agree with the published example and with another implementation."""

from base64 import urlsafe_b64decode
from pathlib import Path
from random import Random

import attrs
import pytest

from lsd.config import RsaKey, read_rsa_key
from lsd.providers.rs256 import rs256

KEYS = Path(__file__).parents[2] / "fakes" / "keys"

EXAMPLE = {
    "n": "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0"
    "Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5r"
    "exMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXF"
    "vUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ",
    "d": "Eq5xpGnNCivDflJsRQBXHx1hdR1k6Ulwe2JZD50LpXyWPEAeP88vLNO97IjlA7_GQ5sLKMgvfTeXZx9SE-7YwVol2"
    "NXOoAJe46sui395IW_GO-pWJ1O0BkTGoVEn2bKVRUCgu-GjBVaYLU6f3l9kJfFNS3E0QbVdxzubSu3Mkqzjkn439X0M_V5"
    "1gfpRLI9JYanrC4D4qAdGcopV_0ZHHzQlBjudU2QvXt4ehNYTCBr6XCLQUShb1juUO1ZdiYoFaFQT5Tw8bGUl_x_jTj3cc"
    "PDVZFD9pIuhLhBOneufuBiB4cS98l2SR_RQyGWSeWjnczT0QU91p1DhOVRuOopznQ",
    "p": "4BzEEOtIpmVdVEZNCqS7baC4crd0pqnRH_5IB3jw3bcxGn6QLvnEtfdUdiYrqBdss1l58BQ3KhooKeQTa9AB0Hw_P"
    "y5PJdTJNPY8cQn7ouZ2KKDcmnPGBY5t7yLc1QlQ5xHdwW1VhvKn-nXqhJTBgIPgtldC-KDV5z-y2XDwGUc",
    "q": "uQPEfgmVtjL0Uyyx88GZFF1fOunH3-7cepKmtH4pxhtCoHqpWmT8YAmZxaewHgHAjLYsp1ZSe7zFYHj7C6ul7TjeL"
    "QeZD_YwD66t62wDmpe_HlB-TnBA-njbglfIsRLtXlnDzQkv5dTltRJ11BKBBypeeF6689rjcJIDEz9RWdc",
}
"""The key of RFC 7515, appendix A.2.1."""

SIGNED = (
    b"eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9"
    b"pc19yb290Ijp0cnVlfQ"
)
SIGNATURE = (
    "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5ju"
    "jGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07"
    "Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipU"
    "TI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw"
)
"""The signature of RFC 7515, appendix A.2.1."""

OF_A_MESSAGE = (
    "04ad1fc8baf0a7237fcddd4f994b9758360f4306ab30951a7537c63235b8616b7eb120fee388854b47d841b3"
    "b56aafab02baf6b6cdd290ec6f849191bdc870068c03629273883f966abfd16d23210caff21b75bf491f9bed"
    "6f6be5bcc733feafeb7b207d7efa8d77cd88aefed579de5af370478dd91c10206433c54085ebc0663785c7eb"
    "97290327572c267858bf91f114514212d4013fd4ba2afda89df590516496bcd586dc4fc6c998004a90b79582"
    "4dd5d5841cc7cb5ebc0880079e49ab239ccabc29ee0c91c99e0fb0bec7f05910498137b13628c7d5eadf3ce2"
    "710685b63d69ba3ca6af985017a470e0caff9f5e937b3e4e1621f734c3710b2e51123822"
)
"""What `openssl dgst -sha256 -sign rsa_pkcs8.pem` makes of "a message"."""


def unpadded(text: str) -> bytes:
    """The bytes of base64url without its padding."""
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def example_key() -> RsaKey:
    """The published key with the numbers that follow from it."""
    n, d, p, q = (int.from_bytes(unpadded(EXAMPLE[name])) for name in ("n", "d", "p", "q"))
    return RsaKey(n=n, e=65537, p=p, q=q, d_p=d % (p - 1), d_q=d % (q - 1), q_inverse=pow(q, -1, p))


def test_the_published_example_is_met() -> None:
    """RS256 has one right signature for each message, and this is it."""
    assert rs256(example_key(), SIGNED, Random(1)) == unpadded(SIGNATURE)


def test_another_implementation_agrees() -> None:
    """A key as Google issues it signs as OpenSSL does with it."""
    key = read_rsa_key((KEYS / "rsa_pkcs8.pem").read_text())

    assert rs256(key, b"a message", Random(1)).hex() == OF_A_MESSAGE


def test_the_blinding_does_not_show() -> None:
    """Whatever the random factor, the signature is the same."""
    key = example_key()

    assert len({rs256(key, b"x", Random(seed)) for seed in range(3)}) == 1


def test_a_miscalculation_is_never_handed_out() -> None:
    """A faulty signature would give away the key."""
    key = example_key()

    with pytest.raises(ArithmeticError):
        rs256(attrs.evolve(key, d_p=key.d_p ^ 1), b"x", Random(1))
