"""One request and its answer, as the application sees them: ASGI's `receive` and `send`, and more.

What is more is LSD's own, and cheaper. In `scope["extensions"]["lsd.exchange"]` an application
finds an `Exchange`, of which these are for it:

- `request_headers`: by name; None if two have the same name: the scope has them all.
- `whole_body`: so no message need be received.
- `answer`: a whole answer without messages.
- `when_gone`: takes what is to be called when the client leaves. That costs nothing, while waiting
  for `http.disconnect` costs a nursery and a task.
- `cancel_scope`: the one in which the connection is served. To cancel it is the cheapest way to end
  a request from outside, if the connection may end, too; the application must let the `Cancelled`
  pass.
"""

from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any, Protocol

import trio

from lsd.network._server_answer import CONTINUE, BadAnswer, Framing, answer_head, whole_answer
from lsd.network._server_attendance import Attendance
from lsd.network._server_body import NOTHING_LEFT, RequestBody, body_of
from lsd.network._server_head import RequestHead, RequestRefused
from lsd.network._server_streams import ClientStream
from lsd.telemetry import logger

log = logger(__name__)

Message = MutableMapping[str, Any]

UNREAD_BYTES_MAX = 256 * 1024
"""Of a body that the application has not read, so much is read and dropped to keep the connection;
beyond it, a new connection is cheaper."""

_PIECES_PER_TURN = 32
"""A fast stream to a fast reader lets others have a turn after so many pieces."""


class Host(Protocol):
    """The connection of an exchange."""

    stream: ClientStream
    attendance: Attendance
    cancel_scope: trio.CancelScope
    is_gone: bool
    """Whether the client has left."""

    def receive_body(self) -> Awaitable[bytes]:
        """The next bytes; none if no more come, or not in time."""


class Exchange:
    """A request being answered.

    `whole_body` is the body of the request if all of it has come with the head, else None; it may
    be received, too. `unread` is what the connection has received and the body has not taken.
    `refusal` says what is wrong with the body; the application sees such a client leave. `framing`
    and `keeps_alive` are those of the answer, once there is a head.
    """

    # Not of attrs, which takes twice as long to set so many fields, for each request. Where those
    # begin that most requests do not look at is told by the class: that costs a request nothing.
    has_begun = False
    refusal: RequestRefused | None = None
    _bytes_left = 0
    _pieces = 0

    def __init__(self, host: Host, request: RequestHead, unread: bytes) -> None:
        self.request = request
        self.request_headers = request.headers
        length = request.content_length
        if length is not None and length <= len(unread):
            self.whole_body: bytes | None = unread[:length]
            self.unread = unread[length:]
            self.body: RequestBody = NOTHING_LEFT
        else:
            self.whole_body = None
            self.unread = unread
            self.body = body_of(request)
        self.cancel_scope = host.cancel_scope
        self.is_gone = host.is_gone
        self.framing: Framing | None = None
        self.keeps_alive = False
        self.is_complete = False
        self.is_torn = False
        self._host = host
        self._start: Message | None = None
        self._is_body_given = False
        self._is_over = False
        self._over: trio.Event | None = None
        self._when_gone: list[Callable[[], None]] | None = None

    async def receive(self) -> Message:
        """The next piece of the body; after the last one, `http.disconnect` when it is over."""
        if self._is_body_given or self._is_over or self.is_complete:
            await self._wait_over()
            return {"type": "http.disconnect"}
        if self.whole_body is not None:
            self._is_body_given = True
            return {"type": "http.request", "body": self.whole_body, "more_body": False}
        body, piece = self.body, b""
        try:
            piece, self.unread = body.feed(self.unread)
            if not piece and not body.is_complete:
                piece = await self._next_piece()
        except RequestRefused as refusal:
            self.refusal = refusal
        is_whole = body.is_complete
        if self.refusal is not None or not (piece or is_whole):
            self._is_over = True  # a request that is not whole gets no answer
            return {"type": "http.disconnect"}
        self._is_body_given = is_whole
        return {"type": "http.request", "body": piece, "more_body": not is_whole}

    async def send(self, message: Message) -> None:
        """Takes a message of the answer. What a client that is gone would get is dropped.

        Raises BadAnswer.
        """
        kind, start = message["type"], self._start
        if kind != "http.response.body":
            if kind != "http.response.start" or start is not None:
                raise BadAnswer("answer", f"the message {kind}", "one start, and pieces of a body")
            self._start = message  # sent with the first piece of the body, as ASGI wants it
            return
        if start is None or self.is_complete:
            raise BadAnswer("answer", "a body out of turn", "it after the start, and ended once")
        more = message.get("more_body", False)
        head = b"" if self.framing is not None else self._head(start)
        data = head + self._framed(message.get("body", b""), more)
        if self._is_over:
            return
        self.is_complete = not more
        if data:
            self.has_begun = True
            await self._write(data)
        if more:
            self._pieces += 1
            if self._pieces % _PIECES_PER_TURN == 0:
                await trio.lowlevel.checkpoint()
        elif self._over is not None:
            self._over.set()

    def answer(
        self, status: int, headers: Iterable[tuple[bytes, bytes]], body: bytes
    ) -> Awaitable[None]:
        """Sends a whole answer, when it is awaited, at once. If the client is gone, it is dropped.

        Header names are in lower case, and none is one in which the server has a say:
        `content-length`, `transfer-encoding`, `connection`, `date`. Raises BadAnswer.
        """
        if self._start is not None or self.is_complete:
            raise BadAnswer("answer", "another one", "one")
        host = self._host
        self.framing, self.keeps_alive = "length", self._may_keep_alive()
        date_line = host.attendance.date_line
        data = whole_answer(status, headers, body, self.request, self.keeps_alive, date_line)
        if not self._is_over:
            self.is_complete = self.has_begun = True
            if self._over is not None:
                self._over.set()
        return self._write(data)

    def when_gone(self, callback: Callable[[], None]) -> None:
        """Calls `callback` once when the client leaves before its answer is complete.

        That may be at once, or at any time in another task.
        """
        if self.is_gone:
            callback()
        elif self._when_gone is None:
            self._when_gone = [callback]
        else:
            self._when_gone.append(callback)

    def note_gone(self) -> None:
        """The client has left."""
        if self.is_gone:
            return
        self.is_gone = True
        if self._over is not None:
            self._over.set()
        if self._when_gone is not None and not self.is_complete:
            for callback in self._when_gone:
                try:
                    callback()
                except Exception as error:  # one request's bug must not end the server
                    log.error(  # noqa: TRY400 (has a traceback)
                        "what a leaving client calls has failed", exc_info=error
                    )

    def close(self) -> None:
        """The application has returned; what it has left behind is told that all is over."""
        self._is_over = True
        self._when_gone = None
        if self._over is not None:
            self._over.set()

    @property
    def is_owed(self) -> bool:
        """Whether a client is waiting for the answer, or for its end."""
        return not (self.is_complete or self.is_gone or self.refusal)

    async def _next_piece(self) -> bytes:
        """More of the body; nothing if that is its end, or the client has sent no more of it."""
        while True:
            if self.request.expects_continue and not self.has_begun:
                self.request.expects_continue = False
                await self._write(CONTINUE)
            self.unread = await self._host.receive_body()
            if not self.unread:
                return b""
            piece, self.unread = self.body.feed(self.unread)
            if piece or self.body.is_complete:
                return piece

    def _framed(self, body: bytes, more: bool) -> bytes:
        """The bytes that stand for this piece of the body."""
        framing = self.framing
        if framing == "length":
            bytes_left = self._bytes_left = self._bytes_left - len(body)
            if bytes_left < 0 or (bytes_left and not more):
                raise BadAnswer("answer", "a body of another length", "what Content-Length says")
            return body
        if framing == "chunks":
            end = b"" if more else b"0\r\n\r\n"
            return b"%x\r\n%b\r\n%b" % (len(body), body, end) if body else end
        return body if framing == "close" else b""

    def _head(self, start: Message) -> bytes:
        head, self.framing, self._bytes_left, self.keeps_alive = answer_head(
            start["status"],
            start.get("headers", ()),
            self.request,
            self._may_keep_alive(),
            self._host.attendance.date_line,
        )
        return head

    def _may_keep_alive(self) -> bool:
        request, body = self.request, self.body
        return (
            request.keeps_alive
            and not self._host.attendance.is_draining
            and (
                body.is_complete
                # Nobody knows whether a client that was not told to go on sends its body.
                or not (request.expects_continue or body.bytes_left_min > UNREAD_BYTES_MAX)
            )
        )

    async def _write(self, data: bytes) -> None:
        if self._is_over:
            return
        self.is_torn = True  # stays so if this is cancelled or fails
        try:
            await self._host.stream.send_all(data)
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            self._is_over = True
            self.note_gone()
        else:
            self.is_torn = False

    async def _wait_over(self) -> None:
        if self.is_gone or self.is_complete or self._is_over:
            # Who asks again and again does not keep the others from their work.
            await trio.lowlevel.checkpoint()
        else:
            if self._over is None:
                self._over = trio.Event()
            await self._over.wait()
