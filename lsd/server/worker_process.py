"""A worker as the main process sees it: a process of the same program, and the line to it."""

import os
import signal
import socket
import subprocess
import sys
from typing import Any, Final

import attrs
import trio

from lsd.server.channel import Channel, ChannelClosed

ANSWER_S_MAX: Final = 60.0
"""A worker that has not started, or built a configuration, within a minute hangs."""

_PROGRAM: Final = (
    "import sys; sys.path[:] = sys.argv[3:]; sys.dont_write_bytecode = {no_bytecode}; "
    "from lsd.server import run_worker; run_worker(int(sys.argv[1]), int(sys.argv[2]))"
)


@attrs.define(eq=False)
class WorkerProcess:
    """One process. It is asked one thing at a time, and told things in between."""

    number: int
    _process: trio.Process
    _channel: Channel

    @classmethod
    async def spawn(cls, number: int, listener: socket.socket) -> "WorkerProcess":
        """Starts the program that this process is, with its modules and its listening socket.

        By their paths, not by the command line: the file on it may be another one by now.
        """
        ours, theirs = socket.socketpair()
        program = _PROGRAM.format(no_bytecode=sys.dont_write_bytecode)
        passed = (theirs.fileno(), listener.fileno())
        with theirs:
            process = await trio.lowlevel.open_process(
                [sys.executable, "-P", "-c", program, *map(str, passed), *sys.path],
                stdin=subprocess.DEVNULL,
                pass_fds=passed,
            )
        stream = trio.SocketStream(trio.socket.from_stdlib_socket(ours))
        return cls(number, process, Channel(stream))

    @property
    def pid(self) -> int:
        """The number of the process."""
        return self._process.pid

    async def ask(self, order: str, **more: Any) -> str | None:
        """Gives an order; None when it was carried out, else why it was refused.

        A worker that does not answer in time is killed. Raises ChannelClosed.
        """
        with trio.move_on_after(ANSWER_S_MAX):
            await self._channel.send({"order": order, **more})
            refused: str | None = (await self._channel.receive())["refused"]
            return refused
        self.kill()
        raise ChannelClosed

    async def tell_to_stop(self, number: int, *, insists: bool) -> None:
        """Passes on what a signal has asked for; to the dead, too."""
        try:
            await self._channel.send({"order": "insist" if insists else "stop", "signal": number})
        except ChannelClosed:
            return

    async def wait(self) -> int:
        """The exit code, negative for a signal, once the process has ended."""
        code = await self._process.wait()
        await self._channel.aclose()
        return code

    def kill(self) -> None:
        """Ends it at once."""
        if self._process.returncode is None:
            os.kill(self._process.pid, signal.SIGKILL)
