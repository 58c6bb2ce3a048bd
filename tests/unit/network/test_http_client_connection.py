"""One connection, with the test at its other end."""

import socket
from collections.abc import Iterator

import pytest
import trio

from lsd.network import TransportFailed
from lsd.network._client_connection import ClientConnection
from lsd.network._client_request import Origin
from lsd.network._socket_poller import WatchedSocket

ORIGIN = Origin("http", "host", 80)
HEAD = b"POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\n"
REFUSAL = b"HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno"


@pytest.fixture
def ends() -> Iterator[tuple[ClientConnection, socket.socket]]:
    """A connection and the server's end of it."""
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    with theirs:
        yield ClientConnection(ORIGIN, WatchedSocket(ours)), theirs
    ours.close()


async def receive(connection: ClientConnection) -> None:
    """Waits for more of the response and takes it in."""
    while not connection.take_in():
        await connection.wait()


async def test_what_a_server_said_before_it_went_is_heard(
    ends: tuple[ClientConnection, socket.socket],
) -> None:
    """Though the request finds nobody any more; the connection is over."""
    connection, server = ends
    server.sendall(REFUSAL)
    server.close()

    connection.ask("POST", HEAD, b"{}")
    await receive(connection)

    assert connection.parser.status == 413
    assert connection.parser.take() == b"no"
    assert not connection.can_be_reused()


async def test_a_server_that_went_silently_is_told(
    ends: tuple[ClientConnection, socket.socket],
) -> None:
    """The second look finds the end, and says how far the response had come."""
    connection, server = ends
    server.close()

    connection.ask("POST", HEAD, b"{}")
    await receive(connection)
    with pytest.raises(TransportFailed, match="closed before the response began"):
        await receive(connection)

    assert not connection.parser.has_begun


async def test_a_request_goes_on_while_nothing_comes(
    ends: tuple[ClientConnection, socket.socket],
) -> None:
    """What the server does not take at once, it gets as it reads; then it is quiet again."""
    connection, server = ends
    body = bytes(range(256)) * 20_000
    received = bytearray()

    def serve() -> None:
        while len(received) < len(HEAD) + len(body):
            received.extend(server.recv(1_000_000))
        server.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    async with trio.open_nursery() as nursery:
        connection.ask("POST", HEAD, body)
        nursery.start_soon(trio.to_thread.run_sync, serve)
        while not connection.parser.is_complete:
            await receive(connection)

    assert bytes(received) == HEAD + body
    assert connection.can_be_reused()
    assert connection.is_quiet()


async def test_a_closed_connection_says_so(ends: tuple[ClientConnection, socket.socket]) -> None:
    """Closing twice is once; nobody can wait on what is closed."""
    connection, server = ends
    connection.ask("POST", HEAD, b"{}")

    connection.close()
    connection.close()
    with pytest.raises(TransportFailed, match="closed by LSD"):
        await receive(connection)

    assert not connection.can_be_reused()
    assert server.recv(1000) == HEAD + b"{}"
    assert server.recv(1000) == b""


@pytest.mark.parametrize("said", [b"", b"x"])
async def test_a_server_that_says_anything_unasked_is_not_quiet(
    ends: tuple[ClientConnection, socket.socket], said: bytes
) -> None:
    """Neither a farewell nor words fit an idle connection."""
    connection, server = ends
    assert connection.is_quiet()

    server.sendall(said)
    server.close()

    assert not connection.is_quiet()
