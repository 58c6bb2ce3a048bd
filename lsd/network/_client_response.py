"""A response on a connection of a pool."""

from collections.abc import Coroutine, Mapping
from typing import Any, ClassVar

import trio

from lsd.network._client_connection import ClientConnection
from lsd.network._client_pool import ClientPool
from lsd.network.content_coding import Inflater, Undecodable, inflater_for
from lsd.network.transport import BodyTooLarge, DeadlineReached, TransportFailed


class ClientResponse:
    """The pool has the connection back as soon as the last byte of the body is here, read or not.

    What is here is given without a turn of the event loop. When `receive_some` is cancelled,
    nothing is lost: one may read on, or close.
    """

    may_be_read_on: ClassVar[bool] = True
    _inflater: Inflater | None = None

    def __init__(self, connection: ClientConnection, pool: ClientPool) -> None:
        parser = connection.parser
        self.status = parser.status
        self.headers: Mapping[str, str] = parser.headers
        self._connection: ClientConnection | None = connection
        self._pool = pool
        self._is_coded = "content-encoding" in parser.headers
        self._deadline = connection.watched.deadline
        self._data = b""
        # Not the failure itself: it knows whoever read this, so that none of them could be freed.
        self._fault: str | None = None
        self._take(connection)

    @property
    def deadline(self) -> float:
        """The connection keeps it as long as there is something to wait for."""
        return self._deadline

    @deadline.setter
    def deadline(self, deadline: float) -> None:
        self._deadline = deadline
        if self._connection is not None:
            self._connection.watched.keep(deadline)

    async def read(self, bytes_max: int) -> bytes:
        if self._connection is None and not self._is_coded and self._fault is None:
            data, self._data = self._data, b""
            if len(data) > bytes_max:
                raise BodyTooLarge(bytes_max)
            return data
        pieces = []
        size = 0
        while piece := await self.receive_some():
            pieces.append(piece)
            size += len(piece)
            if size > bytes_max:
                raise BodyTooLarge(bytes_max)
        return b"".join(pieces)  # of one piece, this is no copy

    def receive_some(self) -> Coroutine[Any, Any, bytes]:
        # Not a coroutine of its own: each one on the way to a wait is walked through at its end.
        return self._receive_decoded() if self._is_coded else self.receive_raw()

    async def _receive_decoded(self) -> bytes:
        try:
            return await self._receive_inflated()
        except Undecodable as error:
            self._fault = str(error)
        raise TransportFailed(self._fault, sent=True)

    async def receive_raw(self) -> bytes:
        """As `receive_some`, but with the content coding still on."""
        if self._fault is not None:
            raise TransportFailed(self._fault, sent=True)
        while (connection := self._connection) is not None and not self._data:
            try:
                while not connection.take_in():
                    await connection.wait()
            except TransportFailed as failure:
                self._fault = failure.reason
                self._connection = None
                self._pool.drop(connection)
                raise
            self._take(connection)
        data, self._data = self._data, b""
        return data

    async def aclose(self) -> None:
        if self._connection is None and not self._data:
            return
        self._fault = "response: read after it was closed"
        self._data = b""
        if self._connection is not None:
            self._pool.drop(self._connection)
            self._connection = None

    def _take(self, connection: ClientConnection) -> None:
        parser = connection.parser
        self._data = parser.take()
        if parser.is_complete:
            self._connection = None
            self._pool.give_back(connection)

    async def _receive_inflated(self) -> bytes:
        inflater = self._inflater
        if inflater is None:
            inflater = self._inflater = inflater_for(self.headers)
            if inflater is None:
                self._is_coded = False
                return await self.receive_raw()
        if not inflater.is_hungry:
            # A few bytes may stand for much, and inflating them is work: others have their turn.
            await trio.lowlevel.checkpoint()
            if trio.current_time() >= self._deadline:
                raise DeadlineReached
            if piece := inflater.feed(b""):
                return piece
        while raw := await self.receive_raw():
            if piece := inflater.feed(raw):
                return piece
        inflater.end()
        return b""
