"""Where the daemon listens."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsd.config import Address
from lsd.config.tables.address import parse_address


def test_addresses_of_both_families() -> None:
    """IPv6 stands in brackets."""
    assert parse_address("0.0.0.0:3000") == Address("0.0.0.0", 3000)
    assert parse_address("[::]:0") == Address("::", 0)


@pytest.mark.parametrize(
    "text",
    [
        *("localhost:3000", "127.0.0.1", ":3000", "127.0.0.1:", "127.0.0.1:65536", "::1:3000"),
        *("[127.0.0.1]:3000", "[::1]", "127.0.0.1:-1", "127.0.0.1: 1", "127.0.0.1:٣", ""),
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    """With an example of each family."""
    with pytest.raises(ValueError, match=r"127\.0\.0\.1:3000 or \[::\]:3000"):
        parse_address(text)


@given(st.ip_addresses(), st.integers(0, 65535))
def test_an_address_is_written_as_it_is_read(host: object, port: int) -> None:
    """The log and the file have the same form."""
    address = Address(str(host), port)

    assert parse_address(str(address)) == address


def test_loopback_is_known() -> None:
    """Elsewhere, strangers can call."""
    assert Address("127.0.0.2", 1).is_loopback
    assert Address("::1", 1).is_loopback
    assert not Address("0.0.0.0", 1).is_loopback
