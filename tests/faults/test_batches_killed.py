"""The daemon dies again and again in the middle of a batch: every item ends once."""

import os
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from random import Random
from typing import Any

import attrs
import httpx

from lsd.batches.native_results import COLLECTED_MAX
from lsd.store import Store
from tests.api.asking import Box, model, open_store, wait_for
from tests.api.batching import (
    FUNCTION,
    bounded,
    by_text,
    configured,
    finished,
    polled,
    row,
    submitted,
    text_of_request,
    texts,
)
from tests.api.conftest import StartGateway
from tests.api.gateway import Gateway
from tests.fakes.openai_batches import FakeBatches, answered
from tests.fakes.openai_scripts import completes, fails
from tests.fakes.provider_thread import FakeProviderThread
from tests.fakes.recorded import RecordedRequest
from tests.fakes.script import Delay, Script

CONCURRENCY = 8

FOR_GOOD_MS = 3_600_000

PROGRESS_S_MAX = 120.0
"""Between two kills, and after the last, for a machine that does much else."""

ITEMS = int(os.environ.get("LSD_TEST_BATCH_ITEMS", "200"))
BATCHES_MAX = 5
"""Whose results are collected until a kill comes in the middle of it; the first one is enough."""

KILLS = int(os.environ.get("LSD_TEST_BATCH_KILLS", "3"))
"""Small enough for every run; larger ones need minutes."""

RETRIES = "retries = { num_retries = 9, max_delay_s = 0.05 }"
"""So many that the moods of the provider never fail an item."""

PATIENCE = "timeouts.non_streaming.total_ms = 1500"
"""A provider that hangs is left after so long, and no other, however busy the machine."""


@attrs.define(eq=False)
class Moody:
    """A provider that fails at random, hangs for good or for a while at times, and limits rates.

    It counts how often it had an answer for each item.
    """

    random: Random = attrs.field(factory=lambda: Random(7))
    answers: Counter[str] = attrs.field(factory=Counter)
    hung: int = 0

    def __call__(self, request: RecordedRequest) -> Script:
        """What one request gets."""
        mood = self.random.random()
        if mood < 0.05:
            return fails(500)
        if mood < 0.08:
            return fails(429, headers={"retry-after": "0"})
        if mood < 0.1:
            self.hung += 1
            return Script((Delay(FOR_GOOD_MS),))
        text = text_of_request(request)
        self.answers[text] += 1
        said = completes({"role": "assistant", "content": text})
        return Script((Delay(400 if mood < 0.12 else 10), *said.steps))


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


def test_every_item_ends_once(start_gateway: StartGateway, provider: FakeProviderThread) -> None:
    """Cases 18, 19: whatever the provider does, and however often the daemon is killed."""
    moody = Moody()
    bounds = bounded(max_concurrency=CONCURRENCY, crash_limit=99)
    text = model("m", Box("box", provider.will("box", moody), PATIENCE)) + FUNCTION + bounds
    gateway = start_gateway(text.replace('model = "m" }', f'model = "m", {RETRIES} }}'))
    batch_id = submitted(gateway, [row(str(number)) for number in range(ITEMS)])["batch_id"]
    ended: dict[str, int | None] = {}
    for kill in range(KILLS):
        wait_ended(gateway, batch_id, ITEMS * kill // KILLS)
        gateway.kill()
        now_ended = ended_items(gateway, batch_id, ITEMS)
        assert ended.items() <= now_ended.items(), "what has ended stays as it is"
        ended, asked = now_ended, len(provider.requests)
        gateway.start()
        wait_ended(gateway, batch_id, min(ITEMS, len(ended) + 1))
        again = {text_of_request(each) for each in provider.requests[asked:]}
        assert ended.keys().isdisjoint(again), "what has ended is not asked for again"

    batch = wait_ended(gateway, batch_id, ITEMS)

    assert texts(batch) == [str(number) for number in range(ITEMS)]
    assert ended.items() <= ended_items(gateway, batch_id, ITEMS).items()
    with open_store(gateway) as store, store.data.read() as transaction:
        assert transaction.count("inf") == ITEMS
    assert moody.hung > 0
    assert sum(moody.answers.values()) <= ITEMS + KILLS * CONCURRENCY


def test_results_that_are_being_collected_are_stored_once(
    start_gateway: StartGateway, provider: FakeProviderThread
) -> None:
    """Case 38: the daemon is killed amid the results of a provider's job; the rest follows."""
    fake = FakeBatches(output=lambda lines: b"\n".join(map(answered, lines)))
    box = Box("box", provider.will("box", fake), 'batch = "native"')
    gateway = start_gateway(model("m", box) + FUNCTION + bounded(poll_interval_s=0))
    items, batches, is_caught = 2 * COLLECTED_MAX + 100, 0, False

    while not is_caught:
        fake.status = "in_progress"
        batch_id = submitted(gateway, [row(str(number)) for number in range(items)])["batch_id"]
        batches += 1
        fake.status = "completed"
        with ThreadPoolExecutor(1) as pool, open_store(gateway) as store:
            asked = pool.submit(gateway.client.get, f"/batch_inference/{batch_id}")
            wait_for(partial(_completed_in, store, batch_id))
            gateway.kill()
            is_killed_amid = isinstance(asked.exception(), httpx.TransportError)
        before = ended_items(gateway, batch_id, items)
        gateway.start()
        batch = finished(gateway, batch_id)

        assert len(before) >= COLLECTED_MAX
        assert texts(batch) == [str(number) for number in range(items)]
        assert before.items() <= ended_items(gateway, batch_id, items).items()
        with open_store(gateway) as store, store.data.read() as transaction:
            assert transaction.count("inf") == batches * items
        is_caught = is_killed_amid and len(before) < items
        assert is_caught or batches < BATCHES_MAX, "all results were collected before each kill"


def _completed_in(store: Store, batch_id: str) -> int:
    batch = store.batches.get(batch_id)
    assert batch is not None
    return batch.counts.completed


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

    def poisoned() -> int:
        return sum(text_of_request(each) == "poison" for each in list(provider.requests))

    for crash in range(1, 4):
        wait_ended(gateway, batch_id, 4)
        wait_for(lambda crash=crash: poisoned() == crash)
        gateway.kill()
        gateway.start()

    batch = finished(gateway, batch_id)
    assert batch["status"] == "completed"
    assert [each["index"] for each in batch["errors"]] == [0]
    assert batch["errors"][0]["status"] == 500
    assert "daemon died 3 times" in batch["errors"][0]["message"]
