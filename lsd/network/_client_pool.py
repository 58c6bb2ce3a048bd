"""The connections of a client: those in use, and those that wait for the next request."""

from collections import OrderedDict
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

    _open: set[ClientConnection] = attrs.field(factory=set, init=False)
    _idle: OrderedDict[ClientConnection, None] = attrs.field(factory=OrderedDict, init=False)
    _idle_by_origin: dict[Origin, list[ClientConnection]] = attrs.field(factory=dict, init=False)
    _drop_at: float = attrs.field(default=0.0, init=False)
    """No idle connection's time is up before this."""
    is_closed: bool = attrs.field(default=False, init=False)

    @property
    def in_use(self) -> int:
        """How many connections carry a request right now."""
        return len(self._open) - len(self._idle)

    @property
    def idle(self) -> int:
        """How many connections wait for the next request."""
        return len(self._idle)

    def take(self, origin: Origin, now: float) -> ClientConnection | None:
        """A connection that still lives; None: there is none, a new one may be added."""
        if now >= self._drop_at:
            self._drop_idle(now)
        waiting = self._idle_by_origin.get(origin)
        while waiting:
            connection = waiting.pop()
            del self._idle[connection]
            if connection.is_quiet():
                return connection
            self.drop(connection)
        return None

    def add(self, connection: ClientConnection) -> bool:
        """Enters a new connection, in use from now on.

        False: the pool has been closed meanwhile, and now the connection is, too.
        """
        if self.is_closed:
            connection.close()
            return False
        self._open.add(connection)
        return True

    def give_back(self, connection: ClientConnection, now: float) -> None:
        """Its exchange is over; if anything is left of it, the connection is dropped."""
        if self.is_closed or not connection.can_be_reused:
            self.drop(connection)
            return
        connection.idle_since = now
        connection.watched.deadline = inf
        self._idle[connection] = None
        waiting = self._idle_by_origin.get(connection.origin)
        if waiting is None:
            self._idle_by_origin[connection.origin] = [connection]
        else:
            waiting.append(connection)
        if len(self._idle) > IDLE_MAX:
            self._drop_oldest()

    def drop(self, connection: ClientConnection) -> None:
        """Closes a connection that is not idle."""
        self._open.discard(connection)
        connection.close()

    def close(self) -> None:
        """Closes all connections, those in use, too, and keeps none from now on."""
        self.is_closed = True
        self._idle.clear()
        self._idle_by_origin.clear()
        while self._open:
            self._open.pop().close()

    def _drop_idle(self, now: float) -> None:
        """Closes those that were idle for too long; the oldest one comes first."""
        while self._idle and next(iter(self._idle)).idle_since <= now - IDLE_S_MAX:
            self._drop_oldest()
        oldest = next(iter(self._idle), None)
        self._drop_at = (now if oldest is None else oldest.idle_since) + IDLE_S_MAX
        for origin in [each for each, waiting in self._idle_by_origin.items() if not waiting]:
            del self._idle_by_origin[origin]

    def _drop_oldest(self) -> None:
        connection, _ = self._idle.popitem(last=False)
        self._idle_by_origin[connection.origin].remove(connection)
        self.drop(connection)
