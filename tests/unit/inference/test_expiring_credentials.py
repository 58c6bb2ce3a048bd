"""Tokens are fetched once, shared, renewed in time, and dropped when they are refused."""

from collections.abc import Sequence

import attrs
import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from lsd.conversation import AttemptFailed
from lsd.inference.expiring_credentials import (
    CREDENTIALS_MAX,
    EARLY_PAUSE_S,
    EARLY_S_MAX,
    RENEWAL_S_MAX,
    ExpiringCredentials,
)
from lsd.providers import AccessToken
from tests.unit.inference.gateway import TrioClock

HOUR_S = 3600


@attrs.define(eq=False)
class Endpoint:
    """Gives out numbered tokens, each when it is let; counts the questions."""

    clock: TrioClock
    lifetime_s: float = HOUR_S
    asked: int = 0
    is_ill: bool = False
    gate: trio.Event | None = None

    async def fetch(self) -> AccessToken:
        """One token."""
        self.asked += 1
        number = self.asked
        if self.gate is not None:
            await self.gate.wait()
        await trio.lowlevel.checkpoint()
        if self.is_ill:
            raise AttemptFailed(kind="server", text=f"ill {number}")
        now_s = self.clock.now_ms() / 1000
        return AccessToken(
            value=f"t{number}", issued_at_s=now_s, expires_at_s=now_s + self.lifetime_s
        )


@pytest.fixture
async def endpoint() -> Endpoint:
    """An endpoint on the clock of the test."""
    return Endpoint(TrioClock())


async def values(
    tokens: ExpiringCredentials[AccessToken], endpoint: Endpoint, tasks: int
) -> Sequence[str]:
    """What so many tasks get that ask at once."""
    got: list[str] = []

    async def ask() -> None:
        try:
            got.append((await tokens.get("key", endpoint.fetch)).value)
        except AttemptFailed as failure:
            got.append(str(failure))

    async with trio.open_nursery() as nursery:
        for _ in range(tasks):
            nursery.start_soon(ask)
    return got


async def test_one_question_serves_all_who_wait(
    endpoint: Endpoint, autojump_clock: MockClock
) -> None:
    """Case 54: fifty requests at the start of a day are one question to the endpoint."""
    tokens = ExpiringCredentials(endpoint.clock)

    assert await values(tokens, endpoint, 50) == ["t1"] * 50
    assert await values(tokens, endpoint, 1) == ["t1"]
    assert endpoint.asked == 1


async def test_all_who_wait_share_a_failure(endpoint: Endpoint, autojump_clock: MockClock) -> None:
    """An endpoint that is ill is not asked fifty times; the next request asks anew."""
    endpoint.is_ill = True
    tokens = ExpiringCredentials(endpoint.clock)

    assert await values(tokens, endpoint, 50) == ["ill 1"] * 50
    endpoint.is_ill = False
    assert await values(tokens, endpoint, 2) == ["t2"] * 2


async def test_each_waiter_has_a_failure_of_its_own(
    endpoint: Endpoint, autojump_clock: MockClock
) -> None:
    """What one request writes into it does not show in another."""
    endpoint.is_ill = True
    tokens = ExpiringCredentials(endpoint.clock)
    failures: list[AttemptFailed] = []

    async def ask() -> None:
        with pytest.raises(AttemptFailed) as failed:
            await tokens.get("key", endpoint.fetch)
        failures.append(failed.value)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(ask)
        nursery.start_soon(ask)

    first, second = failures
    assert first is not second
    assert first.text == second.text


async def test_another_fetches_when_the_first_is_cancelled(
    endpoint: Endpoint, autojump_clock: MockClock
) -> None:
    """Case 54: whoever leaves takes nothing from those who wait."""
    endpoint.gate = trio.Event()
    tokens = ExpiringCredentials(endpoint.clock)
    got: list[str] = []

    async def ask(scope: trio.CancelScope) -> None:
        with scope:
            got.append((await tokens.get("key", endpoint.fetch)).value)

    scopes = [trio.CancelScope() for _ in range(3)]
    async with trio.open_nursery() as nursery:
        for scope in scopes:
            nursery.start_soon(ask, scope)
            await wait_all_tasks_blocked()
        assert endpoint.asked == 1
        scopes[0].cancel()
        scopes[1].cancel()
        await wait_all_tasks_blocked()
        assert endpoint.asked == 2
        endpoint.gate.set()

    assert got == ["t2"]


async def test_a_token_is_renewed_before_its_end(
    endpoint: Endpoint, autojump_clock: MockClock
) -> None:
    """Five minutes before; the one request that notices fetches, the others go on."""
    tokens = ExpiringCredentials(endpoint.clock)
    await values(tokens, endpoint, 1)

    await trio.sleep(HOUR_S - RENEWAL_S_MAX - 1)
    assert await values(tokens, endpoint, 1) == ["t1"]
    await trio.sleep(1)

    assert sorted(await values(tokens, endpoint, 3)) == ["t1", "t1", "t2"]
    assert await values(tokens, endpoint, 1) == ["t2"]


async def test_a_short_life_is_used_for_nine_tenths(
    endpoint: Endpoint, autojump_clock: MockClock
) -> None:
    """A token of two minutes would else be renewed by every request."""
    endpoint.lifetime_s = 120
    tokens = ExpiringCredentials(endpoint.clock)
    await values(tokens, endpoint, 1)

    await trio.sleep(107)
    assert await values(tokens, endpoint, 1) == ["t1"]
    await trio.sleep(1)
    assert await values(tokens, endpoint, 1) == ["t2"]


async def test_a_token_serves_to_its_end_while_the_endpoint_is_ill(
    endpoint: Endpoint, autojump_clock: MockClock
) -> None:
    """A failed renewal costs nobody anything until the token is really over."""
    tokens = ExpiringCredentials(endpoint.clock)
    await values(tokens, endpoint, 1)
    endpoint.is_ill = True
    await trio.sleep(HOUR_S - RENEWAL_S_MAX)

    assert await values(tokens, endpoint, 1) == ["t1"]
    assert await values(tokens, endpoint, 1) == ["t1"]
    assert endpoint.asked == 2
    await trio.sleep(EARLY_PAUSE_S)
    assert await values(tokens, endpoint, 1) == ["t1"]
    assert endpoint.asked == 3

    await trio.sleep(RENEWAL_S_MAX)
    assert await values(tokens, endpoint, 1) == ["ill 4"]


async def test_nobody_waits_long_while_a_token_serves(
    endpoint: Endpoint, autojump_clock: MockClock
) -> None:
    """An endpoint that hangs holds one request for some seconds, and no other."""
    tokens = ExpiringCredentials(endpoint.clock)
    await values(tokens, endpoint, 1)
    await trio.sleep(HOUR_S - RENEWAL_S_MAX)
    endpoint.gate = trio.Event()
    started_at = trio.current_time()

    assert await values(tokens, endpoint, 3) == ["t1"] * 3
    assert trio.current_time() - started_at == EARLY_S_MAX


async def test_a_forgotten_token_is_not_given_again(
    endpoint: Endpoint, autojump_clock: MockClock
) -> None:
    """A refused token has no future, however long it would have lived."""
    tokens = ExpiringCredentials(endpoint.clock)
    await values(tokens, endpoint, 1)

    assert tokens.forget("t1") == "key"
    assert tokens.forget("t1") is None
    assert await values(tokens, endpoint, 1) == ["t2"]


async def test_keys_have_tokens_of_their_own(endpoint: Endpoint, autojump_clock: MockClock) -> None:
    """What was made out to one host is no use at another; the number of keys is bounded."""
    tokens = ExpiringCredentials(endpoint.clock)

    first = await tokens.get("a", endpoint.fetch)
    second = await tokens.get("b", endpoint.fetch)
    for number in range(CREDENTIALS_MAX):
        await tokens.get(number, endpoint.fetch)

    assert (first.value, second.value) == ("t1", "t2")
    assert (await tokens.get("a", endpoint.fetch)).value == f"t{CREDENTIALS_MAX + 3}"
