"""A server under byte control: what a test says is what goes on the wire, and when."""

import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import attrs
import trio

WAIT_S_MAX = 30.0
"""What takes longer has failed."""

RECEIVE_BYTES_MAX = 65536


@attrs.define(eq=False)
class Peer:
    """The server's end of one connection; `number` counts them from 1."""

    stream: trio.SocketStream | trio.SSLStream[trio.SocketStream]
    number: int
    is_closed: trio.Event = attrs.field(factory=trio.Event, init=False)
    _received: bytearray = attrs.field(factory=bytearray, init=False)

    async def receive(self) -> bytes:
        """The next bytes as they come; none when the client has gone, in whatever way."""
        try:
            return bytes(await self.stream.receive_some(RECEIVE_BYTES_MAX))
        except trio.BrokenResourceError:
            return b""

    async def receive_request(self) -> bytes | None:
        """A whole request with its body, by its length; None when the client has gone."""
        while (length := _length(self._received)) is None or len(self._received) < length:
            data = await self.receive()
            if not data:
                return None
            self._received += data
        request = bytes(self._received[:length])
        del self._received[:length]
        return request

    async def send(self, data: bytes) -> None:
        """Sends; a client that has gone is no matter."""
        with suppress(trio.BrokenResourceError):
            await self.stream.send_all(data)

    async def wait_gone(self) -> None:
        """Waits until the client has closed, whatever it still sends."""
        with trio.fail_after(WAIT_S_MAX):
            while await self.receive():
                pass

    async def reset(self) -> None:
        """Breaks the connection off."""
        assert isinstance(self.stream, trio.SocketStream)
        self.stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.stream.socket.close()


Handler = Callable[[Peer], Awaitable[None]]


@attrs.define(eq=False)
class RawServer:
    """A running server: its address and the connections it has had."""

    host: str
    port: int
    scheme: str
    peers: list[Peer] = attrs.field(factory=list, init=False)

    def url(self, path: str = "/", host: str | None = None) -> str:
        """A URL of this server, under another name if one is given."""
        return f"{self.scheme}://{host or self.host}:{self.port}{path}"

    async def wait_all_gone(self) -> None:
        """Waits until no connection is open any more."""
        with trio.fail_after(WAIT_S_MAX):
            for peer in self.peers:
                await peer.is_closed.wait()


@asynccontextmanager
async def raw_server(
    handler: Handler, *, host: str = "127.0.0.1", tls: ssl.SSLContext | None = None
) -> AsyncIterator[RawServer]:
    """Runs a server that hands each connection to `handler` and closes it afterwards."""
    (listener,) = await trio.open_tcp_listeners(0, host=host)
    shown = f"[{host}]" if ":" in host else host
    scheme = "http" if tls is None else "https"
    server = RawServer(shown, listener.socket.getsockname()[1], scheme)

    async def serve(stream: trio.SocketStream) -> None:
        secured = stream if tls is None else trio.SSLStream(stream, tls, server_side=True)
        peer = Peer(secured, len(server.peers) + 1)
        server.peers.append(peer)
        try:
            with suppress(trio.BrokenResourceError, trio.ClosedResourceError):
                await handler(peer)
        finally:
            with trio.CancelScope(shield=True):
                await trio.aclose_forcefully(stream)
            peer.is_closed.set()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(trio.serve_listeners, serve, [listener])
        try:
            yield server
        finally:
            nursery.cancel_scope.cancel()


def answering(*answers: bytes) -> Handler:
    """Answers each request on a connection by the next of these bytes; the last one repeats."""

    async def handle(peer: Peer) -> None:
        for number in range(1_000_000):
            if await peer.receive_request() is None:
                return
            await peer.send(answers[min(number, len(answers) - 1)])

    return handle


def whole(body: bytes, head: bytes = b"") -> bytes:
    """A response with this body, and more header lines if wanted."""
    return b"HTTP/1.1 200 OK\r\n%sContent-Length: %d\r\n\r\n%s" % (head, len(body), body)


def _length(received: bytearray) -> int | None:
    end = received.find(b"\r\n\r\n")
    if end < 0:
        return None
    head = bytes(received[:end]).lower()
    _, found, rest = head.partition(b"\r\ncontent-length:")
    return end + 4 + (int(rest.split(b"\r\n")[0]) if found else 0)
