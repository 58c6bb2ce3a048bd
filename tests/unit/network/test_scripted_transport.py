"""Answers that are played in the process."""

import pytest
import trio
from trio.testing import MockClock

from lsd.conversation import ScriptedAnswer, WireRequest
from lsd.network import BodyTooLarge, ScriptedTransport, Transport, TransportFailed

REQUEST = WireRequest(method="POST", url="echo://echo", headers={}, body=b"{}")


def transport_of(*pieces: tuple[int, bytes], dropped: bool = False) -> Transport:
    """A transport that plays these pieces, whatever it is asked."""
    answer = ScriptedAnswer(
        status=200, headers={"Content-Type": "text/plain"}, pieces=pieces, dropped=dropped
    )
    return ScriptedTransport(lambda _: answer)


async def test_pieces_come_after_their_pauses(autojump_clock: MockClock) -> None:
    """The head comes with the first piece; each further piece after its own wait."""
    transport = transport_of((500, b"one"), (0, b""), (2000, b"two"))

    response = await transport.send(REQUEST)
    assert trio.current_time() == 0.5
    assert (response.status, dict(response.headers)) == (200, {"content-type": "text/plain"})
    assert await response.receive_some() == b"one"
    assert trio.current_time() == 0.5
    assert await response.receive_some() == b"two"
    assert trio.current_time() == 2.5
    assert await response.receive_some() == b""

    await response.aclose()
    await transport.aclose()


async def test_a_body_is_read_whole(autojump_clock: MockClock) -> None:
    """All pieces together are the body."""
    response = await transport_of((0, b"one"), (100, b"two")).send(REQUEST)

    assert await response.read(6) == b"onetwo"


async def test_a_body_beyond_the_bound_is_refused() -> None:
    """Reading stops at the bound."""
    response = await transport_of((0, b"one"), (0, b"two")).send(REQUEST)

    with pytest.raises(BodyTooLarge):
        await response.read(5)


async def test_a_dropped_answer_breaks_before_its_first_byte(autojump_clock: MockClock) -> None:
    """The wait of the first piece passes, then the connection is gone."""
    transport = transport_of((300, b""), dropped=True)

    with pytest.raises(TransportFailed) as caught:
        await transport.send(REQUEST)

    assert caught.value.sent
    assert trio.current_time() == 0.3


async def test_an_answer_without_pieces_has_an_empty_body() -> None:
    """Nothing to wait for, nothing to read."""
    response = await transport_of().send(REQUEST)

    assert await response.read(0) == b""


async def test_a_piece_whose_wait_was_cancelled_is_not_lost(autojump_clock: MockClock) -> None:
    """Whoever comes back after a timeout gets the piece after its whole wait."""
    response = await transport_of((0, b"one"), (1000, b"two")).send(REQUEST)
    await response.receive_some()

    with trio.move_on_after(0.5):
        await response.receive_some()

    assert await response.receive_some() == b"two"


async def test_nothing_comes_after_closing() -> None:
    """Closing drops what was still to come."""
    response = await transport_of((0, b"one"), (0, b"two")).send(REQUEST)

    await response.aclose()
    await response.aclose()

    assert await response.receive_some() == b""
