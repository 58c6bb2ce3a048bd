"""A streamed answer that has started: its stream, and what it will be part of."""

from lsd.inference.variants import first_started_answer
from tests.unit.inference.conftest import StartGateway
from tests.unit.inference.fake_providers import streams
from tests.unit.inference.gateway import PLAIN


async def test_a_started_answer_knows_its_variant_before_its_end(start: StartGateway) -> None:
    """The first chunk names it already."""
    gateway = start(PLAIN)
    gateway["one"].will(streams("Hi"))
    accepted, run = gateway.begin(stream=True)

    started = await first_started_answer(run, accepted)

    assert (started.variant_name, started.preceding, started.calls_as_text) == ("v", (), False)
    await started.stream.aclose()
