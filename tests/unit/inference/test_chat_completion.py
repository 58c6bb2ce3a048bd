"""The plain way to an answer: render the input, ask the model, read what it says."""

import pytest

from lsd.inference.chat_completion import complete, start_completion
from tests.unit.inference.conftest import StartGateway
from tests.unit.inference.fake_providers import fails, says, streams
from tests.unit.inference.gateway import TWO_PROVIDERS, Gateway


@pytest.fixture
async def gateway(start: StartGateway) -> Gateway:
    """A gateway with two providers behind one model."""
    return start(TWO_PROVIDERS)


async def test_an_answer_has_all_the_calls_that_led_to_it(gateway: Gateway) -> None:
    """The failed ones, too; only those that gave something are its parts."""
    gateway["one"].will(fails(500))
    gateway["two"].will(says("Hi"))
    accepted, run = gateway.begin()

    answer = await complete(run, accepted, accepted.function.variants["v"].generation)

    assert [call.status for call in answer.calls] == ["error", "ok"]
    assert answer.parts == [answer.deciding] == [answer.calls[1]]
    assert answer.output == [{"type": "text", "text": "Hi"}]
    assert (answer.variant_name, answer.finish_reason) == ("v", "stop")
    assert not answer.is_interrupted


async def test_a_started_answer_tells_what_has_arrived(gateway: Gateway) -> None:
    """At any moment; the calls before the one that streams precede it."""
    gateway["one"].will(fails(500))
    gateway["two"].will(streams("An old", " pond"))
    accepted, run = gateway.begin(stream=True)

    started = await start_completion(run, accepted, accepted.function.variants["v"].generation)
    await started.stream.receive()
    started.stream.note()
    so_far = started.answer()
    while await started.stream.receive():
        pass
    await started.stream.settle()
    await started.stream.aclose()

    assert [call.status for call in started.preceding] == ["error"]
    assert so_far.output == [{"type": "text", "text": "An old"}]
    assert so_far.is_interrupted
    assert started.answer().output == [{"type": "text", "text": "An old pond"}]
    assert not started.answer().is_interrupted
