"""Jobs that a provider runs for batches, with a fake of OpenAI: asked for, collected, cancelled."""

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import orjson
import pytest

from tests.api.asking import wait_for
from tests.api.batching import (
    cancelled,
    finished,
    polled,
    polled_item,
    row,
    submitted,
    texts,
)
from tests.api.conftest import StartGateway
from tests.api.native_batching import NATIVE, StartNative, all_answered, joined, starting_native
from tests.fakes.openai_batches import Line, answered, errored
from tests.fakes.provider_thread import FakeProviderThread

COSTS = """
cost = [{ pointer = "/usage/prompt_tokens", cost_per_million = 2 }]
batch_cost = [{ pointer = "/usage/prompt_tokens", cost_per_million = 1 }]
"""


@pytest.fixture
def start_native(start_gateway: StartGateway, provider: FakeProviderThread) -> StartNative:
    """Starts a daemon whose model `m` asks OpenAI's batch API."""
    return starting_native(start_gateway, provider)


def test_a_job_is_made_of_the_items(
    start_native: StartNative, provider: FakeProviderThread
) -> None:
    """Case 32: one upload, one job; results in the order of the submission."""
    gateway, fake = start_native(more=NATIVE + COSTS)
    answer = submitted(gateway, [row(str(number), tags={"n": "1"}) for number in range(5)])
    pending = polled(gateway, answer["batch_id"])
    upload, create = provider.requests[:2]
    fake.output, fake.status = all_answered, "completed"
    batch = finished(gateway, answer["batch_id"])

    assert b'name="purpose"\r\n\r\nbatch\r\n' in upload.body
    assert b'filename="data.jsonl"\r\nContent-Type: application/json\r\n' in upload.body
    assert [line["custom_id"] for line in fake.lines] == answer["inference_ids"]
    assert {line["url"] for line in fake.lines} == {"/v1/chat/completions"}
    assert fake.lines[0]["body"]["stream"] is False
    assert create.json() == {
        "input_file_id": "file-in",
        "endpoint": "/v1/chat/completions",
        "completion_window": "24h",
        "metadata": {"lsd_batch_id": answer["batch_id"]},
    }
    assert (pending["status"], pending["progress"]["running"]) == ("pending", 5)
    assert pending["progress"]["upstream"] == {"completed": 0, "failed": 0}
    assert texts(batch) == [str(number) for number in range(5)]
    assert batch["inferences"][0]["usage"]["cost"] == 0.00001
    record = gateway.stored(answer["inference_ids"][0])
    assert record is not None
    assert (record["processing_time_ms"], record["tags"]) == (None, {"n": "1"})
    (call,) = gateway.calls(answer["inference_ids"][0])
    assert call.get("response_time_ms") is None


@pytest.mark.parametrize(
    ("output", "errors", "status"), [(1, 1, "completed"), (0, 1, "failed"), (0, 0, "failed")]
)
def test_results_may_be_errors(
    start_native: StartNative, output: int, errors: int, status: str
) -> None:
    """Case 33: in a file of their own; what has no result has failed, too."""
    gateway, fake = start_native()
    answer = submitted(gateway, [row("a"), row("b")])
    fake.output = (lambda lines: answered(lines[0])) if output else None
    fake.errors = (lambda lines: errored(lines[1], "server_error")) if errors else None
    fake.status = "completed"

    batch = finished(gateway, answer["batch_id"])

    assert batch["status"] == status
    assert len(batch["errors"]) == 2 - output
    if errors:
        assert "server_error" in batch["errors"][-1]["message"]
    assert batch["errors"][0]["status"] == 502


def test_lines_that_cannot_be_used_fail_their_items(start_native: StartNative) -> None:
    """Case 34: broken JSON, two choices, no line at all."""
    gateway, fake = start_native()
    answer = submitted(gateway, [row(text) for text in ("good", "broken", "two", "missing")])

    def output(lines: list[Line]) -> bytes:
        two = orjson.loads(answered(lines[2]))
        two["response"]["body"]["choices"] *= 2
        return joined(answered(lines[0]), answered(lines[1])[:-9], orjson.dumps(two))

    fake.output, fake.status = output, "completed"
    batch = finished(gateway, answer["batch_id"])

    assert texts(batch) == ["good"]
    assert [each["index"] for each in batch["errors"]] == [1, 2, 3]
    assert "no result returned" in batch["errors"][2]["message"]


def test_what_an_expired_job_has_is_kept(start_native: StartNative) -> None:
    """Case 35: the rest has failed."""
    gateway, fake = start_native()
    answer = submitted(gateway, [row("a"), row("b")])
    fake.output = lambda lines: answered(lines[0])
    fake.errors = lambda lines: errored(lines[1], "batch_expired")
    fake.status = "expired"

    batch = finished(gateway, answer["batch_id"])

    assert texts(batch) == ["a"]
    assert "batch_expired" in batch["errors"][0]["message"]


def test_a_poll_that_fails_changes_nothing(start_native: StartNative) -> None:
    """Case 36, and 47 of OpenAI's own: but that the job is gone, and its items with it."""
    gateway, fake = start_native()
    batch_id = submitted(gateway, [row("a")])["batch_id"]
    fake.refusals["/batch_1"] = 500
    ill = polled(gateway, batch_id)
    fake.refusals.clear()
    well = wait_for(lambda: _without_error(polled(gateway, batch_id)))
    fake.refusals["/batch_1"] = 404
    gone = finished(gateway, batch_id)

    assert (ill["status"], well["status"]) == ("pending", "pending")
    assert "500" in ill["poll_error"]
    assert gone["status"] == "failed"
    assert gone["progress"]["failed"] == 1


def _without_error(batch: dict[str, Any]) -> dict[str, Any]:
    return {} if "poll_error" in batch else batch


def test_polls_are_not_repeated(start_native: StartNative) -> None:
    """Case 37, and 46 of OpenAI's own: once a second at most, and never when it is over."""
    gateway, fake = start_native()
    batch_id = submitted(gateway, [row("a")])["batch_id"]
    began = time.monotonic()
    with ThreadPoolExecutor(5) as pool:
        at_once = list(pool.map(lambda _: polled(gateway, batch_id), range(5)))
    took_s = time.monotonic() - began
    polls = fake.asked.count("GET /batches/batch_1")
    fake.output, fake.status = all_answered, "completed"
    finished(gateway, batch_id)
    asked = len(fake.asked)
    first, second = polled(gateway, batch_id), polled(gateway, batch_id)

    assert 1 <= polls <= 1 + took_s
    assert [each["progress"]["upstream"] for each in at_once] == [{"completed": 0, "failed": 0}] * 5
    assert len(fake.asked) == asked
    assert first == second


def test_who_asks_for_one_item_need_not_ask_for_its_batch(start_native: StartNative) -> None:
    """Such a question, too, makes LSD ask the provider, and no oftener than others do."""
    gateway, fake = start_native()
    answer = submitted(gateway, [row("a"), row("b")])
    batch_id, inference_id = answer["batch_id"], answer["inference_ids"][1]
    began = time.monotonic()
    pending = [polled_item(gateway, batch_id, inference_id)["status"] for _ in range(3)]
    took_s = time.monotonic() - began
    polls = fake.asked.count("GET /batches/batch_1")
    fake.output, fake.status = all_answered, "completed"

    item = wait_for(lambda: _unless_pending(polled_item(gateway, batch_id, inference_id)))

    assert pending == ["pending"] * 3
    assert 1 <= polls <= 1 + took_s
    assert texts(item) == ["b"]


def _unless_pending(item: dict[str, Any]) -> dict[str, Any]:
    return {} if item["status"] == "pending" else item


def test_jobs_survive_their_daemon(start_native: StartNative) -> None:
    """Case 38: what was collected before a crash stays, and each item is stored once."""
    gateway, fake = start_native()
    answer = submitted(gateway, [row(str(number)) for number in range(3)])
    gateway.kill()
    gateway.start()
    fake.output, fake.status = all_answered, "completed"

    batch = finished(gateway, answer["batch_id"])

    assert texts(batch) == ["0", "1", "2"]
    assert fake.asked.count("POST /batches") == 1


def test_a_job_that_was_begun_is_collected_though_no_more_are_wanted(
    start_native: StartNative,
) -> None:
    """The provider goes on with it, and is paid for it."""
    gateway, fake = start_native()
    batch_id = submitted(gateway, [row("a")])["batch_id"]
    gateway.stop()
    gateway.configure(gateway.config_path.read_text().replace(NATIVE, 'batch = "local"'))
    gateway.start()
    fake.output, fake.status = all_answered, "completed"

    assert texts(finished(gateway, batch_id)) == ["a"]
    assert texts(finished(gateway, submitted(gateway, [row("b")])["batch_id"])) == ["b"]
    assert fake.asked.count("POST /batches") == 1


def test_a_job_of_a_provider_that_has_gone_can_come_back(start_native: StartNative) -> None:
    """Until it does the batch is pending, and tells why."""
    gateway, fake = start_native()
    batch_id = submitted(gateway, [row("a")])["batch_id"]
    kept = gateway.config_path.read_text()
    gateway.stop()
    gateway.configure(kept.replace('"box"', '"other"'))
    gateway.start()
    fake.output, fake.status = all_answered, "completed"
    waiting = polled(gateway, batch_id)
    gateway.stop()
    gateway.configure(kept)
    gateway.start()

    assert waiting["status"] == "pending"
    assert "provider 'box': not configured any more" in waiting["poll_error"]
    assert texts(finished(gateway, batch_id)) == ["a"]


def test_jobs_lose_the_credentials_that_came_with_them(
    start_native: StartNative, provider: FakeProviderThread
) -> None:
    """With their process; then those of the configuration are used, as soon as there are some."""
    dynamic = 'api_key_location = "dynamic::key"'
    gateway, fake = start_native(more=f"{NATIVE}\n{dynamic}")
    secret = {"credentials": {"key": "sk-very-secret"}}
    batch_id = submitted(gateway, [row("a", **secret)])["batch_id"]
    polled(gateway, batch_id)
    shown = {each.headers["authorization"] for each in provider.requests}
    gateway.kill()
    stored = [path.read_bytes() for path in gateway.data_path.rglob("*.mdb")]
    gateway.start()
    fake.output, fake.status = all_answered, "completed"
    lost = polled(gateway, batch_id)
    asked = len(provider.requests)
    gateway.stop()
    gateway.configure(gateway.config_path.read_text().replace(dynamic, 'api_key_location = "none"'))
    gateway.start()

    assert shown == {"Bearer sk-very-secret"}
    assert not any(b"sk-very-secret" in each for each in stored)
    assert lost["status"] == "pending"
    assert "per-request credentials do not survive a restart" in lost["poll_error"]
    assert asked == 3
    assert texts(finished(gateway, batch_id)) == ["a"]


def test_an_item_that_lsd_runs_costs_what_a_call_costs(start_native: StartNative) -> None:
    """Case 42: `batch_cost` is for jobs."""
    gateway, _ = start_native(more='batch = "local"' + COSTS)

    batch = finished(gateway, submitted(gateway, [row("a")])["batch_id"])

    assert batch["inferences"][0]["usage"]["cost"] == 0.00002


def test_costs_are_those_of_the_submission(start_native: StartNative) -> None:
    """Case 42: by `batch_cost`; what is configured later counts for later batches."""
    gateway, fake = start_native(more=NATIVE + COSTS)
    answer = submitted(gateway, [row("a")])
    dearer = gateway.config_path.read_text().replace(
        "cost_per_million = 1 ", "cost_per_million = 9 "
    )
    gateway.stop()
    gateway.configure(dearer)
    gateway.start()
    fake.output, fake.status = all_answered, "completed"

    batch = finished(gateway, answer["batch_id"])

    assert batch["inferences"][0]["usage"]["cost"] == 0.00001


def test_a_job_is_cancelled(start_native: StartNative) -> None:
    """What it still delivers is kept, the rest is cancelled."""
    gateway, fake = start_native()
    batch_id = submitted(gateway, [row("a"), row("b"), row("c")])["batch_id"]
    fake.output = lambda lines: answered(lines[0])
    fake.errors = lambda lines: errored(lines[1], "batch_cancelled")
    pending = cancelled(gateway, batch_id)
    batch = finished(gateway, batch_id)

    assert "POST /batches/batch_1/cancel" in fake.asked
    assert (pending["status"], pending["cancel_requested"]) == ("pending", True)
    assert (batch["status"], texts(batch)) == ("cancelled", ["a"])
    assert [(each["index"], each["status"]) for each in batch["errors"]] == [(1, 499), (2, 499)]
