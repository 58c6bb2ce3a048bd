"""Reservation and settlement: what a call takes, what comes back, and what is told of a refusal."""

from collections.abc import Callable, Iterator, MutableMapping
from decimal import Decimal
from typing import Any

import attrs
import pytest
import trio
from structlog.testing import capture_logs

from lsd.access import CallLimits, RateLimiter, Ticket, Used
from lsd.config import Limit, RateLimiting, RateLimitRule, TagScope
from lsd.conversation import AttemptFailed, Usage
from lsd.store import Store
from tests.unit.store.makers import HandClock

Records = list[MutableMapping[str, Any]]


@pytest.fixture(autouse=True)
def log() -> Iterator[Records]:
    """What is logged during the test."""
    with capture_logs() as entries:
        yield entries


def limit(resource: Any, capacity: str, refill: str = "0", interval: Any = "minute") -> Limit:
    """A limit."""
    return Limit(
        resource=resource,
        interval=interval,
        capacity=Decimal(capacity),
        refill_rate=Decimal(refill),
    )


def always(*limits: Limit) -> RateLimitRule:
    """A rule for each user."""
    scope = (TagScope(tag_key="user", tag_value="lsd::each"),)
    return RateLimitRule(scope=scope, always=True, limits=limits)


@attrs.define(eq=False)
class Caller:
    """Makes calls under a rule, as one user."""

    limiter: RateLimiter
    refused: list[str]

    def limits(self, user: str = "a") -> CallLimits:
        found = self.limiter.limits_for({"user": user}, None)
        assert found is not None
        return found

    async def reserve(self, tokens: int | None = 0, user: str = "a") -> Ticket:
        return await self.limits(user).reserve(lambda: tokens)

    async def refusal(self, tokens: int | None = 0) -> AttemptFailed:
        with pytest.raises(AttemptFailed) as caught:
            await self.reserve(tokens)
        return caught.value

    async def count(self, tokens: int = 0, attempts: int = 20) -> int:
        """How many calls pass, one after the other, that give nothing back."""
        for passed in range(attempts):
            try:
                await self.reserve(tokens)
            except AttemptFailed:
                return passed
        return attempts


@pytest.fixture
async def under(store: Store, clock: HandClock, nursery: trio.Nursery) -> Callable[..., Caller]:
    """Makes callers under a rule with these limits."""
    writer = store.state_writer(clock)
    await nursery.start(writer.run)

    def make(*limits: Limit, default_cost: str = "1.00") -> Caller:
        refused: list[str] = []
        table = RateLimiting(rules=(always(*limits),), default_cost=Decimal(default_cost))
        limiter = RateLimiter.of(table, store.buckets(writer), clock, refused.append)
        assert limiter is not None
        return Caller(limiter, refused)

    return make


def used(
    tokens: tuple[int | None, int | None] = (None, None),
    cost: str | None = None,
    *,
    is_whole: bool = True,
) -> Used:
    """What a call has used, as a provider has told it."""
    usage = Usage(input_tokens=tokens[0], output_tokens=tokens[1])
    return Used.of(usage, None if cost is None else Decimal(cost), is_whole=is_whole)


def test_without_rules_there_is_no_limiter(store: Store, clock: HandClock) -> None:
    """Nor with rules that are switched off: then nothing is looked at for any request."""
    buckets = store.buckets(store.state_writer(clock))
    rules = (always(limit("token", "5")),)

    assert RateLimiter.of(RateLimiting(), buckets, clock) is None
    assert RateLimiter.of(RateLimiting(enabled=False, rules=rules), buckets, clock) is None


async def test_whom_no_rule_is_about_is_not_limited(under: Callable[..., Caller]) -> None:
    """Case 42: nothing is reserved."""
    caller = under(limit("model_inference", "1"))

    assert caller.limiter.limits_for({"team": "t"}, None) is None


async def test_as_many_calls_pass_as_there_is_room_for(under: Callable[..., Caller]) -> None:
    """Case 42: the sixth does not; another user has a bucket of his own."""
    caller = under(limit("model_inference", "5"))

    assert await caller.count() == 5
    await caller.reserve(user="b")
    assert caller.refused == ["model_inference"]


async def test_a_refusal_tells_everything(under: Callable[..., Caller]) -> None:
    """Resource, interval, scope as in the rule, what was wanted and what was there."""
    caller = under(limit("token", "310", "1000"))

    failure = await caller.refusal(tokens=1250)

    assert str(failure) == (
        "LSD rate limit exceeded: resource `token` per minute; "
        'scope tag_key="user", tag_value="lsd::each" (matched: "a"); '
        "requested 1250, available 310 (which will never be enough)"
    )
    assert (failure.kind, failure.resource, failure.retry_after_s) == ("own_limit", "token", None)
    assert not failure.transient


async def test_several_violated_limits_are_told_together(under: Callable[..., Caller]) -> None:
    """Case 48: the longest wait counts; each resource is counted once."""
    caller = under(
        limit("model_inference", "1", "1", "hour"),
        limit("cost", "1.50", "0.25"),
        limit("cost", "100", "0.25", "day"),
        limit("cost", "1.20", "0.25", "second"),
    )
    await caller.reserve()

    failure = await caller.refusal()

    assert str(failure).count("; requested 1, available ") == 3
    assert "resource `cost` per minute" in str(failure)
    assert "available 0.5, and resource" in str(failure)
    assert (failure.resource, failure.retry_after_s) == ("model_inference", 3600)
    assert caller.refused == ["model_inference", "cost"]


async def test_one_limit_that_never_gives_leaves_no_time_to_come_back(
    under: Callable[..., Caller],
) -> None:
    """Case 48: however soon the others would."""
    caller = under(limit("model_inference", "1", "1"), limit("cost", "0.5", "1"))

    assert (await caller.refusal()).retry_after_s is None


async def test_the_time_to_come_back_is_exact(
    under: Callable[..., Caller], clock: HandClock
) -> None:
    """Case 59: a moment before it is too early."""
    caller = under(limit("model_inference", "2", "1"))
    await caller.count()
    clock.advance_s(20.5)
    failure = await caller.refusal()
    assert failure.retry_after_s == 39.5

    clock.advance_s(39.499)
    await caller.refusal()
    clock.advance_s(0.001)

    await caller.reserve()


async def test_a_call_takes_what_it_may_use_and_gets_the_rest_back(
    under: Callable[..., Caller],
) -> None:
    """Case 50: 102 reserved, 11 used, 150 there: five pass, one after the other."""
    caller = under(limit("token", "150"))

    for _ in range(5):
        ticket = await caller.reserve(102)
        await ticket.settle(used((7, 4)))

    assert "available 95" in str(await caller.refusal(102))


async def test_what_was_used_beyond_is_a_debt(
    under: Callable[..., Caller], clock: HandClock, log: Records
) -> None:
    """Case 51: the next is refused until refills have paid for it; the log warns."""
    caller = under(limit("token", "100", "40"))
    ticket = await caller.reserve(60)

    await ticket.settle(used((100, 70)))

    failure = await caller.refusal(10)
    assert "requested 10, available 0" in str(failure)
    assert failure.retry_after_s == 120
    assert [(each["log_level"], each["reserved"], each["used"]) for each in log] == [
        ("warning", "60", "170")
    ]
    clock.advance_s(120)
    await caller.reserve(10)


async def test_tokens_that_cannot_be_estimated_are_refused_before_anything_is_taken(
    under: Callable[..., Caller],
) -> None:
    """Case 52: the message names what is missing."""
    caller = under(limit("model_inference", "1"), limit("token", "100"))

    failure = await caller.refusal(tokens=None)

    assert str(failure) == (
        "`max_tokens` is missing; wanted it, because a rate limit counts tokens"
    )
    assert await caller.count() == 1


async def test_without_a_limit_of_tokens_nobody_estimates(under: Callable[..., Caller]) -> None:
    """Case 52: then `max_tokens` may be missing, and no prompt is walked through."""
    caller = under(limit("model_inference", "1"))

    def fail() -> int:
        raise AssertionError("nobody should ask")

    await caller.limits().reserve(fail)


async def test_one_limit_without_room_leaves_the_others_alone(
    under: Callable[..., Caller],
) -> None:
    """Case 53: neither is charged."""
    caller = under(limit("model_inference", "3"), limit("token", "50"))

    await caller.refusal(tokens=60)

    assert await caller.count(tokens=10) == 3


async def test_money_that_was_not_spent_comes_back(under: Callable[..., Caller]) -> None:
    """Case 54: one dollar is reserved, three cents are spent."""
    caller = under(limit("cost", "1.02"))
    ticket = await caller.reserve()
    await ticket.settle(used(cost="0.02"))
    second = await caller.reserve()
    await second.settle(used(cost="0.01"))

    assert "requested 1, available 0.99" in str(await caller.refusal())


async def test_an_unknown_cost_keeps_what_was_reserved(
    under: Callable[..., Caller], log: Records
) -> None:
    """Case 54: and the log warns."""
    caller = under(limit("cost", "1.50"), default_cost="1.00")
    ticket = await caller.reserve()

    await ticket.settle(used((1, 1)))

    assert "available 0.5" in str(await caller.refusal())
    assert [each["event"] for each in log] == [
        "cost unknown: what was reserved for the call stays reserved"
    ]


@pytest.mark.parametrize(
    ("known", "left"),
    [
        (used((7, 4), is_whole=False), 48),
        (used((7, None)), 48),
        (used((None, None)), 48),
        (used((100, 12), is_whole=False), 38),
        (used((112, None)), 38),
        (used((7, 4)), 139),
    ],
    ids=["cut off", "half reported", "not reported", "cut off late", "half, and too much", "whole"],
)
async def test_nothing_comes_back_of_what_nobody_knows(
    under: Callable[..., Caller], known: Used, left: int
) -> None:
    """Cases 51, 57: but what is known to be too much is taken."""
    caller = under(limit("token", "150"))
    ticket = await caller.reserve(102)

    await ticket.settle(known)

    assert f"available {left}" in str(await caller.refusal(151))


async def test_inferences_are_used_up_by_calls_of_any_end(under: Callable[..., Caller]) -> None:
    """Case 55: one is one."""
    caller = under(limit("model_inference", "2"))
    for is_whole in (True, False):
        ticket = await caller.reserve()
        await ticket.settle(used((1, 1), is_whole=is_whole))

    await caller.refusal()


async def test_everything_comes_back_if_nothing_was_sent(under: Callable[..., Caller]) -> None:
    """Case 55: once."""
    caller = under(limit("model_inference", "2"), limit("token", "100"))
    await caller.reserve(10)
    ticket = await caller.reserve(90)

    ticket.give_back_nowait()
    ticket.give_back_nowait()

    assert await caller.count(tokens=90) == 1


async def test_a_ticket_is_settled_once(under: Callable[..., Caller]) -> None:
    """Whoever closes a stream need not know whether it has been."""
    caller = under(limit("token", "150"))
    ticket = await caller.reserve(100)

    await ticket.settle(used((5, 5)))
    await ticket.settle(used((5, 5)))
    ticket.settle_nowait(used((500, 5), is_whole=False))

    assert "available 140" in str(await caller.refusal(200))


async def test_limits_that_cannot_be_read_refuse_everything(
    under: Callable[..., Caller], store: Store, clock: HandClock
) -> None:
    """Nobody gets past them because something is broken."""
    writer = store.state_writer(clock)
    await writer.close()
    table = RateLimiting(rules=(always(limit("model_inference", "5")),))
    limiter = RateLimiter.of(table, store.buckets(writer), clock)
    assert limiter is not None

    failure = await Caller(limiter, []).refusal()

    assert failure.kind == "limits_unavailable"
    assert "the writer is closed" in str(failure)


async def test_what_cannot_be_settled_is_told_and_costs_no_answer(
    store: Store, clock: HandClock, log: Records
) -> None:
    """The call was made, whatever becomes of the store."""
    async with trio.open_nursery() as nursery:
        writer = store.state_writer(clock)
        await nursery.start(writer.run)
        table = RateLimiting(rules=(always(limit("token", "50")),))
        limiter = RateLimiter.of(table, store.buckets(writer), clock)
        assert limiter is not None
        ticket = await Caller(limiter, []).reserve(10)
        await writer.close()

    await ticket.settle(used((1, 1)))

    (entry,) = log
    assert (entry["log_level"], entry["event"]) == ("error", "rate limits not settled")
