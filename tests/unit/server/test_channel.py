"""The channel between main process and workers: whole messages in order, and its end."""

import socket
from collections.abc import AsyncIterator

import pytest
import trio

from lsd.server.channel import Channel, ChannelClosed

Pair = tuple[Channel, Channel]


@pytest.fixture
async def pair() -> AsyncIterator[Pair]:
    """Both ends."""
    ours, theirs = (channel_on(each) for each in socket.socketpair())
    yield ours, theirs
    await ours.aclose()
    await theirs.aclose()


def channel_on(end: socket.socket) -> Channel:
    """A channel on a connected socket."""
    return Channel(trio.SocketStream(trio.socket.from_stdlib_socket(end)))


async def test_messages_arrive_whole_and_in_order(pair: Pair) -> None:
    """However large they are."""
    ours, theirs = pair
    sent = [{"n": 1}, {"n": 2, "text": "x" * 3_000_000}, {"n": 3, "nested": {"a": [None, True]}}]

    async def send_all() -> None:
        for message in sent:
            await ours.send(message)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(send_all)
        received = [await theirs.receive() for _ in sent]

    assert received == sent


async def test_both_ends_may_speak(pair: Pair) -> None:
    """At the same time."""
    ours, theirs = pair

    await ours.send({"from": "ours"})
    await theirs.send({"from": "theirs"})

    assert await theirs.receive() == {"from": "ours"}
    assert await ours.receive() == {"from": "theirs"}


async def test_the_end_of_the_other_process_is_noticed(pair: Pair) -> None:
    """By who waits for a message, and by who sends one."""
    ours, theirs = pair
    await theirs.send({"last": True})
    await theirs.aclose()

    assert await ours.receive() == {"last": True}
    with pytest.raises(ChannelClosed):
        await ours.receive()
    with pytest.raises(ChannelClosed):
        await ours.send({"n": 1})


async def test_a_message_that_breaks_off_is_none() -> None:
    """Its sender has died in the middle of it."""
    first, second = socket.socketpair()
    first.sendall((100).to_bytes(4, "big") + b'{"half":')
    first.close()

    channel = channel_on(second)
    with pytest.raises(ChannelClosed):
        await channel.receive()
    await channel.aclose()
