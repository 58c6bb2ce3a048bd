"""How the events of one stream reach the caller, with a sign of life in every silence."""

import attrs
import trio

from lsd.inference.reply import Send, StreamWriter

KEEP_ALIVE_S = 15.0
"""Silence after which something is sent, so that nothing between LSD and the caller gives up."""


@attrs.define(eq=False)
class StreamSender:
    """Sends the events of one stream, and a sign of life when there was nothing for a while.

    `last_at` is when the caller last heard or said anything, by trio's clock.
    """

    _send: Send
    _writer: StreamWriter
    _last_at: float
    _is_sending: bool = attrs.field(default=False, init=False)
    _sign_sent: trio.Event | None = attrs.field(default=None, init=False)
    """Set when the sign of life that is just being sent has been sent. A lock would be simpler, but
    trio gives other tasks a turn whenever one is taken, which costs more than all else of a piece;
    the server sees to it that they get theirs."""
    _keeping_alive: trio.CancelScope = attrs.field(factory=trio.CancelScope, init=False)

    async def send(self, data: bytes) -> None:
        """Waits until the caller takes `data`; sends nothing if it is empty."""
        if not data:
            return
        if self._sign_sent is not None:
            await self._sign_sent.wait()
        self._is_sending = True
        try:
            await self._send(data)
        finally:
            self._is_sending = False
        self._last_at = trio.current_time()

    async def keep_alive(self) -> None:
        """Runs until `end_keep_alive` is called."""
        with self._keeping_alive:
            while True:
                await trio.sleep_until(self._last_at + KEEP_ALIVE_S)
                if self._is_sending:
                    # What the caller is slow to take is a sign of life, too.
                    self._last_at = trio.current_time()
                elif trio.current_time() - self._last_at >= KEEP_ALIVE_S:
                    await self._give_sign()

    async def _give_sign(self) -> None:
        self._sign_sent = trio.Event()
        try:
            await self._send(self._writer.keep_alive)
        finally:
            self._sign_sent.set()
            self._sign_sent = None
        self._last_at = trio.current_time()

    async def end_keep_alive(self) -> None:
        """No sign of life follows; one that is being sent is sent to its end."""
        if self._sign_sent is not None:
            await self._sign_sent.wait()
        self._keeping_alive.cancel()
