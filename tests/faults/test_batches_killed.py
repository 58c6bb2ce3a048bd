"""The daemon dies again and again in the middle of a batch: every item ends once."""

import time
from collections import Counter
from random import Random
from typing import Any

import attrs
import pytest

from tests.api.asking import open_store
from tests.api.batching import (
    bounded,
    by_text,
    configured,
    polled,
    row,
    submitted,
    text_of_request,
    texts,
)
from tests.api.conftest import StartGateway
from tests.api.gateway import Gateway
from tests.fakes.openai_scripts import completes, fails
from tests.fakes.provider_thread import FakeProviderThread
from tests.fakes.recorded import RecordedRequest
from tests.fakes.script import Delay, Script

CONCURRENCY = 8

PROGRESS_S_MAX = 120.0
"""Between two kills, and after the last, for a machine that does much else."""

RETRIES = "retries = { num_retries = 7, max_delay_s = 0.05 }"
"""So many that the moods of the provider never fail an item."""


@attrs.define(eq=False)
class Moody:
    """A provider that fails at random, hangs at times and limits rates.

    It counts how often it had an answer for each item.
    """

    random: Random = attrs.field(factory=lambda: Random(7))
    answers: Counter[str] = attrs.field(factory=Counter)

    def __call__(self, request: RecordedRequest) -> Script:
        """What one request gets."""
        mood = self.random.random()
        if mood < 0.05:
            return fails(500)
        if mood < 0.08:
            return fails(429, headers={"retry-after": "0"})
        text = text_of_request(request)
        self.answers[text] += 1
        said = completes({"role": "assistant", "content": text})
        return Script((Delay(400 if mood < 0.1 else 10), *said.steps))


def ended_items(gateway: Gateway, batch_id: str, items: int) -> dict[str, int | None]:
    """When each item had ended that has, by its text."""
    with open_store(gateway) as store:
        return {
            str(each.index): each.item.finished_ms
            for each in store.batches.results(batch_id, 0, items)
            if each.item.state == "completed"
        }


def wait_ended(gateway: Gateway, batch_id: str, wanted: int) -> dict[str, Any]:
    """The batch as soon as so many items have ended."""
    deadline = time.monotonic() + PROGRESS_S_MAX
    while (batch := polled(gateway, batch_id))["progress"]["completed"] < wanted:
        assert batch["progress"]["failed"] == 0, batch
        assert time.monotonic() < deadline, f"still {batch['progress']}"
        time.sleep(0.01)
    return batch


@pytest.mark.parametrize(("items", "kills"), [(200, 3)])
def test_every_item_ends_once(
    start_gateway: StartGateway, provider: FakeProviderThread, items: int, kills: int
) -> None:
    """Cases 18, 19: whatever the provider does, and however often the daemon is killed."""
    moody = Moody()
    text = configured(provider.will("box", moody), bounded(max_concurrency=8, crash_limit=99))
    gateway = start_gateway(text.replace('model = "m" }', f'model = "m", {RETRIES} }}'))
    batch_id = submitted(gateway, [row(str(number)) for number in range(items)])["batch_id"]
    ended: dict[str, int | None] = {}
    for kill in range(kills):
        wait_ended(gateway, batch_id, items * kill // kills)
        gateway.kill()
        now_ended = ended_items(gateway, batch_id, items)
        assert ended.items() <= now_ended.items(), "what has ended stays as it is"
        ended, asked = now_ended, len(provider.requests)
        gateway.start()
        wait_ended(gateway, batch_id, min(items, len(ended) + 1))
        again = {text_of_request(each) for each in provider.requests[asked:]}
        assert ended.keys().isdisjoint(again), "what has ended is not asked for again"

    batch = wait_ended(gateway, batch_id, items)

    assert texts(batch) == [str(number) for number in range(items)]
    assert ended.items() <= ended_items(gateway, batch_id, items).items()
    with open_store(gateway) as store, store.data.read() as transaction:
        assert transaction.count("inf") == items
    assert sum(moody.answers.values()) <= items + kills * CONCURRENCY


def test_what_was_answered_runs_without_help(
    start_gateway: StartGateway, provider: FakeProviderThread
) -> None:
    """Case 19: the daemon is killed right after its answer; nobody asks for anything later."""
    gateway = start_gateway(configured(provider.will("box", by_text())))
    submitted(gateway, [row(str(number)) for number in range(5)])
    gateway.kill()

    gateway.start()

    provider.wait_for_request(5)


def test_an_item_at_which_the_daemon_dies_fails(
    start_gateway: StartGateway, provider: FakeProviderThread
) -> None:
    """Case 20: after so many crashes, and the items beside it do not."""
    said = completes({"role": "assistant", "content": "Yes"})

    def answer(request: RecordedRequest) -> Script:
        is_poison = text_of_request(request) == "poison"
        return Script((Delay(60_000 if is_poison else 0), *said.steps))

    api_base = provider.will("box", answer)
    gateway = start_gateway(configured(api_base, bounded(max_concurrency=2, crash_limit=3)))
    rows = [row("poison"), *(row(str(number)) for number in range(4))]
    batch_id = submitted(gateway, rows)["batch_id"]
    for _ in range(3):
        wait_ended(gateway, batch_id, 4)
        poisoned = [each for each in provider.requests if text_of_request(each) == "poison"]
        provider.wait_for_request(len(poisoned))
        gateway.kill()
        gateway.start()

    batch = polled(gateway, batch_id)
    assert batch["status"] == "completed"
    assert [each["index"] for each in batch["errors"]] == [0]
    assert batch["errors"][0]["status"] == 500
    assert "daemon died 3 times" in batch["errors"][0]["message"]
