"""One response on its way to the client, as ASGI messages."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

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

LAST_WORDS_S = 1.0
"""Seconds that a stream cut off by a stop may take to tell so: its client may not be reading."""


class Responder:
    """Sends one response as ASGI messages; nothing more once the client is gone.

    `words` are those in which a stream tells that it breaks off; `more_headers` stand in whatever
    is answered.
    """

    # Where all begin is told by the class: that costs a request nothing.
    is_client_gone = False
    is_done = False
    status: int | None = None
    _is_stream = False

    def __init__(
        self, send: SendMessage, is_head: bool, words: ErrorWords, more_headers: Headers = ()
    ) -> None:
        self._send = send
        self.is_head = is_head
        self.words = words
        self._more_headers = more_headers

    def client_left(self) -> None:
        """From now on nothing is sent."""
        self.is_client_gone = True
        self._send = _to_nobody

    async def answer(self, answer: Answer) -> None:
        """Sends a whole answer."""
        body = answer.body
        head = [
            (b"content-type", answer.media_type.encode()),
            (b"content-length", b"%d" % len(body)),
        ]
        head += answer.headers
        await self._start(answer.status, head)
        await self.end(b"" if self.is_head else body)

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
        # Set first: a client that has all bytes may close at once, and has not left early.
        self.is_done = True
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

    def _start(self, status: int, head: list[tuple[bytes, bytes]]) -> Awaitable[None]:
        self.status = status
        head += self._more_headers
        head.append(VERSION_HEADER)
        return self._send({"type": "http.response.start", "status": status, "headers": head})

    def _piece(self, data: bytes) -> Awaitable[None]:
        return self._send({"type": "http.response.body", "body": data, "more_body": True})


async def _to_nobody(_: Message) -> None:
    """Stands for the sending to a client that is gone."""
