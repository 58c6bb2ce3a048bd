"""A batch and several worker processes: they share its items, and one of them may die."""

import os
import signal
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.api.asking import Box, model, wait_for
from tests.api.batching import (
    FUNCTION,
    bounded,
    configured,
    finished,
    polled,
    row,
    submitted,
    text_of_request,
    texts,
)
from tests.api.conftest import StartGateway
from tests.api.test_workers import anew, workers_of
from tests.fakes.openai_batches import FakeBatches, answered
from tests.fakes.openai_scripts import completes
from tests.fakes.provider_thread import FakeProviderThread
from tests.fakes.recorded import RecordedRequest
from tests.fakes.script import Delay, Script

CONCURRENCY = 6
ITEMS = 60


class Counting:
    """A provider that knows how many calls are open at once."""

    def __init__(self, provider: FakeProviderThread) -> None:
        self.open_most = 0
        self._provider = provider

    def __call__(self, request: RecordedRequest) -> Script:
        """Says after a moment what it was told."""
        calls = [each for each in self._provider.requests if not each.has_last_word]
        self.open_most = max(self.open_most, sum(not each.closed_early for each in calls))
        said = completes({"role": "assistant", "content": text_of_request(request)})
        return Script((Delay(20), *said.steps))


def test_workers_share_a_batch(start_gateway: StartGateway, provider: FakeProviderThread) -> None:
    """Each item runs once; together they run no more at a time than is allowed."""
    counting = Counting(provider)
    text = configured(provider.will("box", counting), bounded(max_concurrency=CONCURRENCY))
    gateway = start_gateway(text, "--workers", "2")
    answers = [submitted(gateway, [row(f"{n}") for n in range(ITEMS)]) for _ in range(2)]

    batches = [finished(gateway, answer["batch_id"]) for answer in answers]

    assert [texts(batch) for batch in batches] == [[str(n) for n in range(ITEMS)]] * 2
    assert Counter(map(text_of_request, provider.requests)) == {str(n): 2 for n in range(ITEMS)}
    assert counting.open_most <= CONCURRENCY


def test_a_worker_that_dies_leaves_its_items_to_others(
    start_gateway: StartGateway, provider: FakeProviderThread
) -> None:
    """They run again; what had ended does not."""
    counting = Counting(provider)
    text = configured(provider.will("box", counting), bounded(max_concurrency=CONCURRENCY))
    gateway = start_gateway(text, "--workers", "2")
    batch_id = submitted(gateway, [row(str(number)) for number in range(ITEMS)])["batch_id"]
    wait_for(lambda: polled(gateway, batch_id)["progress"]["completed"] > ITEMS // 4)
    os.kill(min(workers_of(gateway)), signal.SIGKILL)
    wait_for(lambda: gateway.log_records("worker replaced"))

    # The client's old connection may have been one to the dead worker.
    gateway.client.close()
    gateway.client = anew(gateway)
    batch = finished(gateway, batch_id)

    assert texts(batch) == [str(number) for number in range(ITEMS)]
    assert len(provider.requests) <= ITEMS + CONCURRENCY


def test_only_the_worker_with_the_credentials_asks_for_a_job(
    start_gateway: StartGateway, provider: FakeProviderThread
) -> None:
    """Without being asked itself; the others would be refused, and must not take its turns."""
    fake = FakeBatches()
    keys = 'batch = "native"\napi_key_location = "dynamic::key"'
    box = Box("box", provider.will("box", fake), keys)
    text = model("m", box) + FUNCTION + bounded(poll_interval_s=1)
    gateway = start_gateway(text, "--workers", "2")
    secret = {"credentials": {"key": "sk-very-secret"}}
    batch_id = submitted(gateway, [row("a", **secret)])["batch_id"]
    fake.output, fake.status = (lambda lines: b"\n".join(map(answered, lines))), "completed"
    polls = []

    def ended() -> bool:
        with anew(gateway) as client:
            polls.append(client.get(f"/batch_inference/{batch_id}").json())
        return bool(polls[-1]["status"] == "completed")

    wait_for(ended)

    assert not any("poll_error" in each for each in polls)
    assert {each.headers["authorization"] for each in provider.requests} == {
        "Bearer sk-very-secret"
    }


def test_a_job_that_a_dead_worker_has_begun_is_ended(
    start_gateway: StartGateway, provider: FakeProviderThread
) -> None:
    """By another one; nobody was ever told of its batch."""
    fake = FakeBatches(holds_back=True)
    box = Box("box", provider.will("box", fake), 'batch = "native"')
    gateway = start_gateway(model("m", box) + FUNCTION, "--workers", "2")
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(gateway.post, "/batch_inference", [row("a")])
        provider.wait_for_request(2)
        for worker in workers_of(gateway):
            os.kill(worker, signal.SIGKILL)
        with pytest.raises(httpx.TransportError):
            asked.result()
    fake.holds_back = False

    wait_for(lambda: "POST /batches/batch_1/cancel" in fake.asked)
