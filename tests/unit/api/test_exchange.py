"""Requests as endpoints see them."""

from lsd.api.exchange import headers_of


def test_of_several_headers_the_last_counts() -> None:
    """As if there had been no other."""
    raw = [(b"x-a", b"1"), (b"x-b", b"2"), (b"x-a", b"\xe9")]

    assert headers_of(raw) == {"x-a": "é", "x-b": "2"}


def test_lists_are_joined() -> None:
    """In the order in which they came."""
    raw = [(b"anthropic-beta", b"a"), (b"x-a", b"1"), (b"anthropic-beta", b"b, c")]

    assert headers_of(raw) == {"anthropic-beta": "a,b, c", "x-a": "1"}
