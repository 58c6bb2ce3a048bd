"""Calls of a batch API, and how they fail."""

from functools import partial

import pytest
import trio

from lsd.batches import NativeCalls
from lsd.conversation import AttemptFailed
from tests.unit.batches.desk import Desk
from tests.unit.inference.fake_providers import Break, Hang, Script


async def ask(desk: Desk) -> str:
    """The state of a job."""
    model = desk.gateway.prepared.model("m")
    assert model is not None
    provider = model.providers[0]
    api = provider.batches
    assert api is not None
    calls = NativeCalls(desk.gateway.prepared)
    job = await calls.ask(provider, {}, partial(api.poll, "b"), api.job)
    return job.state


async def test_a_call_shows_the_key_of_its_provider(desk: Desk) -> None:
    """And gives what the answer tells."""
    desk.provider.will(Script(body=(b'{"id":"b","status":"completed"}',)))

    assert await ask(desk) == "ended"
    assert desk.provider.requests[0].headers["Authorization"] == "Bearer sk-operators-own"


@pytest.mark.parametrize(
    "script", [Script(status=500), Script(before=(Break(),)), Script(before=(Hang(),))]
)
async def test_every_way_to_fail_is_one(
    desk: Desk, script: Script, autojump_clock: trio.abc.Clock
) -> None:
    """Errors, lost connections, silence."""
    desk.provider.will(script)

    with pytest.raises(AttemptFailed):
        await ask(desk)


async def test_a_job_that_cannot_be_given_up_is_told_in_the_log(desk: Desk) -> None:
    """There is nobody else to tell."""
    desk.provider.will(Script(status=500))
    model = desk.gateway.prepared.model("m")
    assert model is not None

    api = model.providers[0].batches
    assert api is not None

    await NativeCalls(desk.gateway.prepared).give_up(api, model.providers[0], "b", {})

    assert len(desk.provider.requests) == 1
