"""The events of one stream on their way to the caller, and signs of life in its silences."""

from collections.abc import Awaitable, Callable

import trio
import trio.testing

from lsd.inference.stream_answer import KEEP_ALIVE
from lsd.inference.stream_sender import KEEP_ALIVE_S
from tests.unit.inference.conftest import StartGateway
from tests.unit.inference.fake_providers import Pause, chunk, said, stream_of, streams
from tests.unit.inference.gateway import PLAIN, Client, request


async def test_a_silent_stream_is_kept_alive(
    start: StartGateway, autojump_clock: trio.testing.MockClock
) -> None:
    """A comment every 15 seconds, so that nothing on the way gives the connection up."""
    gateway = start(PLAIN)
    gateway["one"].will(streams("a", Pause(40), "b", Pause(14), "c"))
    client = Client()

    await gateway.service.stream(request(stream=True), client.start)

    assert KEEP_ALIVE_S == 15
    comments = [piece for piece in client.pieces if piece.startswith(b":")]
    assert comments == [KEEP_ALIVE] * 2
    assert client.pieces.index(KEEP_ALIVE) == 1
    assert len(client.events) == 5


async def test_before_the_first_chunk_there_is_silence(
    start: StartGateway, autojump_clock: trio.testing.MockClock
) -> None:
    """Nothing has been answered yet, and it may become an error."""
    gateway = start(PLAIN)
    gateway["one"].will(stream_of(Pause(100), said("a"), Pause(1), chunk({}, finish_reason="stop")))
    client = Client()

    await gateway.service.stream(request(stream=True), client.start)

    assert KEEP_ALIVE not in client.pieces


async def test_a_comment_is_sent_to_its_end(
    start: StartGateway, autojump_clock: trio.testing.MockClock
) -> None:
    """A caller that reads slowly gets whole lines, also when the stream ends meanwhile."""
    gateway = start(PLAIN)
    gateway["one"].will(streams("a", Pause(16)))
    sent: list[bytes] = []

    async def take(piece: bytes) -> None:
        half = len(piece) // 2
        sent.append(piece[:half])
        await trio.sleep(5)
        sent.append(piece[half:])

    async def start_events() -> Callable[[bytes], Awaitable[None]]:
        return take

    await gateway.service.stream(request(stream=True), start_events)

    lines = b"".join(sent).decode().split("\n\n")
    assert [line[:7] for line in lines] == ["data: {", ": keep-", "data: {", "data: [", ""]
