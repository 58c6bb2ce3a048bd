"""Small messages that wait for each other, so that one waking of their reader does for several."""

import socket
from collections.abc import Iterator
from typing import cast

import attrs
import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from lsd.network._joint_sends import HELD_MAX, TASKS_MIN, JointSends
from lsd.network._socket_poller import HAS_EPOLL, SocketPoller, WatchedSocket

pytestmark = pytest.mark.skipif(not HAS_EPOLL, reason="there is none but on Linux")

CONNECTIONS = 2 * HELD_MAX + TASKS_MIN


@attrs.define(eq=False)
class Sender:
    """A socket that writes down what is done with it."""

    name: str
    done: list[str]
    is_closed: bool = False

    def send(self, data: bytes, flags: int = 0) -> int:
        """Takes all."""
        self.done.append(f"{self.name} {'keeps' if flags == socket.MSG_MORE else 'sends'}")
        return len(data)

    def setsockopt(self, level: int, option: int, value: int) -> None:
        """What pushes out what was kept."""
        if self.is_closed:
            raise OSError("bad file descriptor")
        assert (level, option, value) == (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.done.append(f"{self.name} pushes")


def watched(sender: Sender, sends: JointSends) -> WatchedSocket:
    """As the poller would have it."""
    made = WatchedSocket(cast(socket.socket, sender))
    made.joint_sends = sends
    return made


async def test_what_is_sent_while_sends_are_joined_leaves_when_all_have_run() -> None:
    """Each message is the kernel's at once, and is kept there until the others are, too."""
    sends, done = JointSends(), list[str]()

    async def send(name: str) -> None:
        watched(Sender(name, done), sends).send(b"answer")

    async with trio.open_nursery() as nursery:
        for name in "abc":
            nursery.start_soon(send, name)
        await sends.join()
    watched(Sender("d", done), sends).send(b"answer")

    assert sorted(done[:3]) == ["a keeps", "b keeps", "c keeps"]
    assert sorted(done[3:]) == ["a pushes", "b pushes", "c pushes", "d sends"]
    assert done[-1] == "d sends"


async def test_many_do_not_wait_for_all() -> None:
    """The first ones are on their way while the others are written."""
    sends, done = JointSends(), list[str]()
    sends.are_joined = True

    for number in range(HELD_MAX + 1):
        watched(Sender(f"{number}", done), sends).send(b"answer")

    assert done[HELD_MAX : 2 * HELD_MAX] == [f"{number} pushes" for number in range(HELD_MAX)]
    assert done[2 * HELD_MAX :] == [f"{HELD_MAX} keeps"]


async def test_one_that_is_closed_does_not_keep_the_others() -> None:
    """Its kernel has let everything go with the closing."""
    sends, done = JointSends(), list[str]()
    gone = Sender("gone", done)
    sends.are_joined = True
    watched(gone, sends).send(b"answer")
    watched(Sender("here", done), sends).send(b"answer")
    gone.is_closed = True

    await sends.join()

    assert done == ["gone keeps", "here keeps", "here pushes"]


async def test_what_is_kept_leaves_even_if_the_poller_is_cancelled() -> None:
    """A stop does not make a client wait."""
    sends, done = JointSends(), list[str]()
    sends.are_joined = True
    watched(Sender("a", done), sends).send(b"answer")

    with trio.CancelScope() as scope:
        scope.cancel()
        await sends.join()

    assert (done, sends.are_joined) == (["a keeps", "a pushes"], False)


@pytest.fixture
def connections() -> Iterator[list[tuple[socket.socket, socket.socket]]]:
    """Over TCP: our ends, which do not block, and those of the peers."""
    made = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        for _ in range(CONNECTIONS):
            peer = socket.create_connection(listener.getsockname())
            ours, _address = listener.accept()
            ours.setblocking(False)
            made.append((ours, peer))
    yield made
    for ours, peer in made:
        ours.close()
        peer.close()


async def test_all_of_many_that_speak_at_once_are_answered(
    connections: list[tuple[socket.socket, socket.socket]],
) -> None:
    """By the kernel, too, a message that was kept is a message that arrives, whole and once."""
    poller = SocketPoller()

    async def echo(ours: WatchedSocket) -> None:
        for _ in range(3):
            await ours.wait_readable()
            data = ours.socket.recv(100)
            ours.note_read(len(data), 100)
            assert ours.send(data) == len(data)

    async with trio.open_nursery() as nursery:
        for ours, _ in connections:
            stream = WatchedSocket(ours)
            poller.watch(stream)
            nursery.start_soon(echo, stream)
        await wait_all_tasks_blocked()
        peers = [trio.socket.from_stdlib_socket(peer) for _, peer in connections]
        running = await nursery.start(_run, poller)
        for turn in range(3):
            for number, peer in enumerate(peers):
                await peer.send(b"%d of %d" % (number, turn))
            with trio.fail_after(20):
                answers = [await peer.recv(100) for peer in peers]
            assert answers == [b"%d of %d" % (number, turn) for number in range(CONNECTIONS)]
        running.cancel()
    poller.close()


async def _run(poller: SocketPoller, *, task_status: trio.TaskStatus[trio.CancelScope]) -> None:
    with trio.CancelScope() as scope:
        task_status.started(scope)
        await poller.run()
