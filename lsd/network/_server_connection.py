"""A connection's life: one request after the other, until either side has had enough."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import attrs
import trio

from lsd.network._server_answer import error_answer
from lsd.network._server_attendance import NEVER, Attendance
from lsd.network._server_exchange import UNREAD_BYTES_MAX, Exchange, Message
from lsd.network._server_head import (
    HEAD_BYTES_MAX,
    RequestHead,
    RequestRefused,
    check_bytes,
    parse_head,
)
from lsd.network._server_streams import ClientStream
from lsd.network._socket_poller import nobody_asks
from lsd.telemetry import logger

log = logger(__name__)

AsgiApp = Callable[
    [Message, Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]],
    Awaitable[None],
]

Address = tuple[str, int] | None

HEAD_S_MAX = 10
"""From the first byte of a head to its last: a client that needs longer wants to hold a place."""

IDLE_S_MAX = 75
"""Of an idle connection: a little longer than common clients and proxies keep theirs, so that it
is they who close. A body may pause for as long."""

LINGER_S_MAX = 3
"""After an answer to a client that has sent more than was read. Closing at once would reset the
connection, and that can take the answer away from the client."""

_ASGI = {"version": "3.0", "spec_version": "2.3"}

_BROKEN = (trio.BrokenResourceError, trio.ClosedResourceError)


@attrs.define(eq=False, kw_only=True, repr=False)
class Connection:
    """A client's connection, served by the task that calls `run`."""

    app: AsgiApp
    stream: ClientStream
    attendance: Attendance
    client: Address
    server: Address
    expires_at: int = attrs.field(default=NEVER, init=False)
    is_gone: bool = attrs.field(default=False, init=False)
    cancel_scope: trio.CancelScope = attrs.field(factory=trio.CancelScope, init=False)
    _is_idle: bool = attrs.field(default=False, init=False)
    _is_late: bool = attrs.field(default=False, init=False)
    _unread: bytes = attrs.field(default=b"", init=False)
    _exchange: Exchange | None = attrs.field(default=None, init=False)

    async def run(self) -> None:
        """Serves until the connection is closed. Cancelled, it closes at once."""
        self.stream.when_gone = self._note_gone
        self.attendance.welcome(self)
        try:
            with self.cancel_scope, suppress(*_BROKEN):
                try:
                    while (head := await self._read_head()) and await self._serve(head):
                        pass
                except RequestRefused as refused:
                    log.warning("request refused", status=refused.status, reason=str(refused))
                    await self._answer_error(refused.status, str(refused))
            if self.cancel_scope.cancelled_caught and self._exchange is not None:
                await self._end_cancelled(self._exchange)
        finally:
            self.attendance.forget(self)
            # Nothing is left that knows itself, and would keep the last body for the collector.
            self.stream.when_gone = nobody_asks
            self._exchange = None
            await self.stream.aclose()

    def expire(self) -> None:
        """The client has not sent in time what it should."""
        self._is_late = not self._is_idle
        self.stream.end_input()

    def leave_if_idle(self) -> None:
        """Waits no longer for the next request. One that has arrived already is served."""
        if self._is_idle:
            self.stream.end_input()

    async def receive_body(self) -> bytes:
        """The next bytes of a request's body; none if no more come, or not in time."""
        self.expires_at = self.attendance.after(IDLE_S_MAX)
        try:
            data = await self.stream.receive_some()
        finally:
            self.expires_at = NEVER
        if self._is_late and not data and self._exchange is not None:
            wanted = f"pauses of at most {IDLE_S_MAX} s"
            self._exchange.refusal = RequestRefused(408, "body", "no end in time", wanted)
        return data

    def _note_gone(self) -> None:
        self.is_gone = True
        if self._exchange is not None:
            self._exchange.note_gone()

    async def _serve(self, head: bytes) -> bool:
        """Serves one request; whether another one may follow. Raises RequestRefused."""
        request = parse_head(head)
        exchange = self._exchange = Exchange(self, request, self._unread)
        try:
            await self.app(self._scope(request, exchange), exchange.receive, exchange.send)
        except Exception as error:
            log.error("the application failed", exc_info=error)  # noqa: TRY400 (has a traceback)
        else:
            if not exchange.is_complete and exchange.is_owed:
                log.error("the application did not answer to the end", path=request.path)
        finally:
            exchange.close()
        if not exchange.is_complete or exchange.is_torn:
            await self._end_incomplete(exchange)
            return False
        keeps_alive = exchange.keeps_alive
        if exchange.body.is_complete:
            self._unread = exchange.unread
            if keeps_alive or not (self._unread or self.stream.has_unread()):
                return keeps_alive
        elif keeps_alive and await self._drop_body(exchange):
            return True
        await self._linger()
        return False

    async def _read_head(self) -> bytes:
        """The next head; none if the client does not want anything more. Raises RequestRefused."""
        self._exchange = None
        data = self._unread
        if data:
            # Requests that have come together do not keep those of others waiting.
            await trio.lowlevel.checkpoint()
        else:
            self._is_idle = True
            self.expires_at = self.attendance.after(IDLE_S_MAX)
            if self.attendance.is_draining:
                self.stream.end_input()
            data = await self.stream.receive_some()
            self._is_idle = False
        end = data.find(b"\r\n\r\n")
        if end < 0 and data:
            data = await self._read_slow_head(bytearray(data))
            end = data.find(b"\r\n\r\n")
        self.expires_at = NEVER
        end += 4
        if end > HEAD_BYTES_MAX:
            raise _head_too_large()
        self._unread = data[end:]
        return data[:end]

    async def _read_slow_head(self, head: bytearray) -> bytes:
        """Reads on until there is a whole head; none if the client left before."""
        self.expires_at = self.attendance.after(HEAD_S_MAX)
        while True:
            check_bytes(head)
            if len(head) >= HEAD_BYTES_MAX:
                raise _head_too_large()
            more = await self.stream.receive_some()
            if not more and self._is_late:
                raise RequestRefused(408, "head", "no end in time", f"it within {HEAD_S_MAX} s")
            if not more:
                return b""
            searched = max(0, len(head) - 3)
            head += more
            if head.find(b"\r\n\r\n", searched) >= 0:
                return bytes(head)

    def _scope(self, request: RequestHead, exchange: Exchange) -> dict[str, Any]:
        return {
            "type": "http",
            "asgi": _ASGI,
            "http_version": request.version,
            "method": request.method,
            "scheme": "http",
            "path": request.path,
            "raw_path": request.raw_path,
            "query_string": request.query_string,
            "root_path": "",
            "headers": request.fields,
            "client": self.client,
            "server": self.server,
            "extensions": {"lsd.exchange": exchange},
        }

    async def _end_incomplete(self, exchange: Exchange) -> None:
        """Ends a connection whose answer is not whole, so that the client notices."""
        if exchange.has_begun:
            if exchange.framing == "close":
                await self.stream.abort()
        elif exchange.refusal is not None:
            raise exchange.refusal
        elif not exchange.is_gone:
            has_body = exchange.request.method != "HEAD"
            await self._answer_error(500, "internal error; the log tells more", has_body=has_body)

    async def _end_cancelled(self, exchange: Exchange) -> None:
        """Ends a connection whose scope was cancelled; an answer that was whole still arrives."""
        if not exchange.is_complete or exchange.is_torn:
            if exchange.framing == "close":
                await self.stream.abort()
        elif exchange.unread or not exchange.body.is_complete or self.stream.has_unread():
            await self._linger()

    async def _answer_error(self, status: int, text: str, *, has_body: bool = True) -> None:
        date_line = self.attendance.date_line
        await self.stream.send_all(error_answer(status, text, date_line, has_body=has_body))
        await self._linger()

    async def _drop_body(self, exchange: Exchange) -> bool:
        """Reads what the application did not; whether that brought the next request in reach."""
        self.expires_at = self.attendance.after(LINGER_S_MAX)
        body, unread, dropped = exchange.body, exchange.unread, 0
        with suppress(RequestRefused):  # its answer has been sent
            while dropped <= UNREAD_BYTES_MAX:
                piece, unread = body.feed(unread)
                dropped += len(piece)
                if body.is_complete:
                    self._unread = unread
                    return True
                unread = await self.stream.receive_some()
                if not unread:
                    break
        return False

    async def _linger(self) -> None:
        """Lets the client read its answer before the connection breaks."""
        self.expires_at = self.attendance.after(LINGER_S_MAX)
        await self.stream.send_eof()
        # What is there already could go on for ever: the input's end is not that of a flood.
        while not self._is_late and await self.stream.receive_some():
            pass


def _head_too_large() -> RequestRefused:
    return RequestRefused(431, "head", "more", f"at most {HEAD_BYTES_MAX} bytes")
