"""OpenAI's batch API in bytes."""

import pytest

from lsd.config import OpenAIProvider
from lsd.conversation import AttemptFailed, decode_json, encode_json
from lsd.providers import BatchFile, OpenAIBatches
from lsd.providers.batch_api import JobState
from lsd.providers.openai_batches import begins_openai_jobs, openai_batches
from tests.unit.providers.recorded import make_dialect

READER = make_dialect("openai")
API = OpenAIBatches(
    base="https://api.openai.com/v1/", endpoint="/v1/chat/completions", reader=READER
)
FILE = BatchFile(batch_id="b", number=0)
JOB = {"id": "batch_1", "status": "in_progress"}


def test_a_line_names_its_request() -> None:
    """And where it goes; it is never streamed."""
    line = decode_json(API.line("i", API.fitted("i", b'{"model":"m"}')))

    assert line == {
        "custom_id": "i",
        "method": "POST",
        "url": "/v1/chat/completions",
        "body": {"model": "m", "stream": False},
    }


def test_requests_go_to_files_and_batches() -> None:
    """With the key of the provider."""
    key = {"api_key": "sk-1"}
    upload = API.upload(FILE, (b"{}", b'{"a":1}'), key)

    assert upload.url == "https://api.openai.com/v1/files"
    assert upload.headers["Authorization"] == "Bearer sk-1"
    assert upload.headers["Content-Type"].startswith("multipart/form-data; boundary=")
    assert b'\r\n\r\n{}\n{"a":1}\n\r\n--' in upload.body
    assert API.poll("b", key).url == "https://api.openai.com/v1/batches/b"
    assert API.cancel("b", key).url == "https://api.openai.com/v1/batches/b/cancel"
    assert API.content("f", {}).url == "https://api.openai.com/v1/files/f/content"
    assert decode_json(API.create(FILE, "f", key).body)["metadata"] == {"lsd_batch_id": "b"}


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("validating", "under_way"),
        ("cancelling", "under_way"),
        ("completed", "ended"),
        ("failed", "failed"),
        ("expired", "cut_short"),
        ("cancelled", "cut_short"),
    ],
)
def test_a_job_has_a_state(status: str, state: JobState) -> None:
    """By the provider's own word for it."""
    assert API.job(200, {}, encode_json({**JOB, "status": status})).state == state


def test_a_job_tells_of_files_counts_and_errors() -> None:
    """As far as they are there."""
    errors = {"data": [{"code": "bad", "message": "no", "line": 3}, {"message": "so"}]}
    fields = {**JOB, "output_file_id": "o", "error_file_id": None, "errors": errors}
    job = API.job(200, {}, encode_json({**fields, "request_counts": {"completed": 1}}))

    assert (job.files, job.completed, job.failed) == (("o",), 1, None)
    assert job.reason == "line 3: bad: no; so"


@pytest.mark.parametrize(
    ("status", "body"),
    [(500, b"{}"), (200, b"{"), (200, b"[]"), (200, b"{}"), (200, b'{"id":"b","status":"new"}')],
)
def test_what_is_no_job_is_a_failure(status: int, body: bytes) -> None:
    """Whatever it is."""
    with pytest.raises(AttemptFailed):
        API.job(status, {}, body)


def test_the_jobs_of_a_batch_are_found_in_a_list() -> None:
    """By what they tell of themselves; those that end or have ended are not looked for."""
    jobs = [
        {"id": "a", "status": "in_progress", "metadata": {"lsd_batch_id": "x"}},
        {"id": "b", "status": "cancelling", "metadata": {"lsd_batch_id": "x"}},
        {"id": "c", "status": "completed", "metadata": {"lsd_batch_id": "x"}},
        {"id": "d", "status": "validating", "metadata": {"lsd_batch_id": "y"}},
        {"id": "e&", "status": "validating", "metadata": None},
        "nonsense",
    ]

    whole = API.found("x", 200, {}, encode_json({"data": jobs}))
    page = API.found("x", 200, {}, encode_json({"data": jobs, "has_more": True}))

    assert (whole.ids, whole.after) == (("a",), None)
    assert page.after == "e&"
    asked = API.search("x", page.after, {"api_key": "sk-1"})
    assert asked.url == "https://api.openai.com/v1/batches?limit=100&after=e%26"
    assert API.search("x", None, {}).url.endswith("/batches?limit=100")
    with pytest.raises(AttemptFailed):
        API.found("x", 500, {}, b"")


def test_what_goes_wrong_with_many_lines_is_told_in_part() -> None:
    """Every item of the job keeps the text."""
    errors = {"data": [{"code": "bad", "message": "no", "line": line} for line in range(50_000)]}
    job = API.job(200, {}, encode_json({**JOB, "status": "failed", "errors": errors}))
    line = {"custom_id": "a", "response": None, "error": {"code": "x" * 50_000}}
    (row,) = API.rows(encode_json(line))

    assert len(job.reason) < 10_000
    assert row.error is not None
    assert len(row.error) < 10_000


def test_an_id_is_only_a_part_of_a_path() -> None:
    """Whatever it is made of."""
    assert API.poll("a/../b", {}).url == "https://api.openai.com/v1/batches/a%2F..%2Fb"
    assert API.content("f?x", {}).url.endswith("/files/f%3Fx/content")
    assert API.cancel("a b", {}).url.endswith("/batches/a%20b/cancel")


def test_files_have_ids_and_bytes() -> None:
    """Or they are a failure."""
    assert API.file_id(FILE, 200, {}, b'{"id":"f"}') == "f"
    assert API.job_id(200, {}, b'{"id":"b"}') == "b"
    assert API.file(200, {}, b"x") == b"x"
    with pytest.raises(AttemptFailed):
        API.file(404, {}, b"")


def test_rows_are_answers_or_errors() -> None:
    """What cannot be read is one, too, and of the request whose name it still shows."""
    content = b"\n".join(
        [
            b'{"custom_id":"a","response":{"status_code":200,"body":{"x":1}},"error":null}',
            b"",
            b'{"custom_id":"b","response":{"status_code":400,"body":{"y":2}},"error":null}',
            b'{"custom_id":"c","response":null,"error":{"code":"batch_expired","message":"m"}}',
            b'{"id": "r", "custom_id": "d", "respon',
            b'{"custom_id":"e","response":null,"error":{"code":null,"type":"gone"}}',
            b"nonsense",
        ]
    )

    rows = list(API.rows(content))

    assert [row.inference_id for row in rows] == ["a", "b", "c", "d", "e", ""]
    assert rows[0].body == b'{"x":1}'
    assert rows[1].error == 'HTTP 400: {"y":2}'
    assert rows[2].error == "batch_expired: m"
    assert rows[4].error == '{"code":null,"type":"gone"}'
    assert [row.is_bad for row in rows] == [False, False, False, True, False, True]


@pytest.mark.parametrize(
    ("fields", "endpoint", "begins"),
    [
        ({}, "/v1/chat/completions", True),
        ({"api_type": "responses"}, "/v1/responses", True),
        ({"batch": "local"}, "/v1/chat/completions", False),
        ({"api_base": "http://gpu1/v1/"}, "/v1/chat/completions", False),
        ({"api_base": "http://gpu1/v1/", "batch": "native"}, "/v1/chat/completions", True),
    ],
)
def test_only_openai_itself_has_batches_unasked(
    fields: dict[str, str], endpoint: str, *, begins: bool
) -> None:
    """Another server has them if the configuration says so; jobs that it runs can be asked for."""
    provider = OpenAIProvider(model_name="m", **fields)  # type: ignore[arg-type]

    assert openai_batches(provider, READER).endpoint == endpoint
    assert begins_openai_jobs(provider) is begins
