"""Several processes under one limit: together they get what it holds, and not one call more."""

import subprocess
import sys
import textwrap
from decimal import Decimal
from pathlib import Path
from typing import Any

from lsd.access.rate_rules import RateRules
from lsd.config import Limit, RateLimiting, RateLimitRule, TagScope
from lsd.telemetry import SystemClock
from tests.unit.store.makers import open_store

WORKER = textwrap.dedent(
    """
    import sys
    from pathlib import Path
    import trio
    from lsd.access import RateLimiter, Used
    from lsd.conversation import AttemptFailed, Usage
    from lsd.store import Store
    from lsd.telemetry import SystemClock
    from tests.faults.test_rate_limits_shared import table_of
    from tests.unit.store.makers import SMALL

    folder, resource, dies = Path(sys.argv[1]), sys.argv[2], sys.argv[3] == "dies"
    table = table_of(resource)

    async def main():
        store, clock = Store.open(folder, SMALL, is_server=False), SystemClock()
        passed = 0

        async def call():
            nonlocal passed
            try:
                ticket = await limiter.limits_for({"team": "t"}, None).reserve(lambda: 5)
            except AttemptFailed as failure:
                assert failure.kind == "own_limit", failure
                return
            passed += 1
            # Of five tokens four are used, so that there is room for more calls.
            await ticket.settle(
                Used.of(Usage(input_tokens=3, output_tokens=1), None, is_whole=True)
            )
            if dies and passed == 100:
                import os, signal
                print(passed, flush=True)
                os.kill(os.getpid(), signal.SIGKILL)

        async with trio.open_nursery() as nursery:
            writer = store.state_writer(clock)
            await nursery.start(writer.run)
            limiter = RateLimiter.of(table, store.buckets(writer), clock)
            print("ready", flush=True)
            sys.stdin.readline()
            async with trio.open_nursery() as calls:
                for _ in range(500):
                    calls.start_soon(call)
            await writer.close()
        store.close()
        print(passed, flush=True)

    trio.run(main)
    """
)


def table_of(resource: Any) -> RateLimiting:
    """A thousand for everybody together, never refilled."""
    limit = Limit(
        resource=resource, interval="month", capacity=Decimal(1000), refill_rate=Decimal(0)
    )
    scope = (TagScope(tag_key="team", tag_value="lsd::total"),)
    return RateLimiting(rules=(RateLimitRule(scope=scope, always=True, limits=(limit,)),))


def passed(folder: Path, resource: str, *workers: str) -> tuple[list[int], int]:
    """How many calls of each of some processes passed, all begun at once, and what is left."""
    store = open_store(folder)
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", WORKER, str(folder), resource, how],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for how in workers
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    counts = [int(process.communicate(timeout=60)[0]) for process in processes]
    (limit,) = RateRules.of(table_of(resource).rules).limits_for({"team": "t"}, None)
    clock = SystemClock()
    buckets = store.buckets(store.state_writer(clock))
    left = buckets.balance(limit.bucket, now_ms=clock.now_ms())
    store.close()
    return counts, left


def test_a_thousand_calls_pass_of_two_thousand(tmp_path: Path) -> None:
    """Case 47: four processes with five hundred calls each, all at once: exactly a thousand."""
    counts, left = passed(tmp_path, "model_inference", "lives", "lives", "lives", "lives")

    assert (sum(counts), left) == (1000, 0)


def test_what_comes_back_can_be_taken_again(tmp_path: Path) -> None:
    """Four of five tokens stay used, whoever else takes and gives back at the same time."""
    counts, left = passed(tmp_path, "token", "lives", "lives")

    assert 200 <= sum(counts) <= 249
    assert left == 1000 - 4 * sum(counts)


def test_a_process_that_is_killed_keeps_what_it_had_taken(tmp_path: Path) -> None:
    """Case 58: its reservations count, and nobody waits for the lock that it may have held."""
    (killed, lived), left = passed(tmp_path, "model_inference", "dies", "lives")

    assert (killed, lived) == (100, 500)
    assert 0 <= left <= 1000 - killed - lived
