"""One response on its way to the client: by one call where the server takes it, or by messages."""

from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from typing import Any, Protocol

import trio

from lsd import __version__
from lsd.api.errors import ErrorWords
from lsd.api.exchange import Answer, Headers, Send

Message = MutableMapping[str, Any]
SendMessage = Callable[[Message], Awaitable[None]]

VERSION_HEADER = (b"x-lsd-gateway-version", __version__.encode())

API_KEY = "lsd.api_key_public_id"
"""Where the scope of a request keeps the public id of the key that the front has found good."""

RESPONDER = "lsd.responder"
"""Where the scope of a request keeps its responder for the application behind the front."""

EXCHANGE = "lsd.exchange"
"""The ASGI extension of LSD's own server."""

LAST_WORDS_S = 1.0
"""Seconds that a stream cut off by a stop may take to tell so: its client may not be reading."""


class Exchange(Protocol):
    """What LSD's own server offers beside messages, which take longer.

    `request_headers` are by name, or None if two have the same name. `whole_body` is the body of
    the request, or None if it is still to be received. `cancel_scope` is that of the connection:
    whatever cancels a request ends its connection, too, so that it needs no scope of its own, which
    would cost ten microseconds.
    """

    @property
    def request_headers(self) -> dict[str, str] | None: ...

    @property
    def whole_body(self) -> bytes | None: ...

    @property
    def cancel_scope(self) -> trio.CancelScope: ...

    def when_gone(self, callback: Callable[[], None]) -> None:
        """Calls `callback` when the client leaves before it has its answer."""

    def answer(
        self, status: int, headers: Sequence[tuple[bytes, bytes]], body: bytes
    ) -> Awaitable[None]:
        """Sends a whole answer; its length is the server's to tell."""


class Responder:
    """Sends one response; nothing more once the client is gone.

    `words` are those in which a stream tells that it breaks off; `more_headers` stand in whatever
    is answered. `exchange` is None where there are only messages.
    """

    # Where all begin is told by the class: that costs a request nothing.
    is_client_gone = False
    is_done = False
    status: int | None = None
    _is_stream = False

    def __init__(
        self,
        send: SendMessage,
        is_head: bool,
        words: ErrorWords,
        more_headers: Headers = (),
        exchange: Exchange | None = None,
    ) -> None:
        self._send = send
        self._exchange = exchange
        self.is_head = is_head
        self.words = words
        self._more_headers = more_headers

    def client_left(self) -> None:
        """From now on nothing is sent."""
        self.is_client_gone = True
        self._exchange = None
        self._send = _to_nobody

    def answer(self, answer: Answer) -> Awaitable[None]:
        """Sends a whole answer."""
        if self._exchange is None:
            return self._answer_by_messages(answer)
        media_type = (b"content-type", answer.media_type.encode())
        headers = (media_type, *answer.headers, *self._more_headers, VERSION_HEADER)
        # Set first: a client that has all bytes may close at once, and has not left early.
        self.status, self.is_done = answer.status, True
        return self._exchange.answer(answer.status, headers, answer.body)

    async def no_content(self, headers: Headers = ()) -> None:
        """Sends 204, which has no body and no headers about one."""
        await self._start(204, [*headers])
        await self.end()

    async def start(self, headers: Headers) -> Send:
        """Sends the head of a stream; what is given takes its pieces."""
        self._is_stream = True
        await self._start(200, [*headers])
        return self._piece

    def end(self, last: bytes = b"") -> Awaitable[None]:
        """Ends what was started, with a last piece of the body."""
        self.is_done = True  # first, as above
        return self._send({"type": "http.response.body", "body": last, "more_body": False})

    async def answer_or_break_off(self, answer: Answer) -> None:
        """The answer, or if a stream has begun already, the same as its last event."""
        if self.status is None:
            await self.answer(answer)
        elif self._is_stream:
            await self._piece(self.words.last_event(answer))
            await self.end()

    async def say_stopping(self) -> None:
        """Tells the client that the daemon stops before its answer was complete."""
        if not self.is_done and not self.is_client_gone:
            await self.say_at_last(self.words.stopping())

    async def say_at_last(self, answer: Answer) -> None:
        """Answers or breaks off even if the request is cancelled, in the time that is left then."""
        with trio.move_on_after(LAST_WORDS_S, shield=True):
            await self.answer_or_break_off(answer)

    async def _answer_by_messages(self, answer: Answer) -> None:
        body = answer.body
        head = [
            (b"content-type", answer.media_type.encode()),
            (b"content-length", b"%d" % len(body)),
            *answer.headers,
        ]
        await self._start(answer.status, head)
        await self.end(b"" if self.is_head else body)

    def _start(self, status: int, head: list[tuple[bytes, bytes]]) -> Awaitable[None]:
        self.status = status
        head += self._more_headers
        head.append(VERSION_HEADER)
        return self._send({"type": "http.response.start", "status": status, "headers": head})

    def _piece(self, data: bytes) -> Awaitable[None]:
        return self._send({"type": "http.response.body", "body": data, "more_body": True})


async def _to_nobody(_: Message) -> None:
    """Stands for the sending to a client that is gone."""
