"""Connections of clients on Linux: one epoll tells of the bytes and the leaving of all of them.

Trio's own streams ask the system anew before each wait, and learn of a client's leaving only by
reading. Here a socket is registered once, edge-triggered; the kernel tells when bytes have come,
and when the client has closed. A request then costs a quarter less, and watching for its client's
leaving costs nothing.
"""

import select
import socket
from collections.abc import Callable
from contextlib import suppress

import attrs
import trio

from lsd.network._server_streams import LINGER_NOT, RECEIVE_BYTES_MAX, nobody_asks

HAS_EPOLL = hasattr(select, "epoll")
"""Elsewhere than on Linux, nothing in this module works."""

_EVENTS_MAX = 256
"""Taken from the kernel in one step; what is left over is told in the next."""


@attrs.define(eq=False, repr=False)
class SocketPoller:
    """Wakes the streams that it has opened. Works while `run` does."""

    _epoll: "select.epoll" = attrs.field(init=False)
    _streams: dict[int, "PolledStream"] = attrs.field(factory=dict, init=False)

    def __attrs_post_init__(self) -> None:
        self._epoll = select.epoll()

    def open(self, sock: socket.socket) -> "PolledStream":
        """A stream that owns this non-blocking socket. Raises OSError."""
        # Edge-triggered: bytes that nobody reads because of back-pressure do not wake us again.
        self._epoll.register(sock, select.EPOLLIN | select.EPOLLRDHUP | select.EPOLLET)
        stream = self._streams[sock.fileno()] = PolledStream(sock, self._streams)
        return stream

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await trio.lowlevel.wait_readable(self._epoll.fileno())
            for number, events in self._epoll.poll(0, _EVENTS_MAX):
                stream = self._streams.get(number)
                if stream is not None:
                    stream.note(events)

    def close(self) -> None:
        """For the time after `run`, when all streams are closed."""
        self._epoll.close()


@attrs.define(eq=False, repr=False)
class PolledStream:
    """A client's socket. Does not yield to other tasks when it need not wait."""

    _socket: socket.socket
    _streams: dict[int, "PolledStream"]
    is_gone: bool = attrs.field(default=False, init=False)
    when_gone: Callable[[], None] = attrs.field(default=nobody_asks, init=False)
    _is_readable: bool = attrs.field(default=False, init=False)
    _is_input_ended: bool = attrs.field(default=False, init=False)
    _receiver: trio.lowlevel.Task | None = attrs.field(default=None, init=False)
    _unsent: memoryview | None = attrs.field(default=None, init=False)
    _is_sending: bool = attrs.field(default=False, init=False)

    def note(self, events: int) -> None:
        """Takes what the kernel has told."""
        if events & ~select.EPOLLIN and not self.is_gone:
            self.is_gone = True
            self.when_gone()
        self._is_readable = True
        self._wake_receiver()

    async def receive_some(self) -> bytes:
        if self._is_readable:
            # A client that always has more to say must not keep the others from being heard.
            await trio.lowlevel.checkpoint()
        while True:
            if not self._is_readable and not self._is_input_ended:
                await self._wait_readable()
            try:
                data = self._socket.recv(RECEIVE_BYTES_MAX)
            except BlockingIOError:
                if self._is_input_ended:
                    return b""
                self._is_readable = False
                continue
            except OSError:
                data = b""
            if not data and not self.is_gone:
                self.note(select.EPOLLRDHUP)
            # Less than asked for means that there is no more (epoll(7)); after the client's end
            # the kernel will not tell again.
            self._is_readable = len(data) == RECEIVE_BYTES_MAX or self.is_gone
            return data

    async def send_all(self, data: bytes) -> None:
        if self._unsent is None:
            try:
                sent = self._socket.send(data)
            except BlockingIOError:
                sent = 0
            except OSError as error:
                raise trio.BrokenResourceError from error
            if sent == len(data):
                return
            self._unsent = memoryview(data)[sent:]
            await self._send_unsent()
        else:
            # Its sending was cancelled, but without it no client can understand what follows.
            await self._send_unsent()
            await self.send_all(data)

    def end_input(self) -> None:
        self._is_input_ended = True
        self._wake_receiver()

    async def send_eof(self) -> None:
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_WR)

    async def aclose(self) -> None:
        if self._streams.pop(self._socket.fileno(), None) is not None:
            trio.lowlevel.notify_closing(self._socket)
            self._socket.close()

    async def abort(self) -> None:
        with suppress(OSError):
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_NOT)
        await self.aclose()

    async def _wait_readable(self) -> None:
        if self._receiver is not None:
            raise trio.BusyResourceError("another task is already receiving")

        def abort(_: object) -> trio.lowlevel.Abort:
            self._receiver = None
            return trio.lowlevel.Abort.SUCCEEDED

        self._receiver = trio.lowlevel.current_task()
        await trio.lowlevel.wait_task_rescheduled(abort)

    def _wake_receiver(self) -> None:
        if self._receiver is not None:
            trio.lowlevel.reschedule(self._receiver)
            self._receiver = None

    async def _send_unsent(self) -> None:
        if self._is_sending:
            raise trio.BusyResourceError("another task is already sending")
        self._is_sending = True
        try:
            while self._unsent:
                await trio.lowlevel.wait_writable(self._socket)
                with suppress(BlockingIOError):
                    self._unsent = self._unsent[self._socket.send(self._unsent) :]
            self._unsent = None
        except OSError as error:
            raise trio.BrokenResourceError from error
        finally:
            self._is_sending = False
