"""Vertex AI's batch API in bytes."""

from typing import Any

import pytest

from lsd.config import GcpBatch, GcpVertexGeminiProvider
from lsd.conversation import AttemptFailed, Text, Usage, decode_json, encode_json
from lsd.providers import BatchFile
from lsd.providers.batch_api import JobState
from lsd.providers.gemini import Gemini
from lsd.providers.vertex_batches import VertexBatches, vertex_batches
from tests.unit.providers.recorded import make_dialect

FILE = BatchFile(batch_id="0199f0aa-3333-7aaa-8bbb-00000000000a", number=0)
TOKEN = {"access_token": "ya29.secret", "quota_project": "payer"}
JOB = "projects/123/locations/us-central1/batchPredictionJobs/77"
HERE = "https://us-central1-aiplatform.googleapis.com/v1/"
DIRECTORY = "gs://elsewhere/out/prediction-model-2026-11-29T12:00:00.000000Z"
RESULTS = f"{DIRECTORY}/predictions.jsonl"

RECORDED = (
    b'{"status":"","processed_time":"2026-11-29T12:05:00.123+00:00","request":{"contents":[{"parts"'
    b':[{"text":"b"}],"role":"user"}],"labels":{"lsd-inference-id":"b"}},"response":{"candidates":['
    b'{"content":{"parts":[{"text":"Yes"}],"role":"model"},"finishReason":"STOP"}],"usageMetadata":'
    b'{"promptTokenCount":3,"candidatesTokenCount":1,"totalTokenCount":4}}}\n'
    b'{"status":"Bad Request: {\\"error\\": {\\"code\\": 400}}","request":{"labels":{'
    b'"lsd-inference-id":"a"}},"response":{}}\n'
    b"\n"
    b'{"status":{"code":13},"request":{"labels":{"lsd-inference-id":"c"}}}\n'
    b'{"status":"","request":{"labels":{"lsd-inference-id":"d"}}}\n'
    b'{"status":"","request":{"labels":{}},"response":{}}\n'
    b'{"request": {"labels": {"lsd-inference-id": "e"}}, "respon'
)
"""A file of results as Vertex AI writes it, and lines that it should not write."""


def api(**keys: Any) -> VertexBatches:
    """The API of a model of the catalogue."""
    made = made_of(
        GcpBatch(
            storage_type="cloud_storage",
            input_uri_prefix="gs://bucket/in",
            output_uri_prefix="gs://bucket/out/",
        ),
        **keys,
    )
    assert made is not None
    return made


def made_of(storage: GcpBatch | None, **keys: Any) -> VertexBatches | None:
    """The API, if there is one, of a provider with these keys."""
    dialect = make_dialect("gcp_vertex_gemini")
    assert isinstance(dialect, Gemini)
    defaults = {"location": "us-central1", "project_id": "proj", "model_id": "gemini-2.5-flash"}
    return vertex_batches(GcpVertexGeminiProvider(**{**defaults, **keys}), storage, dialect)


def test_a_line_has_a_label() -> None:
    """Beside those that the operator has put there."""
    body = b'{"contents":[],"labels":{"team":"ops"}}'
    line = api().line("i", api().fitted("i", body))

    assert line == (b'{"request":{"contents":[],"labels":{"team":"ops","lsd-inference-id":"i"}}}')


def test_a_file_is_an_object() -> None:
    """Named for its batch, and numbered from the second on."""
    upload = api().upload(FILE, (b"{}", b'{"a":1}'), TOKEN)
    second = BatchFile(batch_id=FILE.batch_id, number=1)

    name = f"lsd-batch-input-{FILE.batch_id}.jsonl"
    assert upload.url == (
        "https://storage.googleapis.com/upload/storage/v1/b/bucket/o"
        f"?uploadType=media&name=in%2F{name}"
    )
    assert upload.body == b'{}\n{"a":1}\n'
    assert upload.headers["Authorization"] == "Bearer ya29.secret"
    assert upload.headers["x-goog-user-project"] == "payer"
    assert api().file_id(FILE, 200, {}, b"") == f"gs://bucket/in/{name}"
    assert api().file_id(second, 200, {}, b"").endswith(f"{FILE.batch_id}-1.jsonl")
    with pytest.raises(AttemptFailed, match="Cloud Storage returned HTTP 403"):
        api().file_id(FILE, 403, {}, b"{}")


def test_a_job_names_model_and_places() -> None:
    """Those of one batch have one display name, by which they are found, and their own folders."""
    second = BatchFile(batch_id=FILE.batch_id, number=1)
    create = api().create(second, "gs://bucket/in/x.jsonl", TOKEN)

    assert create.url == f"{HERE}projects/proj/locations/us-central1/batchPredictionJobs"
    assert decode_json(create.body) == {
        "displayName": f"lsd-batch-{FILE.batch_id}",
        "model": "publishers/google/models/gemini-2.5-flash",
        "inputConfig": {
            "instancesFormat": "jsonl",
            "gcsSource": {"uris": ["gs://bucket/in/x.jsonl"]},
        },
        "outputConfig": {
            "predictionsFormat": "jsonl",
            "gcsDestination": {
                "outputUriPrefix": f"gs://bucket/out/lsd-batch-output-{FILE.batch_id}-1"
            },
        },
    }
    assert api().job_id(200, {}, encode_json({"name": JOB})) == JOB
    with pytest.raises(AttemptFailed, match="found no name"):
        api().job_id(200, {}, b"{}")


def test_a_job_is_asked_for_by_its_name() -> None:
    """Where the whole world has one host, or where the configuration says."""
    everywhere = api(location="global")
    private = api(api_base="http://127.0.0.1:8080/v1")

    assert api().poll(JOB, TOKEN).url == f"{HERE}{JOB}"
    assert everywhere.poll(JOB, TOKEN).url == f"https://aiplatform.googleapis.com/v1/{JOB}"
    cancel = private.cancel(JOB, TOKEN)
    assert (cancel.method, cancel.url) == ("POST", f"http://127.0.0.1:8080/v1/{JOB}:cancel")
    api().check_cancelled(200, {}, b"{}")
    with pytest.raises(AttemptFailed):
        api().check_cancelled(400, {}, b"{}")


def test_the_jobs_of_a_batch_are_found_by_their_name() -> None:
    """Those that end or have ended are not looked for."""
    jobs = [
        {"name": "a", "displayName": "lsd-batch-x", "state": "JOB_STATE_RUNNING"},
        {"name": "b", "displayName": "lsd-batch-x", "state": "JOB_STATE_CANCELLING"},
        {"name": "c", "displayName": "lsd-batch-x", "state": "JOB_STATE_SUCCEEDED"},
        {"name": "d", "displayName": "lsd-batch-xy", "state": "JOB_STATE_PENDING"},
        {"name": "e", "displayName": "lsd-batch-x"},
    ]
    url = f"{HERE}projects/proj/locations/us-central1/batchPredictionJobs"

    whole = api().found("x", 200, {}, encode_json({"batchPredictionJobs": jobs}))
    empty = api().found("x", 200, {}, encode_json({"nextPageToken": "t"}))

    assert (whole.ids, whole.after) == (("a", "e"), None)
    assert (empty.ids, empty.after) == ((), "t")
    asked = api().search("x", "t", TOKEN).url
    assert asked == f"{url}?filter=display_name%3D%22lsd-batch-x%22&pageSize=100&pageToken=t"
    with pytest.raises(AttemptFailed):
        api().found("x", 500, {}, b"")


@pytest.mark.parametrize(
    ("told", "state"),
    [
        ("JOB_STATE_UNSPECIFIED", "under_way"),
        ("JOB_STATE_QUEUED", "under_way"),
        ("JOB_STATE_PENDING", "under_way"),
        ("JOB_STATE_RUNNING", "under_way"),
        ("JOB_STATE_PAUSED", "under_way"),
        ("JOB_STATE_UPDATING", "under_way"),
        ("JOB_STATE_CANCELLING", "under_way"),
        ("JOB_STATE_CANCELING", "under_way"),
        ("JOB_STATE_SUCCEEDED", "ended"),
        ("JOB_STATE_PARTIALLY_SUCCEEDED", "ended"),
        ("JOB_STATE_FAILED", "failed"),
        ("JOB_STATE_CANCELLED", "cut_short"),
        ("JOB_STATE_EXPIRED", "cut_short"),
        ("JOB_STATE_EATEN", "failed"),
        (None, "under_way"),
    ],
)
def test_a_job_has_a_state(told: str | None, state: JobState) -> None:
    """By the service's own word for it; an answer may leave out the first of them."""
    body = encode_json({"name": JOB} if told is None else {"name": JOB, "state": told})

    assert api().job(200, {}, body).state == state


def test_a_job_tells_of_its_results_and_counts() -> None:
    """In the directory that the answer names, wherever it is; numbers come as texts."""
    fields = {
        "state": "JOB_STATE_PARTIALLY_SUCCEEDED",
        "outputInfo": {"gcsOutputDirectory": DIRECTORY},
        "completionStats": {"successfulCount": "3", "failedCount": "-1"},
    }
    job = api().job(200, {}, encode_json(fields))
    content = api().content(*job.files, TOKEN)

    assert (job.files, job.completed, job.failed, job.reason) == ((RESULTS,), 3, None, "")
    assert content.url.startswith("https://storage.googleapis.com/storage/v1/b/elsewhere/o/out%2F")
    assert content.url.endswith("000000Z%2Fpredictions.jsonl?alt=media")
    assert api().file(200, {}, b"x") == b"x"


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"state": "JOB_STATE_FAILED", "error": {"code": 3, "message": "no"}}, "FAILED: no"),
        ({"state": "JOB_STATE_SUCCEEDED", "outputInfo": {}}, "JOB_STATE_SUCCEEDED: no results"),
        ({"state": "JOB_STATE_EATEN"}, "JOB_STATE_EATEN"),
    ],
)
def test_a_job_without_results_tells_why(fields: dict[str, Any], reason: str) -> None:
    """As far as it knows."""
    job = api().job(200, {}, encode_json(fields))

    assert job.files == ()
    assert reason in job.reason


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (500, b"{}"),
        (200, b"<html>"),
        (200, b"[]"),
        (200, b'{"state":"JOB_STATE_SUCCEEDED","outputInfo":{"gcsOutputDirectory":"/tmp"}}'),
        (200, b'{"state":"JOB_STATE_SUCCEEDED","outputInfo":{"gcsOutputDirectory":7}}'),
    ],
)
def test_what_is_no_job_is_a_failure(status: int, body: bytes) -> None:
    """Then it is asked again, later."""
    with pytest.raises(AttemptFailed):
        api().job(status, {}, body)


def test_rows_are_answers_or_errors() -> None:
    """What cannot be read is one, too, and of the request whose label it still shows."""
    rows = list(api().rows(RECORDED))

    assert [row.inference_id for row in rows] == ["b", "a", "c", "d", "", "e"]
    assert str(rows[1].error).startswith('Bad Request: {"error": {"code": 400}}')
    assert rows[2].error == '{"code":13}'
    assert [row.is_bad for row in rows] == [False, False, False, True, True, True]
    assert [row.body is None for row in rows] == [False, True, True, True, True, True]


def test_a_result_may_lack_what_it_has_used() -> None:
    """Only there: an answer to a plain call would have been cut off."""
    (row, *_) = api().rows(RECORDED)
    assert row.body is not None
    uncounted = {**decode_json(row.body)}
    del uncounted["usageMetadata"]
    reader = api().reader

    counted = reader.decode(200, {}, row.body)
    response = reader.decode(200, {}, encode_json(uncounted))

    assert (counted.usage.input_tokens, counted.usage.output_tokens) == (3, 1)
    assert (response.output, response.usage) == ((Text(text="Yes"),), Usage())
    with pytest.raises(AttemptFailed, match="usageMetadata"):
        make_dialect("gcp_vertex_gemini").decode(200, {}, encode_json(uncounted))


@pytest.mark.parametrize(
    ("keys", "storage"),
    [
        ({}, None),
        ({}, GcpBatch()),
        ({"model_id": None, "endpoint_id": "42"}, "whole"),
    ],
)
def test_some_models_have_no_jobs(keys: dict[str, Any], storage: Any) -> None:
    """Without a place for files, or tuned."""
    whole = GcpBatch(
        storage_type="cloud_storage", input_uri_prefix="gs://b", output_uri_prefix="gs://b"
    )

    assert made_of(whole if storage == "whole" else storage, **keys) is None
