"""Rate limits on the way of an inference: what each kind of end leaves of a reservation."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import attrs
import pytest
import trio

from lsd.access import RateLimiter
from lsd.inference import InferenceFailed
from tests.unit.inference.conftest import StartGateway
from tests.unit.inference.fake_providers import (
    USAGE,
    Hang,
    Refuse,
    Script,
    breaks_after,
    embeds,
    fails,
    says,
    streams,
)
from tests.unit.inference.gateway import EMBEDDING, Client, Gateway, Shelf, request
from tests.unit.store.makers import HandClock

TABLES = """
[models.m]
routing = ["one"]
[models.m.providers.one]
type = "openai"
model_name = "gpt-1"
cost = [{ pointer = "/usage/completion_tokens", cost_per_unit = 0.01 }]

[models.unpriced]
routing = ["one"]
providers.one = { type = "openai", model_name = "gpt-1" }

[models.pair]
routing = ["one", "two"]
providers.one = { type = "openai", model_name = "gpt-1" }
providers.two = { type = "openai", model_name = "gpt-1" }

[functions.chat]
type = "chat"
variants.v = { model = "m", max_tokens = 100 }

[functions.again]
type = "chat"
variants.v = { model = "m", retries = { num_retries = 3, max_delay_s = 0.001 } }

[functions.two]
type = "chat"
[functions.two.variants]
a.model = "m"
b.model = "m"
"""


@attrs.define(eq=False)
class Limited:
    """A gateway with one rule for everybody, whose buckets are never refilled."""

    gateway: Gateway

    async def refusal(self, **fields: Any) -> InferenceFailed:
        with pytest.raises(InferenceFailed) as caught:
            await self.gateway.infer(**fields)
        return caught.value


@pytest.fixture
async def limiting(
    start: StartGateway, shelf: Shelf, nursery: trio.Nursery
) -> AsyncIterator[Callable[[str], Limited]]:
    """Makes gateways with these short keys of a rule."""
    writer = shelf.store.state_writer(HandClock())
    await nursery.start(writer.run)

    def make(limits: str) -> Limited:
        rule = f"\n[[rate_limiting.rules]]\nalways = true\n{limits}\n"
        gateway = start(TABLES + EMBEDDING + rule, shelf=shelf)
        table = gateway.loaded.config.rate_limiting
        limiter = RateLimiter.of(table, shelf.store.buckets(writer), HandClock())
        gateway.service.limiter = gateway.embeddings.limiter = limiter
        return Limited(gateway)

    yield make
    await writer.close()


def once(resource: str, capacity: float) -> str:
    """A limit that is never refilled."""
    return f"{resource}_per_day = {{ capacity = {capacity}, refill_rate = 0 }}"


async def test_real_use_is_settled_before_the_answer(
    limiting: Callable[[str], Limited],
) -> None:
    """Case 50: 101 reserved, 15 used; a client that works in sequence sees exact balances."""
    limited = limiting(once("tokens", 150))
    limited.gateway["one"].will(says("Hi"))

    for _ in range(4):
        await limited.gateway.infer()

    assert "requested 101, available 90" in str(await limited.refusal())


async def test_money_is_settled_streamed_or_not(limiting: Callable[[str], Limited]) -> None:
    """Case 54: of a dollar each, five cents are spent."""
    limited = limiting(once("cost", 1.1))
    limited.gateway["one"].will(says("Hi"), streams("Hi", usage=USAGE), says("Hi"))

    await limited.gateway.infer()
    await limited.gateway.stream()
    await limited.gateway.infer()

    assert "requested 1, available 0.95" in str(await limited.refusal())


async def test_without_a_price_the_reservation_stays(limiting: Callable[[str], Limited]) -> None:
    """Case 54: a whole dollar."""
    limited = limiting(once("cost", 1.5))
    limited.gateway["one"].will(says("Hi"))

    await limited.gateway.infer(model_name="unpriced")

    assert "available 0.5" in str(await limited.refusal(model_name="unpriced"))


async def test_a_token_limit_needs_max_tokens(limiting: Callable[[str], Limited]) -> None:
    """Case 52: from the request as well as from the variant; nothing is sent without."""
    limited = limiting(once("tokens", 1000))
    limited.gateway["one"].will(says("Hi"))
    params = {"chat_completion": {"max_tokens": 10}}

    refused = await limited.refusal(model_name="m")
    await limited.gateway.infer(model_name="m", params=params)

    assert "`max_tokens` is missing" in str(refused)
    assert refused.cause == "providers"
    assert len(limited.gateway["one"].requests) == 1


async def test_a_failed_call_has_used_its_inference(limiting: Callable[[str], Limited]) -> None:
    """Case 55: a retry is charged again; the limit ends the retries with 429."""
    limited = limiting(once("model_inferences", 2))
    limited.gateway["one"].will(fails(500))

    failure = await limited.refusal(function_name="again")

    assert failure.cause == "rate_limit"
    assert len(limited.gateway["one"].requests) == 2
    assert [each.failure.kind for each in failure.failures] == ["server", "server", "own_limit"]


async def test_what_was_never_sent_is_free(limiting: Callable[[str], Limited]) -> None:
    """Case 55: a connection that was refused gives everything back."""
    limited = limiting(once("model_inferences", 2))
    limited.gateway["one"].will(*[Script(before=(Refuse(),))] * 3, says("Hi"))
    for _ in range(3):
        assert (await limited.refusal()).cause == "providers"

    await limited.gateway.infer()
    await limited.gateway.infer()
    assert (await limited.refusal()).cause == "rate_limit"


async def test_what_is_wrong_before_it_is_sent_takes_nothing(
    limiting: Callable[[str], Limited],
) -> None:
    """Case 55: an edit that cannot be made."""
    limited = limiting(once("model_inferences", 1))
    limited.gateway["one"].will(says("Hi"))

    bad = [{"pointer": "/messages/7/content", "value": 1}]
    assert (await limited.refusal(extra_body=bad)).cause == "providers"

    await limited.gateway.infer()


async def test_a_limit_moves_on_like_any_failure(limiting: Callable[[str], Limited]) -> None:
    """Inference case 34: no retry; other providers and variants are tried, under the same limit."""
    limited = limiting(once("model_inferences", 0))

    failure = await limited.refusal(function_name="two")
    pinned = await limited.refusal(function_name="two", variant_name="a")
    routed = await limited.refusal(model_name="pair")

    assert len(failure.failures) == 2
    assert len(routed.failures) == 2
    assert {each.cause for each in (failure, pinned, routed)} == {"rate_limit"}
    assert failure.retry_after_s is None
    assert limited.gateway["one"].requests == []


async def test_the_last_failure_decides(limiting: Callable[[str], Limited]) -> None:
    """The limit was hit by the first provider that was asked, and not by the last."""
    limited = limiting(once("model_inferences", 1))
    limited.gateway["one"].will(fails(500))

    failure = await limited.refusal(model_name="pair")

    assert [each.failure.kind for each in failure.failures] == ["server", "own_limit"]
    assert failure.cause == "rate_limit"


async def test_an_answer_from_the_cache_takes_nothing(limiting: Callable[[str], Limited]) -> None:
    """Case 56: a dry run takes like any other call."""
    limited = limiting(once("model_inferences", 2))
    limited.gateway["one"].will(says("Hi"))
    cached = {"cache_options": {"enabled": "on"}}

    for _ in range(4):
        await limited.gateway.infer(**cached)
    await limited.gateway.infer(dryrun=True)

    assert (await limited.refusal()).cause == "rate_limit"


async def test_a_stream_that_broke_off_gives_nothing_back(
    limiting: Callable[[str], Limited],
) -> None:
    """What it has used, nobody knows."""
    limited = limiting(once("tokens", 150))
    limited.gateway["one"].will(breaks_after("Hi"))

    await limited.gateway.stream()

    assert "available 49" in str(await limited.refusal())


async def test_a_client_that_leaves_a_stream_has_it_settled_at_once(
    limiting: Callable[[str], Limited], nursery: trio.Nursery
) -> None:
    """Case 57: nothing comes back."""
    limited = limiting(once("tokens", 150))
    limited.gateway["one"].will(streams("Hi", Hang()))
    client = Client()

    with trio.CancelScope() as scope:
        nursery.start_soon(_cancel_when_started, client, scope)
        await limited.gateway.service.stream(request(stream=True), client.start)

    assert "available 49" in str(await limited.refusal())
    assert limited.gateway["one"].open_responses == 0


async def _cancel_when_started(client: Client, scope: trio.CancelScope) -> None:
    while not client.pieces:
        await trio.lowlevel.checkpoint()
    scope.cancel()


async def test_limits_that_cannot_be_read_let_nobody_pass(
    start: StartGateway, shelf: Shelf
) -> None:
    """Each provider is refused for the same reason, and none is asked."""
    writer = shelf.store.state_writer(HandClock())
    await writer.close()
    gateway = start(
        TABLES + "\n[[rate_limiting.rules]]\nalways = true\nmodel_inferences_per_day = 5\n"
    )
    table = gateway.loaded.config.rate_limiting
    gateway.service.limiter = RateLimiter.of(table, shelf.store.buckets(writer), HandClock())

    failure = await Limited(gateway).refusal(function_name="two")

    assert failure.cause == "limits_unavailable"
    assert len(failure.failures) == 2
    assert gateway["one"].requests == []


async def test_embeddings_count_their_inputs(limiting: Callable[[str], Limited]) -> None:
    """Half a token per byte, or those that were sent; they have no `max_tokens`."""
    limited = limiting(once("tokens", 20))
    limited.gateway["one"].will(embeds([1.0, 2.0]))
    limited.gateway["two"].will(embeds([1.0, 2.0]))

    await limited.gateway.embed("0123456789" * 4)
    with pytest.raises(InferenceFailed) as caught:
        await limited.gateway.embed(tuple(range(14)))

    assert caught.value.cause == "rate_limit"
    assert "requested 14, available 13" in str(caught.value)


async def test_embeddings_are_limited_by_tags_and_key(
    start: StartGateway, shelf: Shelf, nursery: trio.Nursery
) -> None:
    """The key becomes a tag of the record."""
    writer = shelf.store.state_writer(HandClock())
    await nursery.start(writer.run)
    rules = """
    [gateway]
    auth.enabled = true
    [[rate_limiting.rules]]
    scope = { api_key_public_id = "lsd::each" }
    always = true
    model_inferences_per_day = 1
    """
    gateway = start(EMBEDDING + rules, shelf=shelf)
    table = gateway.loaded.config.rate_limiting
    gateway.embeddings.limiter = RateLimiter.of(table, shelf.store.buckets(writer), HandClock())
    gateway["one"].will(embeds([1.0]))

    await gateway.embed("hi", api_key_public_id="a" * 12)
    await gateway.embed("hi", api_key_public_id="b" * 12)
    with pytest.raises(InferenceFailed) as caught:
        await gateway.embed("hi", api_key_public_id="a" * 12)

    assert f'(matched: "{"a" * 12}")' in str(caught.value)
    await writer.close()
