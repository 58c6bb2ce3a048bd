"""The socket that the daemon listens on, or why it cannot."""

import socket

import pytest

from lsd.config import Address
from lsd.server import StartRefused
from lsd.server.listening import listen, shown_address

HAS_IPV6 = socket.has_ipv6


def test_port_0_takes_a_free_one() -> None:
    """The address that is shown answers."""
    with listen(Address("127.0.0.1", 0)) as listener:
        host, _, port = shown_address(listener).rpartition(":")
        with socket.create_connection((host, int(port)), timeout=5) as client:
            accepted, _ = listener.accept()
            with accepted:
                assert accepted.getpeername() == client.getsockname()

    assert host == "127.0.0.1"
    assert int(port) > 0


def test_an_ipv6_address_is_shown_in_brackets() -> None:
    """Host and port stay apart."""
    try:
        listener = listen(Address("::1", 0))
    except StartRefused:
        pytest.skip("this machine has no IPv6")

    with listener:
        shown = shown_address(listener)

    assert shown.startswith("[::1]:")


def test_a_port_in_use_is_told_with_what_helps() -> None:
    """The address, and the way out."""
    with listen(Address("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(StartRefused) as refused:
            listen(Address("127.0.0.1", port))

    assert str(refused.value) == (
        f"cannot listen on 127.0.0.1:{port}: it is in use;"
        " stop what listens there, or choose another --bind-address"
    )


def test_an_address_of_another_machine_is_told() -> None:
    """Documentation addresses belong to nobody."""
    with pytest.raises(StartRefused) as refused:
        listen(Address("192.0.2.1", 0))

    assert str(refused.value) == ("cannot listen on 192.0.2.1:0: this machine has no such address")


def test_a_port_can_be_had_again_at_once() -> None:
    """Connections of the last run, on their way out, do not keep the next one from starting."""
    with listen(Address("127.0.0.1", 0)) as first:
        address = Address("127.0.0.1", first.getsockname()[1])
        with socket.create_connection(("127.0.0.1", address.port), timeout=5) as client:
            accepted, _ = first.accept()
            accepted.close()  # this side first, so that it is this side that remembers
            assert client.recv(1) == b""

    with listen(address) as second:
        assert shown_address(second) == str(address)
