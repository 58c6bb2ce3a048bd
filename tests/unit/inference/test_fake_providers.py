"""The providers of these tests do what they are told."""

import pytest
import trio
import trio.testing

from lsd.conversation import WireRequest
from lsd.network import BodyTooLarge, TransportFailed
from tests.unit.inference.fake_providers import (
    Break,
    FakeProvider,
    FakeProviders,
    Pause,
    Script,
    answers,
    fails,
    streams,
)

REQUEST = WireRequest(method="POST", url="https://one.example", headers={}, body=b'{"a":1}')


async def test_scripts_are_played_in_their_order() -> None:
    """The last one again and again; every request is remembered."""
    provider = FakeProvider()
    provider.will(fails(500), answers(b"{}"))

    statuses = [(await provider.send(REQUEST)).status for _ in range(3)]

    assert statuses == [500, 200, 200]
    assert provider.bodies == [{"a": 1}] * 3


async def test_a_body_comes_in_its_pieces(autojump_clock: trio.testing.MockClock) -> None:
    """With pauses between them, and breaks where they were asked for."""
    provider = FakeProvider()
    provider.will(Script(before=(Pause(1),), body=(b"a", Pause(2), b"b", Break())))

    response = await provider.send(REQUEST)
    pieces = [await response.receive_some(), await response.receive_some()]

    assert pieces == [b"a", b"b"]
    assert trio.current_time() == 3
    with pytest.raises(TransportFailed):
        await response.receive_some()


async def test_a_response_that_was_read_is_closed() -> None:
    """Nobody has to close it then."""
    provider = FakeProvider()
    provider.will(answers(b"12345"))

    await (await provider.send(REQUEST)).read(5)

    assert provider.open_responses == 0


async def test_whoever_gets_a_response_has_to_close_it() -> None:
    """Closing twice is closing once."""
    provider = FakeProvider()
    provider.will(answers(b"12345"))

    response = await provider.send(REQUEST)
    with pytest.raises(BodyTooLarge):
        await response.read(4)
    assert provider.open_responses == 1
    await response.aclose()
    await response.aclose()

    assert provider.open_responses == 0


async def test_a_stream_ends_with_its_mark() -> None:
    """Unless it is told to break."""
    provider = FakeProvider()
    provider.will(streams("a"))

    body = await (await provider.send(REQUEST)).read(1 << 20)

    assert body.endswith(b"data: [DONE]\n\n")


def test_providers_are_known_by_their_names() -> None:
    """Only those that were asked have something to tell."""
    providers = FakeProviders()

    assert providers["one"] is providers["one"]
    assert providers.asked() == []
