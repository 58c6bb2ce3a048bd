"""One connection to a server: a request goes out, its response comes back, then the next one."""

import ssl
import struct
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from fcntl import ioctl
from math import inf
from termios import TIOCOUTQ

import attrs
import trio

from lsd.network._client_parser import ResponseParser
from lsd.network._client_request import Origin
from lsd.network._socket_poller import WatchedSocket
from lsd.network.transport import DeadlineReached, TransportFailed, until

RECEIVE_BYTES_MAX = 64 * 1024
"""What one read takes at most, which is what loopback gives at once. It is more than a TLS record
has (16 KiB), so that no read leaves decrypted bytes behind, of which the socket would not tell."""

JOINED_BYTES_MAX = 64 * 1024
"""A body up to this size is copied behind its head, so that both leave in one call; for a larger
one the second call costs less than the copy."""

SEND_BYTES_MAX = 1024 * 1024
"""What one call sends at most. Encrypting it takes a millisecond, for which all tasks wait."""

ERROR_STATUS_MIN = 400
"""From here on, a response that comes before the whole request was sent means: send no more."""

_INT = struct.Struct("i")

_NOT_NOW = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)
"""The socket would have to wait."""


@attrs.define(eq=False)
class ClientConnection:
    """A connected socket and the parser of what it says.

    One exchange at a time: `ask`, then `take_in` until `parser.is_complete`, with a `wait` wherever
    nothing has come. `idle_since` is by trio's clock, and infinite before the first time. `_unsent`
    is what the server has not taken yet of the request. With a poller that runs, waiting costs no
    call of the system.
    """

    origin: Origin
    watched: WatchedSocket
    parser: ResponseParser = attrs.field(factory=ResponseParser, init=False)
    idle_since: float = attrs.field(default=inf, init=False)
    _unsent: deque[memoryview] = attrs.field(factory=deque, init=False)
    _is_cut: bool = attrs.field(default=False, init=False)
    _tells_all: bool = attrs.field(init=False)
    """Whether a read that was not filled has left nothing behind; of TLS it tells nothing."""
    _send_now: Callable[[bytes | memoryview], int] = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        watched = self.watched
        self._tells_all = not isinstance(watched.socket, ssl.SSLSocket)
        self._send_now = watched.send if self._tells_all else watched.socket.send

    def can_be_reused(self) -> bool:
        """Whether the exchange is over and leaves nothing behind that the next one could meet."""
        parser = self.parser
        is_over = parser.is_complete and parser.keeps_alive and parser.fault is None
        return is_over and not self._unsent and not self._is_cut

    def is_quiet(self) -> bool:
        """Whether an idle connection still waits for a request.

        Its end has come when the server has closed it, or says something that nobody has asked.
        """
        watched = self.watched
        if watched.poller is not None and not watched.is_readable:
            return not watched.is_gone
        try:
            watched.socket.recv(1)
        except _NOT_NOW:
            watched.is_readable = False
            return True
        except OSError:
            return False
        return False

    def is_unheard(self) -> bool:
        """Whether the server's system had closed a reused connection before all of a request came.

        A server that closes after an answer and does not say so cannot be told from one that goes
        on until its farewell is here. What its system has not acknowledged, it cannot have read.
        """
        number = self.watched.socket.fileno()
        if self.idle_since == inf or number < 0:
            return False
        if self._is_cut:
            return True
        try:
            unacknowledged = ioctl(number, TIOCOUTQ, bytes(_INT.size))
        except OSError:  # no such question to a socket on this system
            return False
        (count,) = _INT.unpack(unacknowledged)
        return bool(count)

    def ask(self, method: str, head: bytes, body: bytes) -> None:
        """Begins an exchange: sends what the socket takes; `wait` sends the rest."""
        self.parser.begin(method)
        if len(body) > JOINED_BYTES_MAX:
            self._unsent.extend((memoryview(head), memoryview(body)))
            self._send_some()
            return
        data = head + body
        sent = self._send(data)
        if sent < len(data):
            self._unsent.append(memoryview(data)[sent:])

    def take_in(self) -> bool:
        """Takes in what has come of the response; False: nothing has, so that it is time to wait.

        What is new is in the parser. Raises TransportFailed when there is no more to come; then the
        connection is of no more use.
        """
        parser, watched = self.parser, self.watched
        if parser.fault is not None:
            raise TransportFailed(parser.fault, sent=True)
        if not watched.is_readable:
            return False
        try:
            data = watched.socket.recv(RECEIVE_BYTES_MAX)
        except _NOT_NOW:
            watched.is_readable = False
            return False
        except OSError as error:
            said = error.strerror or type(error).__name__
            raise TransportFailed(f"connection broken {parser.place} ({said})", sent=True) from None
        if self._tells_all:
            watched.note_read(len(data), RECEIVE_BYTES_MAX)
        if data:
            parser.feed(data)
        else:
            parser.end()
        if self._unsent and parser.status >= ERROR_STATUS_MIN:
            self._give_up_sending()
        return True

    def wait(self) -> Awaitable[None]:
        """To be awaited at once: until `take_in` is worth a try.

        When this is cancelled, nothing is lost: it may be called again. Raises DeadlineReached.
        """
        watched = self.watched
        if watched.is_late:
            raise DeadlineReached
        # Not a coroutine of its own: each one on the way to a wait is walked through at its end.
        if self._unsent or watched.poller is None:
            return self._wait_slowly()
        return watched.wait_readable()

    def close(self) -> None:
        """At once; who waits is told. A second call does nothing."""
        self.parser.fault = self.parser.fault or "connection closed by LSD"
        self._unsent.clear()
        self.watched.close()

    async def _wait_slowly(self) -> None:
        """Without a poller, or with more to send."""
        with until(self.watched.deadline):
            if not self._unsent:
                await self._wait_readable()
                return
            # A server may answer before it has read everything, so both ways are open at once.
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._send_rest)
                await self._wait_readable()
                nursery.cancel_scope.cancel()

    async def _wait_readable(self) -> None:
        watched = self.watched
        if watched.poller is not None:
            await watched.wait_readable()
            return
        with suppress(trio.ClosedResourceError):  # the parser's `fault` says it
            await trio.lowlevel.wait_readable(watched.socket)
        watched.is_readable = True

    async def _send_rest(self) -> None:
        with suppress(trio.ClosedResourceError):
            while self._unsent:
                await trio.lowlevel.wait_writable(self.watched.socket)
                self._send_some()

    def _send_some(self) -> None:
        """Sends what the socket takes, a bounded amount."""
        unsent = self._unsent
        while unsent:
            piece = unsent[0]
            # After a refusal, TLS wants the same bytes again; the cut is always the same.
            sent = self._send(piece[:SEND_BYTES_MAX])
            if self._is_cut:
                return
            if sent < len(piece):
                unsent[0] = piece[sent:]
                return
            unsent.popleft()

    def _send(self, data: bytes | memoryview) -> int:
        """How much of it the socket has taken; all the same if the server has gone."""
        try:
            return self._send_now(data)
        except _NOT_NOW:
            return 0
        except OSError:
            # The server may have answered before; reading will tell.
            self._give_up_sending()
            return len(data)

    def _give_up_sending(self) -> None:
        self._unsent.clear()
        self._is_cut = True
