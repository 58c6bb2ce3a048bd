"""Whoever words a streamed answer decides what is said of errors, and whether they are the end."""

from collections.abc import Sequence

import attrs
import trio.testing

from lsd.conversation import ModelMessage, ModelRequest, StreamEvent, StreamFault, Text
from lsd.inference.answers import Answer
from lsd.inference.direct_call import DirectCall
from lsd.inference.reply import Reply, Send
from lsd.inference.service import PATIENCE_S
from lsd.inference.stream_sender import KEEP_ALIVE_S
from tests.unit.inference.conftest import StartGateway
from tests.unit.inference.fake_providers import (
    Pause,
    Until,
    breaks_after,
    chunk,
    event,
    stream_of,
    streams,
)
from tests.unit.inference.gateway import PLAIN, Client, Gateway, Shelf


@attrs.define(eq=False)
class Strict:
    """Writes the number of events, and nothing any more after a fault."""

    first: bytes = b"(opening)"
    keep_alive: bytes = b"(alive)"
    end_mark: bytes = b"(end)"
    is_broken_off: bool = False
    reply: Reply | None = None

    def opening(self) -> bytes:
        return self.first

    def events(self, events: Sequence[StreamEvent]) -> bytes:
        if any(isinstance(event, StreamFault) for event in events):
            self.is_broken_off = True
            return b"(fault)"
        return b"(%d)" % len(events)

    def closing(self, answer: Answer) -> bytes:
        return b"(closing)"


async def streamed(gateway: Gateway, writer: Strict) -> str:
    """What a client gets."""
    model = gateway.prepared.model("m")
    assert model is not None
    messages = (ModelMessage(role="user", content=(Text(text="Hi"),)),)
    request = ModelRequest(messages=messages, stream=True)
    client = Client()

    async def open_writer(reply: Reply) -> tuple[Strict, Send]:
        writer.reply = reply
        return writer, await client.start()

    await gateway.service.stream_call(DirectCall(model=model, request=request), open_writer)
    return client.text


async def test_a_good_stream_has_an_opening_and_an_end(start: StartGateway) -> None:
    """The writer words everything between."""
    gateway = start(PLAIN)
    gateway["one"].will(streams("An old", " pond"))

    text = await streamed(gateway, Strict())

    assert text.startswith("(opening)")
    assert text.endswith("(closing)(end)")


async def test_nothing_follows_an_error_that_is_the_end(start: StartGateway, shelf: Shelf) -> None:
    """What had arrived is on record as interrupted."""
    gateway = start(PLAIN, shelf=shelf)
    gateway["one"].will(breaks_after("An old"))
    writer = Strict()

    text = await streamed(gateway, writer)

    assert text.endswith("(fault)")
    assert writer.reply is not None
    kept = await gateway.stored(writer.reply.run.inference_id)
    assert kept is not None
    assert kept.status == "interrupted"
    assert kept.body is not None
    assert kept.body.output == [{"type": "text", "text": "An old"}]


async def test_silence_of_a_provider_is_filled(
    start: StartGateway, autojump_clock: trio.testing.MockClock
) -> None:
    """A client hears soon that its request was accepted, and then from time to time."""
    gateway = start(PLAIN)
    assert PATIENCE_S < 2.5 * KEEP_ALIVE_S
    silence = Pause(2.5 * KEEP_ALIVE_S)
    gateway["one"].will(stream_of(silence, chunk({"content": "Hi"}, finish_reason="stop")))

    text = await streamed(gateway, Strict())

    assert text.startswith("(opening)(alive)(alive)(")
    assert text.endswith("(closing)(end)")


async def test_the_first_sign_of_life_may_be_the_opening(
    start: StartGateway, autojump_clock: trio.testing.MockClock
) -> None:
    """A client that has waited for all this time hears at once that its request was accepted."""
    gateway = start(PLAIN)
    later = trio.Event()
    gateway["one"].will(stream_of(Until(later), chunk({"content": "Hi"}, finish_reason="stop")))

    async with trio.open_nursery() as nursery:

        @nursery.start_soon
        async def speak_late() -> None:
            await trio.sleep(PATIENCE_S + 1)
            later.set()

        text = await streamed(gateway, Strict(first=b""))

    assert text.startswith("(alive)")
    assert text.endswith("(closing)(end)")


async def test_what_comes_with_an_error_does_not_undo_it(start: StartGateway, shelf: Shelf) -> None:
    """Events may arrive together; the error is the end all the same."""
    gateway = start(PLAIN, shelf=shelf)
    oops = event({"error": {"message": "oops"}})
    gateway["one"].will(stream_of(chunk({"content": "An"}) + oops + chunk({"content": " old"})))
    writer = Strict()

    text = await streamed(gateway, writer)

    assert text.endswith("(fault)")
    assert writer.reply is not None
    kept = await gateway.stored(writer.reply.run.inference_id)
    assert kept is not None
    assert kept.status == "interrupted"
