"""A stream that was kept in the inference cache, given once more."""

import pytest
import trio

from lsd.conversation import ModelChunk, Text, TextChunk
from lsd.inference.journal import ModelCall
from lsd.inference.limits import Limit, ScopeLimits
from lsd.inference.replayed_stream import ReplayedStream
from lsd.inference.run import Run
from tests.unit.inference.conftest import StartGateway
from tests.unit.inference.gateway import PLAIN, attempt

CHUNKS = [
    ModelChunk(content=[TextChunk(id="0", text="An old")]),
    ModelChunk(content=[TextChunk(id="0", text=" pond")]),
    ModelChunk(finish_reason="stop"),
]


@pytest.fixture
async def run(start: StartGateway) -> Run:
    """A run with one call."""
    asked = attempt(start(PLAIN), stream=True)
    asked.run.begin_call(asked.generation, asked.model, asked.provider, asked.request)
    return asked.run


def replayed(run: Run) -> tuple[ReplayedStream, ModelCall]:
    """A stream for the call of the run."""
    (call,) = run.journal.calls
    return ReplayedStream(call, run, list(CHUNKS)), call


async def test_everything_is_there_at_once(run: Run) -> None:
    """All chunks, and then the end."""
    stream, _ = replayed(run)

    assert await stream.receive() == CHUNKS
    assert await stream.receive() == []


async def test_the_call_was_whole_when_it_was_kept(run: Run) -> None:
    """Settling it tells the journal what the stream says."""
    stream, call = replayed(run)
    await stream.receive()

    await stream.settle()
    await stream.aclose()

    assert call.status == "ok"
    assert call.answer.output == (Text(text="An old pond"),)


async def test_a_caller_that_leaves_had_all_of_it(run: Run) -> None:
    """What is in the cache has arrived, however little of it was sent on."""
    stream, call = replayed(run)

    stream.note()

    assert call.answer.output == (Text(text="An old pond"),)
    assert call.status == "open"


async def test_no_limit_is_reached_any_more(run: Run) -> None:
    """The stream waits for nobody, so no time can be too long."""
    stream, _ = replayed(run)
    limit = Limit("model", "m", "timeouts.streaming.total_ms", 1)

    stream.bound(ScopeLimits(total=limit, idle=limit), trio.current_time() - 100)

    assert await stream.receive() == CHUNKS
