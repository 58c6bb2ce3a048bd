"""Bytes on a socket to a server of the test: what is sent, and all that comes back."""

import socket
from contextlib import suppress

import trio


async def connect(listener: socket.socket) -> trio.SocketStream:
    """A connection to whoever listens there."""
    host, port = listener.getsockname()[:2]
    return await trio.open_tcp_stream(host, port)


async def read_all(stream: trio.SocketStream) -> bytes:
    """What comes until the server closes, in order or not."""
    received = b""
    with suppress(trio.BrokenResourceError):
        async for piece in stream:
            received += piece
    return received


async def read_until(stream: trio.SocketStream, end: bytes) -> bytes:
    """What comes until it ends so."""
    received = b""
    while not received.endswith(end):
        piece = await stream.receive_some()
        assert piece, f"the server closed after {received!r}"
        received += piece
    return received


async def talk(listener: socket.socket, sent: bytes) -> bytes:
    """What comes back for these bytes, until the server closes."""
    async with await connect(listener) as stream:
        with suppress(trio.BrokenResourceError):  # refused before it has heard everything
            await stream.send_all(sent)
        return await read_all(stream)
