"""The connections of a client: those in use, and those that wait for the next request."""

from collections import OrderedDict, deque
from math import inf

import attrs

from lsd.network._client_connection import ClientConnection
from lsd.network._client_request import Origin

IDLE_S_MAX = 60.0
"""An idle connection is kept this long: load balancers and NAT forget one after 60 s and more,
some without telling, while a new TLS connection costs two round trips."""

IDLE_MAX = 256
"""Idle connections kept, to all servers together. More than most machines have requests under way;
the usual bound on open files is four times as many."""


@attrs.define(eq=False)
class ClientPool:
    """Gives out the connection that was used last, which is the one most likely to live.

    Times are trio's. Nothing runs in the background: an idle connection's time is up when the
    pool is used next, whatever server is asked then.
    """

    _in_use: set[ClientConnection] = attrs.field(factory=set, init=False)
    _idle: OrderedDict[ClientConnection, None] = attrs.field(factory=OrderedDict, init=False)
    _idle_by_origin: dict[Origin, deque[ClientConnection]] = attrs.field(factory=dict, init=False)
    is_closed: bool = attrs.field(default=False, init=False)

    @property
    def in_use(self) -> int:
        """How many connections carry a request right now."""
        return len(self._in_use)

    @property
    def idle(self) -> int:
        """How many connections wait for the next request."""
        return len(self._idle)

    def take(self, origin: Origin, now: float) -> ClientConnection | None:
        """A connection that still lives; None: there is none, a new one may be added."""
        self._drop_idle(now)
        while (waiting := self._idle_by_origin.get(origin)) is not None:
            connection = waiting.pop()
            if not waiting:
                del self._idle_by_origin[origin]
            del self._idle[connection]
            if connection.is_quiet():
                self._in_use.add(connection)
                return connection
            connection.close()
        return None

    def add(self, connection: ClientConnection) -> bool:
        """Enters a new connection, in use from now on.

        False: the pool has been closed meanwhile, and now the connection is, too.
        """
        if self.is_closed:
            connection.close()
            return False
        self._in_use.add(connection)
        return True

    def give_back(self, connection: ClientConnection, now: float) -> None:
        """Its exchange is over; if anything is left of it, the connection is dropped."""
        if self.is_closed or not connection.can_be_reused:
            self.drop(connection)
            return
        self._in_use.remove(connection)
        connection.idle_since = now
        connection.watched.deadline = inf
        self._idle[connection] = None
        self._idle_by_origin.setdefault(connection.origin, deque()).append(connection)
        if len(self._idle) > IDLE_MAX:
            self._drop_oldest()

    def drop(self, connection: ClientConnection) -> None:
        """Closes a connection that was in use."""
        self._in_use.discard(connection)
        connection.close()

    def close(self) -> None:
        """Closes all connections, those in use, too, and keeps none from now on."""
        self.is_closed = True
        while self._idle:
            self._drop_oldest()
        while self._in_use:
            self._in_use.pop().close()

    def _drop_idle(self, now: float) -> None:
        """Closes those that were idle for too long; the oldest one comes first."""
        while self._idle and next(iter(self._idle)).idle_since <= now - IDLE_S_MAX:
            self._drop_oldest()

    def _drop_oldest(self) -> None:
        connection, _ = self._idle.popitem(last=False)
        waiting = self._idle_by_origin[connection.origin]
        waiting.popleft()
        if not waiting:
            del self._idle_by_origin[connection.origin]
        connection.close()
