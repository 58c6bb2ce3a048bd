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
    _turn: trio.Lock = attrs.field(factory=trio.Lock, init=False)
    _keeping_alive: trio.CancelScope = attrs.field(factory=trio.CancelScope, init=False)

    async def send(self, data: bytes) -> None:
        """Waits until the caller takes `data`; sends nothing if it is empty."""
        if data:
            async with self._turn:
                await self._send_in_turn(data)

    async def keep_alive(self) -> None:
        """Runs until `end_keep_alive` is called."""
        with self._keeping_alive:
            while True:
                await trio.sleep_until(self._last_at + KEEP_ALIVE_S)
                async with self._turn:
                    # What was being sent until now is a sign of life, too.
                    if trio.current_time() - self._last_at >= KEEP_ALIVE_S:
                        await self._send_in_turn(self._writer.keep_alive)

    async def _send_in_turn(self, data: bytes) -> None:
        await self._send(data)
        self._last_at = trio.current_time()

    async def end_keep_alive(self) -> None:
        """No sign of life follows; one that is being sent is sent to its end."""
        async with self._turn:
            self._keeping_alive.cancel()
