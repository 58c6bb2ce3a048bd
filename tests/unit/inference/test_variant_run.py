"""One variant runs: in the way of its type, within its time."""

import pytest
import trio.testing

from lsd.inference.refusals import VariantFailed
from lsd.inference.variant_run import run_variant, start_variant
from tests.unit.inference.conftest import StartGateway
from tests.unit.inference.fake_providers import Pause, hangs, says, streams
from tests.unit.inference.gateway import PLAIN

LIMITED = (
    PLAIN
    + """
[functions.limited]
type = "chat"
[functions.limited.variants.v]
model = "m"
timeouts.non_streaming.total_ms = 1000
timeouts.streaming.total_ms = 2000
"""
)


async def test_a_variant_is_bounded_by_its_own_time(
    start: StartGateway, autojump_clock: trio.testing.MockClock
) -> None:
    """Whatever is open then is settled with the reason."""
    gateway = start(LIMITED)
    gateway["one"].will(hangs())
    accepted, run = gateway.begin(function_name="limited")

    with pytest.raises(VariantFailed) as failed:
        await run_variant(run, accepted, accepted.function.variants["v"])

    assert failed.value.cause == "timeout"
    (call,) = run.journal.calls
    assert call.error == 'variant "v": timeouts.non_streaming.total_ms = 1000 reached'


async def test_a_stream_goes_on_under_the_limits_of_its_variant(
    start: StartGateway, autojump_clock: trio.testing.MockClock
) -> None:
    """The time before the first chunk counts, too."""
    gateway = start(LIMITED)
    gateway["one"].will(streams("a", Pause(1.5), "b", Pause(1.5), "c"))
    accepted, run = gateway.begin(function_name="limited", stream=True)

    started = await start_variant(run, accepted, accepted.function.variants["v"])
    while await started.stream.receive():
        pass
    await started.stream.settle()
    await started.stream.aclose()

    answer = started.answer()
    assert answer.output == [{"type": "text", "text": "ab"}]
    assert answer.is_interrupted


async def test_in_time_it_answers(start: StartGateway) -> None:
    """The plain case."""
    gateway = start(LIMITED)
    gateway["one"].will(says("Hi"))
    accepted, run = gateway.begin(function_name="limited")

    answer = await run_variant(run, accepted, accepted.function.variants["v"])

    assert answer.output == [{"type": "text", "text": "Hi"}]
