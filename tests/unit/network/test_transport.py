"""The errors of the network, as people read them."""

import copy

from lsd.conversation import LsdError
from lsd.network import BodyTooLarge, TransportFailed


def test_a_failed_transport_says_why_and_whether_it_was_sent() -> None:
    """The reason is the whole sentence; `sent` is for whoever decides about a retry."""
    failure = TransportFailed("connection refused", sent=False)

    assert str(failure) == "connection refused"
    assert not failure.sent
    assert isinstance(failure, LsdError)
    assert str(copy.copy(failure)) == "connection refused"


def test_a_body_too_large_names_its_bound() -> None:
    """The bound that was hit is in the message."""
    assert str(BodyTooLarge(10)) == (
        "response body: found more than 10 bytes; wanted at most those"
    )
