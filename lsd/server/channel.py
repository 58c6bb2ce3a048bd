"""What the main process and a worker have to say to each other: JSON messages, whole, in order."""

from collections.abc import Mapping
from typing import Any

import attrs
import trio

from lsd.conversation import LsdError, encode_json, reread_json

_LENGTH_BYTES = 4


@attrs.frozen
class ChannelClosed(LsdError):
    """The process at the other end is no more."""


@attrs.define(eq=False)
class Channel:
    """One end of a channel over a connected stream."""

    _stream: trio.SocketStream
    _buffer: bytearray = attrs.field(factory=bytearray, init=False)
    _sending: trio.Lock = attrs.field(factory=trio.Lock, init=False)

    async def send(self, message: Mapping[str, Any]) -> None:
        """Sends a message. Raises ChannelClosed."""
        body = encode_json(message)
        try:
            async with self._sending:
                await self._stream.send_all(len(body).to_bytes(_LENGTH_BYTES, "big") + body)
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            raise ChannelClosed from None

    async def receive(self) -> dict[str, Any]:
        """The next message. Raises ChannelClosed."""
        length = int.from_bytes(await self._take(_LENGTH_BYTES), "big")
        message: dict[str, Any] = reread_json(await self._take(length))
        return message

    async def aclose(self) -> None:
        """Ends it; the other end is told."""
        await self._stream.aclose()

    async def _take(self, count: int) -> bytes:
        while len(self._buffer) < count:
            try:
                more = await self._stream.receive_some()
            except (trio.BrokenResourceError, trio.ClosedResourceError):
                raise ChannelClosed from None
            if not more:
                raise ChannelClosed
            self._buffer += more
        taken = bytes(self._buffer[:count])
        del self._buffer[:count]
        return taken
