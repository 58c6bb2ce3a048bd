"""Batches that a provider runs in jobs of its own, with a fake of OpenAI's batch API."""

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import orjson
import pytest

from tests.api.asking import Box, model, open_store, wait_for
from tests.api.batching import (
    FUNCTION,
    bounded,
    cancelled,
    finished,
    messages,
    polled,
    refused,
    row,
    submitted,
    texts,
)
from tests.api.conftest import StartGateway
from tests.api.gateway import Gateway
from tests.fakes.openai_batches import FakeBatches, Line, answered, errored
from tests.fakes.openai_scripts import completes, fails
from tests.fakes.provider_thread import FakeProviderThread

NATIVE = 'batch = "native"'
COSTS = """
cost = [{ pointer = "/usage/prompt_tokens", cost_per_million = 2 }]
batch_cost = [{ pointer = "/usage/prompt_tokens", cost_per_million = 1 }]
"""

PNG = "iVBORw0KGgo="

OTHER = """
[functions.either]
type = "chat"
variants.first = { type = "chat_completion", model = "m" }
variants.second = { type = "chat_completion", model = "n" }
[functions.either.experimentation]
type = "static"
candidate_variants = ["first"]
fallback_variants = ["second"]
"""

STRICT = """
[functions.strict]
type = "chat"
[functions.strict.variants.v]
type = "chat_completion"
model = "m"
templates.system.path = "strict.minijinja"
"""

StartNative = Callable[..., tuple[Gateway, FakeBatches]]


@pytest.fixture
def start_native(start_gateway: StartGateway, provider: FakeProviderThread) -> StartNative:
    """Starts a daemon whose model `m` asks OpenAI's batch API."""

    def start(*boxes: Box, more: str = NATIVE, tables: str = "") -> tuple[Gateway, FakeBatches]:
        fake = FakeBatches()
        first = Box("box", provider.will("box", fake), more)
        text = model("m", first, *boxes) + FUNCTION + bounded(poll_interval_s=0) + tables
        return start_gateway(text, files={"strict.minijinja": "{{ x.y }}"}), fake

    return start


def joined(*lines: bytes) -> bytes:
    """A file of these lines; the last one has no end."""
    return b"\n".join(lines)


def all_answered(lines: list[Line]) -> bytes:
    """Every line has an echo, in an order of its own."""
    shuffled = lines[:]
    random.Random(7).shuffle(shuffled)
    return joined(*map(answered, shuffled))


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
    for _ in range(5):
        polled(gateway, batch_id)
    polls = fake.asked.count("GET /batches/batch_1")
    fake.output, fake.status = all_answered, "completed"
    finished(gateway, batch_id)
    asked = len(fake.asked)
    first, second = polled(gateway, batch_id), polled(gateway, batch_id)

    assert polls == 1
    assert len(fake.asked) == asked
    assert first == second


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


def test_a_job_that_nobody_was_promised_is_ended(
    start_native: StartNative, provider: FakeProviderThread
) -> None:
    """The daemon was killed before it knew its job: there is no batch, and nothing more to pay."""
    gateway, fake = start_native()
    fake.holds_back = True
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(gateway.post, "/batch_inference", [row("a"), row("b")])
        provider.wait_for_request(2)
        gateway.kill()
        with pytest.raises(httpx.TransportError):
            asked.result()
    fake.holds_back = False

    gateway.start()
    wait_for(lambda: "POST /batches/batch_1/cancel" in fake.asked)

    batch_id = fake.job["metadata"]["lsd_batch_id"]
    assert gateway.client.get(f"/batch_inference/{batch_id}").status_code == 404
    with open_store(gateway) as store, store.data.read() as transaction:
        assert [transaction.count(each) for each in ("batch", "item", "batch_part")] == [0] * 3


def test_the_next_provider_with_jobs_is_asked_for_one(
    start_native: StartNative, provider: FakeProviderThread
) -> None:
    """Before anybody is asked item by item; of none of them, the answer tells of all."""
    second = FakeBatches()
    url = provider.will("second", second)
    gateway, fake = start_native(Box("second", url, NATIVE))
    fake.refusals["/batches"] = 500
    answer = submitted(gateway, [row("a"), row("b")])
    second.output, second.status = all_answered, "completed"
    batch = finished(gateway, answer["batch_id"])
    second.refusals["/files"] = 400
    told = refused(gateway, 502, [row("a")])

    assert texts(batch) == ["a", "b"]
    assert [line["custom_id"] for line in second.lines] == answer["inference_ids"]
    (call,) = gateway.calls(answer["inference_ids"][0])
    assert call["model_provider_name"] == "second"
    assert 'provider "box"' in told
    assert 'provider "second"' in told


def test_columns_try_another_variant_before_they_are_refused(
    start_native: StartNative, provider: FakeProviderThread
) -> None:
    """As long as nothing runs, the variant that was drawn for all can be another one."""
    well = provider.will("well", completes({"role": "assistant", "content": "Yes"}))
    tables = model("n", Box("well", well)) + OTHER
    gateway, fake = start_native(tables=tables)
    fake.refusals["/files"] = 500
    body = {"function_name": "either", "inputs": [messages("a"), messages("b")]}

    batch = finished(gateway, submitted(gateway, body)["batch_id"])

    assert texts(batch) == ["Yes", "Yes"]
    assert {each["variant_name"] for each in batch["inferences"]} == {"second"}
    assert "POST /files" in fake.asked
    pinned = {**body, "variant_name": "first"}
    assert "500" in refused(gateway, 502, pinned)


def test_an_item_that_cannot_be_rendered_fails_alone(start_native: StartNative) -> None:
    """At the submission; if it is so with all of them, nothing is taken."""
    gateway, fake = start_native(tables=STRICT)

    def strict(**arguments: object) -> dict[str, Any]:
        return {"function_name": "strict", "input": {**messages("a"), "system": arguments}}

    answer = submitted(gateway, [strict(x={"y": "good"}), strict(x=1)])
    fake.output, fake.status = all_answered, "completed"
    batch = finished(gateway, answer["batch_id"])

    assert len(fake.lines) == len(batch["inferences"]) == 1
    (error,) = batch["errors"]
    assert (error["index"], error["status"]) == (1, 502)
    assert refused(gateway, 502, [strict(x=1)]).startswith("0: ")


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


def test_where_no_job_can_be_started_lsd_goes_on(
    start_native: StartNative, provider: FakeProviderThread
) -> None:
    """Case 39: with the next provider of the routing; without one nothing is taken."""
    other = provider.will("other", completes({"role": "assistant", "content": "Yes"}))
    gateway, fake = start_native(Box("other", other))
    fake.refusals["/files"] = 500
    batch = finished(gateway, submitted(gateway, [row("a"), row("b")])["batch_id"])
    assert texts(batch) == ["Yes", "Yes"]
    assert fake.asked == ["POST /files"]
    gateway.stop()
    gateway.configure(model("m", Box("box", provider.url("box"), NATIVE)) + FUNCTION)
    gateway.start()

    told = refused(gateway, 502, [row("a")])

    assert "box" in told
    assert "500" in told


def test_other_servers_are_asked_item_by_item(start_native: StartNative) -> None:
    """Case 40: unless the configuration says that they have batches."""
    gateway, fake = start_native(more="")
    batch = finished(gateway, submitted(gateway, [row("a"), row("b")])["batch_id"])

    assert texts(batch) == ["a", "b"]
    assert fake.asked == ["POST /chat/completions"] * 2


def test_openai_itself_is_asked_for_a_job(
    start_gateway: StartGateway, provider: FakeProviderThread
) -> None:
    """Case 40: where the address is the default one; here it lies behind a proxy that refuses."""
    proxy = provider.will("proxy", fails(502)).removesuffix("/proxy/v1")
    at_home = '[models.m]\nrouting = ["box"]\n[models.m.providers.box]\ntype = "openai"\n'
    keys = 'model_name = "gpt"\napi_key_location = "none"\n'
    environment = {"HTTPS_PROXY": proxy, "https_proxy": proxy}
    gateway = start_gateway(at_home + keys + FUNCTION, environment=environment)

    told = refused(gateway, 502, [row("a")])

    assert told.startswith('batch not started: provider "box"')
    assert {each.target for each in provider.requests} == {"api.openai.com:443"}
    assert gateway.post("/inference", row("a")).status_code == 502
    gateway.stop()
    gateway.configure(at_home + keys + 'batch = "local"\n' + FUNCTION)
    gateway.start()
    assert finished(gateway, submitted(gateway, [row("a")])["batch_id"])["status"] == "failed"


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


def test_what_a_file_cannot_carry_runs_here(start_native: StartNative) -> None:
    """Headers of the caller's own; the rest of the batch is a job all the same."""
    gateway, fake = start_native()
    headers = [{"name": "x-mine", "value": "1"}]
    answer = submitted(gateway, [row("a", extra_headers=headers), row("b")])
    fake.output, fake.status = all_answered, "completed"

    assert texts(finished(gateway, answer["batch_id"])) == ["a", "b"]
    assert len(fake.lines) == 1


def test_files_go_along_in_a_job(start_native: StartNative) -> None:
    """With their bytes; the record points at them, and its request has a mark in their place."""
    gateway, fake = start_native()
    file = {"type": "file", "file_type": "base64", "mime_type": "image/png", "data": PNG}
    content = [{"type": "text", "text": "What is this?"}, file]
    asked = row("a", input={"messages": [{"role": "user", "content": content}]})
    answer = submitted(gateway, [asked])
    fake.output, fake.status = (lambda lines: answered(lines[0], "A picture")), "completed"
    batch = finished(gateway, answer["batch_id"])

    assert texts(batch) == ["A picture"]
    (line,) = fake.lines
    assert line["body"]["messages"][0]["content"][1]["image_url"]["url"].endswith(PNG)
    record = gateway.stored(answer["inference_ids"][0])
    assert record is not None
    stored = record["input"]["messages"][0]["content"][1]
    assert stored["file_type"] == "object_storage_pointer"
    (call,) = gateway.calls(answer["inference_ids"][0])
    assert "<LSD_FILE_0>" in call["raw_request"]
    assert PNG not in call["raw_request"]


def test_columns_make_a_job_as_well(start_native: StartNative) -> None:
    """With the variant that was drawn."""
    gateway, fake = start_native()
    body = {"function_name": "talk", "inputs": [messages("a"), messages("b")]}
    answer = submitted(gateway, body)
    fake.output, fake.status = all_answered, "completed"

    assert texts(finished(gateway, answer["batch_id"])) == ["a", "b"]
