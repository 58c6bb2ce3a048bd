"""Timeouts: which one is reached first, and what is said then."""

import pytest
import trio
import trio.testing

from lsd.config import NonStreamingTimeouts, StreamingTimeouts, Timeouts
from lsd.inference.limits import (
    STREAM_IDLE_MS,
    Limit,
    ScopeLimits,
    TimeLimitReached,
    bounded_by,
    earlier,
)


def limit(value_ms: int, key: str = "timeouts.non_streaming.total_ms") -> Limit:
    """A limit of the provider "one"."""
    return Limit("provider", "one", key, value_ms)


def scope(
    *,
    plain_ms: int | None = None,
    ttft_ms: int | None = None,
    total_ms: int | None = None,
    idle_ms: int | None = None,
    default_idle_ms: int | None = None,
) -> ScopeLimits:
    """The limits of the model "m" with this `timeouts` table."""
    timeouts = Timeouts(
        non_streaming=NonStreamingTimeouts(total_ms=plain_ms),
        streaming=StreamingTimeouts(ttft_ms=ttft_ms, total_ms=total_ms, idle_ms=idle_ms),
    )
    return ScopeLimits.of("model", "m", timeouts, idle_ms=default_idle_ms)


@pytest.mark.parametrize(
    ("reached", "told"),
    [
        (limit(1200), 'provider "one": timeouts.non_streaming.total_ms = 1200 reached'),
        (
            Limit("model", "m", "timeouts.streaming.ttft_ms", 5),
            'model "m": timeouts.streaming.ttft_ms = 5 reached',
        ),
        (
            Limit("variant", "v", "timeouts.streaming.idle_ms", 7),
            'variant "v": timeouts.streaming.idle_ms = 7 reached',
        ),
        (
            Limit("gateway", "", "gateway.global_outbound_http_timeout_ms", 900_000),
            "gateway: gateway.global_outbound_http_timeout_ms = 900000 reached",
        ),
    ],
    ids=["provider", "model", "variant", "gateway"],
)
def test_a_timeout_tells_where_it_was_set(reached: Limit, told: str) -> None:
    """The message names the scope, its name, the key and the value, so that it can be changed."""
    assert str(TimeLimitReached(reached)) == told


async def test_what_takes_too_long_is_cancelled(autojump_clock: trio.testing.MockClock) -> None:
    """When the limit is reached, the work inside stops where it is."""
    began = trio.current_time()
    done: list[str] = []

    async def work() -> None:
        for step in ("first", "second"):
            await trio.sleep(1)
            done.append(step)

    with pytest.raises(TimeLimitReached) as reached, bounded_by(limit(1500)):
        await work()

    assert reached.value.limit == limit(1500)
    assert done == ["first"]
    assert trio.current_time() - began == pytest.approx(1.5)


async def test_what_is_quick_enough_is_left_alone(autojump_clock: trio.testing.MockClock) -> None:
    """Below the limit, and without one, nothing happens."""
    with bounded_by(limit(1500)):
        await trio.sleep(1.4)
    with bounded_by(None):
        await trio.sleep(80_000)


async def test_of_two_limits_the_one_reached_is_told(
    autojump_clock: trio.testing.MockClock,
) -> None:
    """An outer scope that ends first is the one that is named."""
    outer = Limit("model", "m", "timeouts.non_streaming.total_ms", 1000)

    with pytest.raises(TimeLimitReached) as reached, bounded_by(outer), bounded_by(limit(2000)):
        await trio.sleep_forever()

    assert reached.value.limit is outer


async def test_a_callers_cancellation_is_no_timeout() -> None:
    """A caller that leaves is not mistaken for a limit."""
    with trio.CancelScope() as callers_own:
        callers_own.cancel()
        with bounded_by(limit(1000)):
            await trio.sleep_forever()

    assert callers_own.cancelled_caught


@pytest.mark.parametrize(
    ("limits", "plain", "opening"),
    [
        (scope(), None, None),
        (scope(plain_ms=1), "non_streaming.total_ms", None),
        (scope(ttft_ms=1), None, "streaming.ttft_ms"),
        (scope(total_ms=1), None, "streaming.total_ms"),
        (scope(ttft_ms=1, total_ms=2), None, "streaming.ttft_ms"),
        (scope(ttft_ms=2, total_ms=1), None, "streaming.total_ms"),
        (scope(ttft_ms=2, total_ms=2), None, "streaming.ttft_ms"),
        (scope(idle_ms=1), None, None),
    ],
    ids=["none", "plain", "ttft", "total", "ttft first", "total first", "both at once", "idle"],
)
def test_the_earlier_limit_bounds_the_way_to_an_answer(
    limits: ScopeLimits, plain: str | None, opening: str | None
) -> None:
    """A plain answer has one limit; the first chunk of a stream has two, and the earlier counts."""
    found = [limits.plain, limits.opening]

    keys = [each and each.key.removeprefix("timeouts.") for each in found]
    assert keys == [plain, opening]


@pytest.mark.parametrize(
    ("configured", "default", "found"),
    [(None, None, None), (None, STREAM_IDLE_MS, 300_000), (7, STREAM_IDLE_MS, 7), (7, None, 7)],
)
def test_silence_is_bounded_at_providers_by_default(
    configured: int | None, default: int | None, found: int | None
) -> None:
    """Providers may be silent for five minutes, models and variants as long as they like."""
    idle = scope(idle_ms=configured, default_idle_ms=default).idle

    assert (None if idle is None else idle.value_ms) == found


def test_the_earlier_of_two_limits_counts() -> None:
    """A missing limit never counts."""
    assert earlier(limit(1), limit(2)) == limit(1)
    assert earlier(limit(2), limit(1)) == limit(1)
    assert earlier(None, limit(1)) == limit(1)
    assert earlier(limit(1), None) == limit(1)
    assert earlier(None, None) is None


def test_a_limit_is_told_in_seconds_to_those_who_wait() -> None:
    """Keys are in milliseconds, waiting is in seconds."""
    assert limit(1500).seconds == 1.5
