"""Calls that have failed are in the log, whether or not others have answered instead."""

from collections.abc import MutableMapping
from typing import Any

import pytest
import trio.testing

from lsd.inference import InferenceFailed
from tests.unit.inference.conftest import StartGateway
from tests.unit.inference.fake_providers import Script, breaks_after, embeds, fails, hangs, says
from tests.unit.inference.gateway import EMBEDDING, TWO_PROVIDERS

Records = list[MutableMapping[str, Any]]

SLOW = TWO_PROVIDERS + "[models.m.timeouts.non_streaming]\ntotal_ms = 1000\n"


def failures(log: Records) -> list[tuple[Any, ...]]:
    """Level, provider and kind of the calls that have failed."""
    told = [each for each in log if each["event"] == "call failed"]
    return [(each["log_level"], each["provider"], each["kind"]) for each in told]


@pytest.mark.parametrize(
    ("script", "level", "kind"),
    [
        (fails(503), "error", "server"),
        (fails(401), "error", "auth"),
        (fails(429), "error", "rate_limited"),
        (fails(400), "warning", "client_fault"),
    ],
)
async def test_a_call_that_another_makes_good_is_told(
    start: StartGateway, log: Records, script: Script, level: str, kind: str
) -> None:
    """An operator hears of a provider that is ill before the other one is."""
    gateway = start(TWO_PROVIDERS)
    gateway["one"].will(script)
    gateway["two"].will(says("Hi"))

    await gateway.infer()

    assert failures(log) == [(level, "one", kind)]
    assert (log[0]["model"], "HTTP" in log[0]["reason"]) == ("m", True)


async def test_limits_of_time_are_no_fault_of_providers(
    start: StartGateway, log: Records, autojump_clock: trio.testing.MockClock
) -> None:
    """Whoever runs LSD has set them."""
    gateway = start(SLOW)
    gateway["one"].will(hangs())

    with pytest.raises(InferenceFailed):
        await gateway.infer()

    assert failures(log) == [("warning", "one", "timeout")]


async def test_a_stream_that_breaks_off_is_told(start: StartGateway, log: Records) -> None:
    """Its answer had begun well."""
    gateway = start(TWO_PROVIDERS)
    gateway["one"].will(breaks_after("a"))

    await gateway.stream()

    assert failures(log) == [("error", "one", "transport")]


async def test_calls_for_embeddings_are_told(start: StartGateway, log: Records) -> None:
    """In the same words."""
    gateway = start(EMBEDDING)
    gateway["one"].will(fails(503))
    gateway["two"].will(embeds([1.0]))

    await gateway.embed("a")

    assert failures(log) == [("error", "one", "server")]


async def test_a_good_call_leaves_nothing(start: StartGateway, log: Records) -> None:
    """Nor does a caller that goes away."""
    gateway = start(TWO_PROVIDERS)
    gateway["one"].will(says("Hi"), hangs())

    await gateway.infer()
    with trio.move_on_after(0.01):
        await gateway.infer()

    assert log == []
