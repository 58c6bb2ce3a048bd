"""The connections of a client: those in use, and those that wait for the next request."""

from collections.abc import Callable
from math import inf

import attrs
import trio

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

    now: Callable[[], float] = attrs.field(default=trio.current_time, init=False)
    """The time by trio's clock."""
    idle: int = attrs.field(default=0, init=False)
    """How many connections wait for the next request."""
    _open: set[ClientConnection] = attrs.field(factory=set, init=False)
    _waiting: dict[Origin, list[ClientConnection]] = attrs.field(factory=dict, init=False)
    """The idle ones; the one that was used last is the last one."""
    _drop_at: float = attrs.field(default=0.0, init=False)
    """No idle connection's time is up before this."""
    is_closed: bool = attrs.field(default=False, init=False)

    @property
    def in_use(self) -> int:
        """How many connections carry a request right now."""
        return len(self._open) - self.idle

    def take(self, origin: Origin, now: float) -> ClientConnection | None:
        """A connection that still lives; None: there is none, a new one may be added."""
        if now >= self._drop_at:
            self._drop_idle(now)
        waiting = self._waiting.get(origin)
        while waiting:
            connection = waiting.pop()
            self.idle -= 1
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

    def give_back(self, connection: ClientConnection) -> None:
        """Its exchange is over; if anything is left of it, the connection is dropped."""
        if self.is_closed or not connection.can_be_reused():
            self.drop(connection)
            return
        connection.idle_since = self.now()
        connection.watched.deadline = inf
        waiting = self._waiting.get(connection.origin)
        if waiting is None:
            self._waiting[connection.origin] = [connection]
        else:
            waiting.append(connection)
        self.idle += 1
        if self.idle > IDLE_MAX:
            self._drop_oldest()

    def drop(self, connection: ClientConnection) -> None:
        """Closes a connection that is not idle."""
        self._open.discard(connection)
        connection.close()

    def close(self) -> None:
        """Closes all connections, those in use, too, and keeps none from now on."""
        self.is_closed = True
        self.idle = 0
        self._waiting.clear()
        while self._open:
            self._open.pop().close()

    def _drop_idle(self, now: float) -> None:
        """Closes those that were idle for too long."""
        while self.idle and self._oldest().idle_since <= now - IDLE_S_MAX:
            self._drop_oldest()
        self._drop_at = (self._oldest().idle_since if self.idle else now) + IDLE_S_MAX
        self._waiting = {origin: each for origin, each in self._waiting.items() if each}

    def _drop_oldest(self) -> None:
        connection = self._oldest()
        self._waiting[connection.origin].remove(connection)
        self.idle -= 1
        self.drop(connection)

    def _oldest(self) -> ClientConnection:
        """Of those that are idle; there is one."""
        firsts = [waiting[0] for waiting in self._waiting.values() if waiting]
        return min(firsts, key=lambda each: each.idle_since)
