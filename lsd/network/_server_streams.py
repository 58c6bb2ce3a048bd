"""A client's connection as the server needs it: its leaving shows while nobody reads.

`ReadAheadStream` makes one of any Trio stream, at the price of a second task; sockets on Linux are
cheaper and have a module of their own.
"""

import socket
import struct
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

import attrs
import trio

from lsd.network._socket_poller import nobody_asks

RECEIVE_BYTES_MAX = 64 * 1024
"""Taken from a connection in one step: most requests whole, and a large body in few steps."""

LINGER_NOT = struct.pack("ii", 1, 0)
"""The value of SO_LINGER with which closing resets the connection: no end that looks regular."""


class ClientStream(Protocol):
    """A connection to a client. One task receives and one sends at a time."""

    when_gone: Callable[[], None]
    """Called once, from any task, when the client has closed its side or broken off; must not
    raise. What the client has sent before can still be received; somebody who has only stopped
    sending may still be listening, too."""

    async def receive_some(self) -> bytes:
        """The next bytes; none when the client is gone, or the input was ended."""

    def has_unread(self) -> bool:
        """Whether bytes are there that nobody has received: closing now could lose an answer."""

    async def send_all(self, data: bytes) -> None:
        """Returns when the system has taken all; a slow reader makes it wait.

        A stream that was cancelled here either sends the rest before anything else, or is broken.
        Raises BrokenResourceError.
        """

    def end_input(self) -> None:
        """From now on, only what is there already is received. Wakes who is waiting for more."""

    async def send_eof(self) -> None:
        """Tells the client that nothing more comes; receiving goes on. Never fails."""

    async def aclose(self) -> None:
        """Closes at once."""

    async def abort(self) -> None:
        """Closes in a way that the client cannot take for a regular end."""


@attrs.define(eq=False, repr=False)
class ReadAheadStream:
    """Any Trio stream as a client's: a task of its own reads, up to a bound, what comes next."""

    _stream: trio.abc.HalfCloseableStream
    is_gone: bool = attrs.field(default=False, init=False)
    when_gone: Callable[[], None] = attrs.field(default=nobody_asks, init=False)
    _ahead: bytearray = attrs.field(factory=bytearray, init=False)
    _news: trio.Event = attrs.field(factory=trio.Event, init=False)
    _room: trio.Event = attrs.field(factory=trio.Event, init=False)
    _is_input_ended: bool = attrs.field(default=False, init=False)
    _is_torn: bool = attrs.field(default=False, init=False)

    async def run(self) -> None:
        """Reads until the client is gone; the connection's nursery ends it before that."""
        with suppress(trio.BrokenResourceError, trio.ClosedResourceError):
            while data := await self._stream.receive_some(RECEIVE_BYTES_MAX):
                self._ahead += data
                self._news.set()
                while len(self._ahead) >= RECEIVE_BYTES_MAX:
                    self._room = trio.Event()
                    await self._room.wait()
        self._note_gone()

    async def receive_some(self) -> bytes:
        await trio.lowlevel.checkpoint()
        while not self._ahead and not self.is_gone and not self._is_input_ended:
            self._news = trio.Event()
            await self._news.wait()
        data = bytes(self._ahead)
        self._ahead.clear()
        self._room.set()
        return data

    def has_unread(self) -> bool:
        return bool(self._ahead)

    async def send_all(self, data: bytes) -> None:
        if self._is_torn:
            raise trio.BrokenResourceError("an earlier piece was not sent to its end")
        # Streams do not tell how much of a piece they had sent when they were cancelled.
        self._is_torn = True
        await self._stream.send_all(data)
        self._is_torn = False

    def end_input(self) -> None:
        self._is_input_ended = True
        self._news.set()

    async def send_eof(self) -> None:
        with suppress(trio.BrokenResourceError, trio.ClosedResourceError):
            await self._stream.send_eof()

    async def aclose(self) -> None:
        await self._stream.aclose()

    async def abort(self) -> None:
        if isinstance(self._stream, trio.SocketStream):
            self._stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_NOT)
        await self._stream.aclose()

    def _note_gone(self) -> None:
        self.is_gone = True
        self._news.set()
        self.when_gone()
