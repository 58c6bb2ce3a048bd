"""Batches that Vertex AI runs in jobs of its own, with a fake of it and of Cloud Storage."""

import random
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from tests.api.asking import wait_for
from tests.api.batching import (
    FUNCTION,
    bounded,
    cancelled,
    finished,
    messages,
    polled,
    row,
    submitted,
    texts,
)
from tests.api.conftest import StartGateway
from tests.api.gateway import Gateway
from tests.fakes.gcp_keys import service_account
from tests.fakes.gcp_tokens import token
from tests.fakes.provider_thread import FakeProviderThread
from tests.fakes.vertex_batches import (
    FIRST_JOB,
    JOBS,
    TOKEN,
    FakeVertexBatches,
    Line,
    answered,
    errored,
)

COSTS = """
cost = [{ pointer = "/usageMetadata/promptTokenCount", cost_per_million = 20 }]
batch_cost = [{ pointer = "/usageMetadata/promptTokenCount", cost_per_million = 10 }]
"""

TWO_VARIANTS = """
[functions.both]
type = "chat"
variants.v = { type = "chat_completion", model = "m" }
variants.w = { type = "chat_completion", model = "m" }
"""


def configured(provider: FakeProviderThread, storage_type: str = "cloud_storage") -> str:
    """Models of Vertex AI, each with a function, and a bucket for batches."""
    storage = f"""
        [provider_types.gcp_vertex_gemini]
        defaults.credential_location = "env::KEY"
        [provider_types.gcp_vertex_gemini.batch]
        storage_type = "{storage_type}"
        input_uri_prefix = "gs://bucket/in/"
        output_uri_prefix = "gs://bucket/out"
        storage_api_base = "{provider.root("storage")}"
    """
    entries = {
        "m": f'model_id = "gemini-2.5-flash"{COSTS}',
        "tuned": 'endpoint_id = "42"',
        "told": 'model_id = "gemini-2.5-flash"\nbatch = "local"',
        "two": 'model_id = "gemini-2.5-flash"\n[models.two.providers.echo]\ntype = "echo"',
    }
    behind = {"two": ', "echo"'}
    models = [
        f"""
        [models.{name}]
        routing = ["vertex"{behind.get(name, "")}]
        [models.{name}.providers.vertex]
        type = "gcp_vertex_gemini"
        api_base = "{provider.root("vertex")}/v1"
        location = "us-central1"
        project_id = "proj"
        {more}
        """
        for name, more in entries.items()
    ]
    return "".join([storage, *models, FUNCTION, TWO_VARIANTS, bounded(poll_interval_s=0)])


def environment(provider: FakeProviderThread) -> dict[str, str]:
    """The key of a service account, whose tokens come from the fake."""
    return {"KEY": service_account(token_uri=f"{provider.root('token')}/token")}


def faked(provider: FakeProviderThread) -> FakeVertexBatches:
    """Vertex AI and its storage, with nothing in it."""
    fake = FakeVertexBatches()
    provider.will("vertex", fake)
    provider.will("storage", fake)
    provider.will("token", token(TOKEN))
    return fake


@pytest.fixture(scope="module")
def gateway(start_shared: StartGateway, shared_provider: FakeProviderThread) -> Gateway:
    """A gateway with a bucket for batches."""
    return start_shared(configured(shared_provider), environment=environment(shared_provider))


@pytest.fixture
def fake(shared_provider: FakeProviderThread) -> FakeVertexBatches:
    """What that gateway finds at Vertex AI."""
    shared_provider.forget()
    return faked(shared_provider)


def shuffled(lines: list[Line]) -> bytes:
    """Every line has an echo, in an order of its own; the last one has no end."""
    results = [answered(line) for line in lines]
    random.Random(7).shuffle(results)
    return b"\n".join(results)


def test_a_job_is_made_of_the_items(
    gateway: Gateway, fake: FakeVertexBatches, shared_provider: FakeProviderThread
) -> None:
    """Case 41: an object of requests, a job, an object of results; labels join them."""
    answer = submitted(gateway, [row(str(number), tags={"n": "1"}) for number in range(5)])
    pending = polled(gateway, answer["batch_id"])
    fake.output, fake.state = shuffled, "JOB_STATE_SUCCEEDED"
    batch = finished(gateway, answer["batch_id"])

    upload, create = (
        shared_provider.requests_to("storage")[0],
        shared_provider.requests_to("vertex")[0],
    )
    uri = f"gs://bucket/in/lsd-batch-input-{answer['batch_id']}.jsonl"
    assert upload.target.endswith(
        f"/b/bucket/o?uploadType=media&name=in%2Flsd-batch-input-{answer['batch_id']}.jsonl"
    )
    assert create.path == "/s/vertex/v1/projects/proj/locations/us-central1/batchPredictionJobs"
    assert create.json() == {
        "displayName": f"lsd-batch-{answer['batch_id']}",
        "model": "publishers/google/models/gemini-2.5-flash",
        "inputConfig": {"instancesFormat": "jsonl", "gcsSource": {"uris": [uri]}},
        "outputConfig": {
            "predictionsFormat": "jsonl",
            "gcsDestination": {
                "outputUriPrefix": f"gs://bucket/out/lsd-batch-output-{answer['batch_id']}"
            },
        },
    }
    labels = [line["request"]["labels"]["lsd-inference-id"] for line in fake.lines]
    assert labels == answer["inference_ids"]
    assert fake.lines[0]["request"]["contents"][0]["parts"] == [{"text": "0"}]
    assert shared_provider.requests_to("vertex")[-1].path == f"/s/vertex/v1/{JOBS}/{FIRST_JOB}"
    assert "%2Fpredictions.jsonl?alt=media" in shared_provider.requests_to("storage")[-1].target
    assert (pending["status"], pending["progress"]["running"]) == ("pending", 5)
    assert pending["progress"]["upstream"] == {"completed": 1, "failed": 0}
    assert texts(batch) == [str(number) for number in range(5)]


def test_each_variant_has_a_job(gateway: Gateway, fake: FakeVertexBatches) -> None:
    """And a file and a folder of its own; the answers come in the order of the submission."""
    names = ["v", "w", "v", "w"]
    rows = [
        {"function_name": "both", "variant_name": name, "input": messages(str(number))}
        for number, name in enumerate(names)
    ]
    answer = submitted(gateway, rows)
    fake.output, fake.state = shuffled, "JOB_STATE_SUCCEEDED"
    batch = finished(gateway, answer["batch_id"])

    assert texts(batch) == ["0", "1", "2", "3"]
    assert [each["variant_name"] for each in batch["inferences"]] == names
    assert {job["displayName"] for job in fake.jobs} == {f"lsd-batch-{answer['batch_id']}"}
    assert len(fake.objects) == 4


def test_what_was_used_is_on_record(gateway: Gateway, fake: FakeVertexBatches) -> None:
    """Case 42: at the price of batches; the requests are stored as they stood in the file."""
    answer = submitted(gateway, [row("a", tags={"n": "1"}), row("b")])
    fake.output, fake.state = shuffled, "JOB_STATE_SUCCEEDED"
    batch = finished(gateway, answer["batch_id"])

    usage = batch["inferences"][0]["usage"]
    assert (usage["input_tokens"], usage["output_tokens"]) == (35, 30)
    assert usage["cost"] == pytest.approx(35 * 10 / 1_000_000)
    record = gateway.stored(answer["inference_ids"][0])
    assert record is not None
    assert (record["processing_time_ms"], record["tags"]) == (None, {"n": "1"})
    (call,) = gateway.calls(answer["inference_ids"][0])
    assert call.get("response_time_ms") is None
    assert f'"lsd-inference-id":"{answer["inference_ids"][0]}"' in call["raw_request"]
    assert '"modelVersion":"gemini-fake"' in call["raw_response"]


@pytest.mark.parametrize("state", ["SUCCEEDED", "PARTIALLY_SUCCEEDED"])
def test_some_rows_have_failed(gateway: Gateway, fake: FakeVertexBatches, state: str) -> None:
    """Case 41: by what their status says, as lines that cannot be read, or without any line."""
    names = ("good", "uncounted", "refused", "blocked", "broken", "missing")
    answer = submitted(gateway, [row(name) for name in names])

    def output(lines: list[Line]) -> bytes:
        good, uncounted, refused, blocked, broken, _ = lines
        stranger = {"request": {**good["request"], "labels": {"lsd-inference-id": "x"}}}
        blocking = answered(blocked).replace(b'"candidates"', b'"nobody"')
        results = [
            blocking,
            errored(refused, "Bad Request: INVALID_ARGUMENT"),
            answered(uncounted, usage=None),
            answered(broken)[:-20],
            answered(good),
            answered(good, "twice"),
            answered(stranger, "who?"),
        ]
        return b"\n".join(results) + b"\n"

    fake.output, fake.state = output, f"JOB_STATE_{state}"
    batch = finished(gateway, answer["batch_id"])

    assert batch["status"] == "completed"
    assert texts(batch) == ["good", "uncounted"]
    assert batch["inferences"][1]["usage"]["input_tokens"] is None
    told = {error["index"]: error["message"] for error in batch["errors"]}
    assert list(told) == [2, 3, 4, 5]
    assert "Bad Request: INVALID_ARGUMENT" in told[2]
    assert "no candidates" in told[3]
    assert "result line not readable" in told[4]
    assert "no result returned" in told[5]
    assert {error["status"] for error in batch["errors"]} == {502}


@pytest.mark.parametrize(
    ("state", "error", "told"),
    [
        ("FAILED", {"code": 3, "message": "The bucket is in another region"}, "another region"),
        ("SUCCEEDED", None, "JOB_STATE_SUCCEEDED: no results"),
        ("EXPIRED", None, "JOB_STATE_EXPIRED"),
        ("EATEN", None, "JOB_STATE_EATEN"),
    ],
)
def test_a_job_without_results_fails_its_items(
    gateway: Gateway, fake: FakeVertexBatches, state: str, error: dict[str, Any] | None, told: str
) -> None:
    """With what Vertex AI says of it."""
    answer = submitted(gateway, [row("a"), row("b")])
    fake.state, fake.error = f"JOB_STATE_{state}", error

    batch = finished(gateway, answer["batch_id"])

    assert (batch["status"], len(batch["errors"])) == ("failed", 2)
    assert told in batch["errors"][0]["message"]


def test_a_job_is_cancelled(gateway: Gateway, fake: FakeVertexBatches) -> None:
    """What it still delivers is kept, the rest is cancelled."""
    batch_id = submitted(gateway, [row("a"), row("b")])["batch_id"]
    fake.output = lambda lines: answered(lines[0])
    pending = cancelled(gateway, batch_id)
    batch = finished(gateway, batch_id)

    assert "POST 77:cancel" in fake.asked
    assert (pending["status"], pending["cancel_requested"]) == ("pending", True)
    assert (batch["status"], texts(batch)) == ("cancelled", ["a"])
    assert batch["errors"][0]["status"] == 499


@pytest.mark.parametrize("has_folder", [False, True])
def test_a_cancelled_job_may_have_nothing(
    gateway: Gateway, fake: FakeVertexBatches, has_folder: bool
) -> None:
    """It tells of no output, or of a folder in which nothing is."""
    batch_id = submitted(gateway, [row("a")])["batch_id"]
    fake.output = shuffled if has_folder else None
    fake.refusals["predictions.jsonl"] = 404
    cancelled(gateway, batch_id)

    assert finished(gateway, batch_id)["progress"]["cancelled"] == 1


def test_jobs_survive_their_daemon(
    start_gateway: StartGateway, provider: FakeProviderThread
) -> None:
    """The next one knows the job, and signs in anew: one token is good for all of its calls."""
    fake = faked(provider)
    gateway = start_gateway(configured(provider), environment=environment(provider))
    answer = submitted(gateway, [row(str(number)) for number in range(3)])
    gateway.kill()
    gateway.start()
    fake.output, fake.state = shuffled, "JOB_STATE_SUCCEEDED"

    batch = finished(gateway, answer["batch_id"])

    assert texts(batch) == ["0", "1", "2"]
    assert fake.asked.count("POST batchPredictionJobs") == 1
    assert len(provider.requests_to("token")) == 2


def test_a_job_that_nobody_was_promised_is_ended(
    start_gateway: StartGateway, provider: FakeProviderThread
) -> None:
    """The daemon was killed before it knew its job, which is found by the name of the batch."""
    fake = faked(provider)
    gateway = start_gateway(configured(provider), environment=environment(provider))
    fake.holds_back = True
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(gateway.post, "/batch_inference", [row("a"), row("b")])
        wait_for(lambda: fake.jobs)
        gateway.kill()
        with pytest.raises(httpx.TransportError):
            asked.result()
    fake.holds_back = False

    gateway.start()
    wait_for(lambda: "POST 77:cancel" in fake.asked)

    batch_id = fake.jobs[0]["displayName"].removeprefix("lsd-batch-")
    assert gateway.client.get(f"/batch_inference/{batch_id}").status_code == 404


def test_a_token_that_has_lapsed_is_replaced(
    start_gateway: StartGateway, provider: FakeProviderThread
) -> None:
    """Once, and nobody hears of it."""
    fake = faked(provider)
    tokens = [token("ya29.lapsed")]
    provider.will("token", lambda _: tokens.pop() if tokens else token(TOKEN))
    gateway = start_gateway(configured(provider), environment=environment(provider))
    fake.output, fake.state = shuffled, "JOB_STATE_SUCCEEDED"

    assert texts(finished(gateway, submitted(gateway, [row("a")])["batch_id"])) == ["a"]
    assert len(provider.requests_to("token")) == 2


def test_a_poll_that_fails_changes_nothing(gateway: Gateway, fake: FakeVertexBatches) -> None:
    """Neither of the job nor of its results; but that the job is gone, and its items with it."""
    batch_id = submitted(gateway, [row("a")])["batch_id"]
    fake.refusals["/77"] = 503
    ill = polled(gateway, batch_id)
    fake.refusals = {"predictions.jsonl": 403}
    fake.output, fake.state = shuffled, "JOB_STATE_SUCCEEDED"
    closed = wait_for(lambda: _with_error(polled(gateway, batch_id), "403"))
    fake.refusals = {"/77": 404}
    gone = finished(gateway, batch_id)

    assert (ill["status"], closed["status"]) == ("pending", "pending")
    assert "503" in ill["poll_error"]
    assert gone["status"] == "failed"


def _with_error(batch: dict[str, Any], told: str) -> dict[str, Any]:
    return batch if told in batch.get("poll_error", "") else {}


@pytest.mark.parametrize(
    ("end", "told"),
    [
        (
            "/o",
            'provider "vertex": gcp_vertex_gemini: Cloud Storage returned HTTP 403',
        ),
        (
            "/batchPredictionJobs",
            'provider "vertex": gcp_vertex_gemini returned HTTP 403',
        ),
    ],
)
def test_a_start_that_fails_is_refused(
    gateway: Gateway, fake: FakeVertexBatches, end: str, told: str
) -> None:
    """Whichever of the two services it was; there is nobody else in the routing."""
    fake.refusals[end] = 403

    response = gateway.post("/batch_inference", [row("a")])

    assert response.status_code == 502
    assert told in response.json()["error"]


def test_where_no_job_can_be_started_lsd_goes_on(gateway: Gateway, fake: FakeVertexBatches) -> None:
    """Case 39: with the next provider of the routing."""
    fake.refusals["/o"] = 503
    items = [{"model_name": "two", "input": messages(text)} for text in "ab"]
    batch = finished(gateway, submitted(gateway, items)["batch_id"])

    assert texts(batch) == ["a", "b"]
    assert fake.asked == ["POST o"]


@pytest.mark.parametrize("name", ["tuned", "told"])
def test_other_models_are_asked_item_by_item(
    gateway: Gateway, fake: FakeVertexBatches, name: str
) -> None:
    """Tuned ones, and those of which the configuration says so."""
    items = [{"model_name": name, "input": messages(text)} for text in "ab"]
    batch = finished(gateway, submitted(gateway, items)["batch_id"])

    assert texts(batch) == ["a", "b"]
    assert_singly(fake)


def test_without_a_place_for_files_items_run_one_by_one(
    start_gateway: StartGateway, provider: FakeProviderThread
) -> None:
    """Case 41: a job could not be told what to do."""
    fake = faked(provider)
    text = configured(provider, storage_type="none")
    gateway = start_gateway(text, environment=environment(provider))
    batch = finished(gateway, submitted(gateway, [row("a"), row("b")])["batch_id"])

    assert texts(batch) == ["a", "b"]
    assert_singly(fake)


def assert_singly(fake: FakeVertexBatches) -> None:
    """Two plain calls, and neither a job nor an object."""
    assert len(fake.asked) == 2
    assert {each.rpartition(":")[2] for each in fake.asked} == {"generateContent"}
