"""Jobs that a provider is to run: which items go there, and where they go if it takes none."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from tests.api.asking import Box, model, open_store, wait_for
from tests.api.batching import (
    FUNCTION,
    finished,
    messages,
    refused,
    row,
    submitted,
    texts,
)
from tests.api.conftest import StartGateway
from tests.api.native_batching import NATIVE, StartNative, all_answered, starting_native
from tests.fakes.openai_batches import FakeBatches, answered
from tests.fakes.openai_scripts import completes, fails
from tests.fakes.provider_thread import FakeProviderThread

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


@pytest.fixture
def start_native(start_gateway: StartGateway, provider: FakeProviderThread) -> StartNative:
    """Starts a daemon whose model `m` asks OpenAI's batch API."""
    return starting_native(start_gateway, provider)


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

    with open_store(gateway) as store, store.data.read() as transaction:
        before = transaction.count("batch")

    told = refused(gateway, 502, [row("a")])

    assert "box" in told
    assert "500" in told
    with open_store(gateway) as store, store.data.read() as transaction:
        assert transaction.count("batch") == before


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
