"""The spans of rate limits, below the call that they are for."""

from collections.abc import Callable
from typing import Any

import pytest

from lsd.access import RateLimiter
from lsd.inference import InferenceFailed
from lsd.telemetry import Span, Trace
from tests.unit.inference.conftest import StartGateway
from tests.unit.inference.fake_providers import (
    USAGE,
    Refuse,
    Script,
    breaks_after,
    embeds,
    fails,
    says,
    streams,
)
from tests.unit.inference.gateway import EMBEDDING, Shelf
from tests.unit.inference.traced import Traced, named, one, starting_with
from tests.unit.store.makers import HandClock

CONFIG = (
    EMBEDDING
    + """
[models.m]
routing = ["one"]
[models.m.providers.one]
type = "openai"
model_name = "gpt-1"
cost = [{ pointer = "/usage/completion_tokens", cost_per_unit = 0.01 }]
[functions.chat]
type = "chat"
variants.v = { model = "m", max_tokens = 100 }
[[rate_limiting.rules]]
always = true
scope = { tag_key = "user", tag_value = "lsd::each" }
"""
)

BY_ALICE: dict[str, Any] = {"tags": {"user": "alice", "plan": "free"}}

Limiting = Callable[[str], Traced]


@pytest.fixture
async def limiting(start: StartGateway, shelf: Shelf, nursery: Any) -> Any:
    """Makes traced gateways with these short keys of a rule."""
    writer = shelf.store.state_writer(HandClock())
    await nursery.start(writer.run)

    def make(limits: str) -> Traced:
        gateway = start(CONFIG + limits, shelf=shelf)
        table = gateway.loaded.config.rate_limiting
        limiter = RateLimiter.of(table, shelf.store.buckets(writer), HandClock())
        gateway.service.limiter = gateway.embeddings.limiter = limiter
        return Traced(gateway)

    yield make
    await writer.close()


def steps(trace: Trace) -> tuple[Span, Span, Span]:
    """A call, its reservation, and its settlement."""
    call = one(trace, "model_provider_inference")
    reserved, settled = one(trace, "rate_limiting_reserve"), one(trace, "rate_limiting_settle")
    assert reserved.parent_id == settled.parent_id == call.span_id
    return call, reserved, settled


async def test_a_call_has_its_reservation_and_its_settlement(limiting: Limiting) -> None:
    """With what was estimated, for whom, and what it was in the end."""
    traced = limiting("tokens_per_day = 500\ncost_per_day = 5")
    traced.gateway["one"].will(says("Hi"))

    with traced.request() as trace:
        await traced.gateway.infer(**BY_ALICE)

    _, reserved, settled = steps(trace)
    assert starting_with("estimated_usage.", reserved.attributes) == {
        "model_inferences": 1,
        "tokens": 101,
        "cost": 1.0,
    }
    assert starting_with("scope_info.", reserved.attributes) == {
        "tags.user": "alice",
        "tags.plan": "free",
    }
    assert settled.attributes == {
        "actual_usage.model_inferences": 1,
        "actual_usage.tokens": 15,
        "actual_usage.cost": 0.05,
        "underestimate": False,
    }


async def test_no_cost_is_estimated_where_none_is_limited(limiting: Limiting) -> None:
    """Nothing was reserved of it."""
    traced = limiting("model_inferences_per_day = 5")
    traced.gateway["one"].will(says("Hi"))

    with traced.request() as trace:
        await traced.gateway.infer(**BY_ALICE)

    assert "estimated_usage.cost" not in one(trace, "rate_limiting_reserve").attributes


@pytest.mark.parametrize(
    ("script", "usage", "underestimate"),
    [
        (streams("a", usage=USAGE), {"model_inferences": 1, "tokens": 15, "cost": 0.05}, False),
        (streams("a"), {"model_inferences": 1, "cost": 0.0}, True),
        (breaks_after("a"), {"model_inferences": 1, "cost": 0.0}, True),
    ],
)
async def test_what_is_not_known_for_certain_is_an_underestimate(
    limiting: Limiting, script: Script, usage: dict[str, Any], *, underestimate: bool
) -> None:
    """A stream may report nothing, or break off."""
    traced = limiting("tokens_per_day = 500")
    traced.gateway["one"].will(script)

    with traced.request() as trace:
        await traced.gateway.stream(**BY_ALICE)

    _, _, settled = steps(trace)
    assert starting_with("actual_usage.", settled.attributes) == usage
    assert settled.attributes["underestimate"] is underestimate


async def test_a_refusal_is_told_on_the_reservation(limiting: Limiting) -> None:
    """There is nothing to settle then."""
    traced = limiting("tokens_per_day = 50")

    with traced.request() as trace, pytest.raises(InferenceFailed):
        await traced.gateway.infer(**BY_ALICE)

    assert "rate limit exceeded" in str(one(trace, "rate_limiting_reserve").error)
    assert named(trace, "rate_limiting_settle") == []


async def test_what_was_never_sent_has_used_nothing(limiting: Limiting) -> None:
    """Everything was given back."""
    traced = limiting("tokens_per_day = 500")
    traced.gateway["one"].will(Script(before=(Refuse(),)))

    with traced.request() as trace, pytest.raises(InferenceFailed):
        await traced.gateway.infer(**BY_ALICE)

    _, _, settled = steps(trace)
    assert starting_with("actual_usage.", settled.attributes) == {
        "model_inferences": 0,
        "tokens": 0,
        "cost": 0.0,
    }


async def test_a_failed_call_keeps_what_was_reserved(limiting: Limiting) -> None:
    """Nobody knows what it has used; nothing is settled."""
    traced = limiting("tokens_per_day = 500")
    traced.gateway["one"].will(fails(500))

    with traced.request() as trace, pytest.raises(InferenceFailed):
        await traced.gateway.infer(**BY_ALICE)

    assert len(named(trace, "rate_limiting_reserve")) == 1
    assert named(trace, "rate_limiting_settle") == []


async def test_embeddings_are_limited_alike(limiting: Limiting) -> None:
    """Their tokens are those of the inputs."""
    traced = limiting("tokens_per_day = 500")
    traced.gateway["one"].will(embeds([1.0]))

    with traced.request() as trace:
        await traced.gateway.embed("abcd", tags={"user": "alice"})

    _, reserved, settled = steps(trace)
    assert reserved.attributes["estimated_usage.tokens"] == 2
    assert settled.attributes["actual_usage.tokens"] == 7
    assert settled.attributes["underestimate"] is False
