"""A transport without a network: it plays answers that were thought up in this process."""

from collections.abc import Callable, Mapping
from math import inf
from typing import ClassVar

import attrs
import trio

from lsd.conversation import ScriptedAnswer, WireRequest
from lsd.network.transport import BodyTooLarge, TransportFailed, until


@attrs.define(eq=False)
class ScriptedTransport:
    """Asks `answer` once for each request, and plays what it says with its pauses."""

    answer: Callable[[WireRequest], ScriptedAnswer]

    async def send(self, request: WireRequest, deadline: float = inf) -> "ScriptedResponse":
        script = self.answer(request)
        pieces = list(reversed(script.pieces))
        # The head comes with the first piece, as a server sends it that thinks before it speaks.
        first_wait_ms = script.pieces[0][0] if script.pieces else 0
        with until(deadline):
            await trio.sleep(first_wait_ms / 1000)
        if script.dropped:
            raise TransportFailed("connection closed before the response began", sent=True)
        if pieces:
            pieces[-1] = (0, pieces[-1][1])
        headers = {name.lower(): value for name, value in script.headers.items()}
        return ScriptedResponse(script.status, headers, pieces, deadline)

    async def aclose(self) -> None:
        await trio.lowlevel.checkpoint()


@attrs.define(eq=False)
class ScriptedResponse:
    """A response being played. `_pieces` are those to come, the next one last."""

    may_be_read_on: ClassVar[bool] = True
    status: int
    headers: Mapping[str, str]
    _pieces: list[tuple[int, bytes]]
    deadline: float = inf

    async def read(self, bytes_max: int) -> bytes:
        body = bytearray()
        while piece := await self.receive_some():
            body += piece
            if len(body) > bytes_max:
                raise BodyTooLarge(bytes_max)
        return bytes(body)

    async def receive_some(self) -> bytes:
        while self._pieces:
            wait_ms, piece = self._pieces[-1]
            with until(self.deadline):
                await trio.sleep(wait_ms / 1000)
            self._pieces.pop()
            if piece:
                return piece
        return b""

    async def aclose(self) -> None:
        self._pieces.clear()
