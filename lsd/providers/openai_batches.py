"""OpenAI's batch API: jobs of many requests, their files, and the lines in them. Without any I/O.

Source: OpenAI's API reference, "Batch" and "Files".
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal
from urllib.parse import quote

import attrs

from lsd.config import OpenAIProvider
from lsd.conversation import JsonValue, NotJson, WireRequest, decode_json, encode_json
from lsd.providers._error_bodies import shortened
from lsd.providers._host import Credentials
from lsd.providers._openai_address import request_headers, request_url
from lsd.providers.batch_api import (
    LINE_SHOWN_MAX,
    BatchFile,
    FoundJobs,
    Job,
    JobState,
    Row,
    answered_object,
    bad_row,
    check_status,
    not_understood,
    objects_in,
    text_field,
)
from lsd.providers.dialect import Dialect

JOBS_PER_PAGE = 100
"""As many as the API gives at a time."""

_BATCH_ID = "lsd_batch_id"
"""Under this name a job tells what it was begun for."""

_BOUNDARY = "lsd-batch-7f3b5d1c9a2e4860"
"""Nothing in a line of JSON begins with two hyphens at the start of a line."""

_OPENAI_BASE = "https://api.openai.com/v1"

_STATES: Mapping[str, JobState] = {
    "validating": "under_way",
    "in_progress": "under_way",
    "finalizing": "under_way",
    "cancelling": "under_way",
    "completed": "ended",
    "failed": "failed",
    "expired": "cut_short",
    "cancelled": "cut_short",
}


@attrs.frozen(kw_only=True)
class OpenAIBatches:
    """The batch API at `base`, for requests to one `endpoint`."""

    base: str
    endpoint: Literal["/v1/chat/completions", "/v1/responses"]
    reader: Dialect

    def fitted(self, _: str, body: bytes, /) -> bytes:
        # Every body that a dialect writes is an object; a batch wants to be told that it is whole.
        return encode_json({**decode_json(body), "stream": False})

    def line(self, inference_id: str, fitted: bytes) -> bytes:
        head = encode_json({"custom_id": inference_id, "method": "POST", "url": self.endpoint})
        return head[:-1] + b',"body":' + fitted + b"}"

    def upload(
        self, _: BatchFile, lines: Sequence[bytes], credentials: Credentials, /
    ) -> WireRequest:
        head = (
            f"--{_BOUNDARY}\r\n"
            'Content-Disposition: form-data; name="purpose"\r\n\r\nbatch\r\n'
            f"--{_BOUNDARY}\r\n"
            'Content-Disposition: form-data; name="file"; filename="data.jsonl"\r\n'
            "Content-Type: application/json\r\n\r\n"
        )
        end = f"\r\n--{_BOUNDARY}--\r\n"
        body = b"\n".join((head.encode() + lines[0], *lines[1:], end.encode()))
        form = {"Content-Type": f"multipart/form-data; boundary={_BOUNDARY}"}
        return self._request("POST", "files", credentials, body, form)

    def file_id(self, _: BatchFile, status: int, headers: Mapping[str, str], body: bytes, /) -> str:
        return text_field("openai", answered_object("openai", status, headers, body), "id")

    def create(self, file: BatchFile, file_id: str, credentials: Credentials) -> WireRequest:
        fields = {
            "input_file_id": file_id,
            "endpoint": self.endpoint,
            "completion_window": "24h",
            "metadata": {_BATCH_ID: file.batch_id},
        }
        return self._request("POST", "batches", credentials, encode_json(fields))

    def job_id(self, status: int, headers: Mapping[str, str], body: bytes) -> str:
        return text_field("openai", answered_object("openai", status, headers, body), "id")

    def poll(self, job_id: str, credentials: Credentials) -> WireRequest:
        return self._request("GET", f"batches/{quote(job_id, safe='')}", credentials)

    def job(self, status: int, headers: Mapping[str, str], body: bytes) -> Job:
        fields = answered_object("openai", status, headers, body)
        state = _STATES.get(text_field("openai", fields, "status"))
        if state is None:
            raise not_understood("openai", f"found the status {fields['status']!r}")
        files = (fields.get("output_file_id"), fields.get("error_file_id"))
        counts = fields.get("request_counts")
        counts = counts if isinstance(counts, dict) else {}
        return Job(
            state=state,
            files=tuple(each for each in files if isinstance(each, str)),
            completed=_count(counts.get("completed")),
            failed=_count(counts.get("failed")),
            reason=_reasons(fields.get("errors")),
        )

    def cancel(self, job_id: str, credentials: Credentials) -> WireRequest:
        path = f"batches/{quote(job_id, safe='')}/cancel"
        return self._request("POST", path, credentials, b"{}")

    def check_cancelled(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        check_status("openai", status, headers, body)

    def search(self, _: str, after: str | None, credentials: Credentials, /) -> WireRequest:
        place = "" if after is None else f"&after={quote(after, safe='')}"
        return self._request("GET", "batches", credentials, query=f"limit={JOBS_PER_PAGE}{place}")

    def found(
        self, batch_id: str, status: int, headers: Mapping[str, str], body: bytes
    ) -> FoundJobs:
        fields = answered_object("openai", status, headers, body)
        jobs = objects_in(fields, "data")
        last_id = jobs[-1].get("id") if jobs else None
        has_more = fields.get("has_more") is True and isinstance(last_id, str)
        return FoundJobs(
            ids=tuple(
                text_field("openai", each, "id") for each in jobs if _is_at_work_for(batch_id, each)
            ),
            after=last_id if has_more else None,
        )

    def content(self, file_id: str, credentials: Credentials) -> WireRequest:
        path = f"files/{quote(file_id, safe='')}/content"
        return self._request("GET", path, credentials)

    def file(self, status: int, headers: Mapping[str, str], body: bytes) -> bytes:
        check_status("openai", status, headers, body)
        return body

    def rows(self, content: bytes) -> Iterator[Row]:
        return (_row(line) for line in content.splitlines() if line.strip())

    def _request(
        self,
        method: str,
        path: str,
        credentials: Credentials,
        body: bytes = b"",
        further: Mapping[str, str] | None = None,
        query: str = "",
    ) -> WireRequest:
        return WireRequest(
            method=method,
            url=request_url("openai", self.base, path, query),
            headers=request_headers(credentials.get("api_key"), further=further),
            body=body,
        )


def openai_batches(provider: OpenAIProvider, reader: Dialect) -> OpenAIBatches:
    """The batch API of a provider, which another server than OpenAI's may lack."""
    is_responses = provider.api_type == "responses"
    return OpenAIBatches(
        base=provider.api_base,
        endpoint="/v1/responses" if is_responses else "/v1/chat/completions",
        reader=reader,
    )


def begins_openai_jobs(provider: OpenAIProvider) -> bool:
    """Whether requests of a batch go to that API; if not, they are made singly."""
    is_elsewhere = provider.api_base.rstrip("/") != _OPENAI_BASE
    return provider.batch == "native" or (provider.batch == "auto" and not is_elsewhere)


def _is_at_work_for(batch_id: str, job: Mapping[str, JsonValue]) -> bool:
    metadata = job.get("metadata")
    if not isinstance(metadata, dict) or metadata.get(_BATCH_ID) != batch_id:
        return False
    status = job.get("status")
    return status != "cancelling" and _STATES.get(str(status)) == "under_way"


def _count(value: JsonValue) -> int | None:
    return value if type(value) is int else None


def _reasons(errors: JsonValue) -> str:
    entries = objects_in(errors, "data") if isinstance(errors, dict) else ()
    # Every item of the job gets the text, and there may be an entry for each of its lines.
    return shortened("; ".join(map(_reason, entries)))


def _reason(entry: Mapping[str, JsonValue]) -> str:
    told = ": ".join(str(entry[key]) for key in ("code", "message") if entry.get(key))
    return f"line {entry['line']}: {told}" if entry.get("line") else told


def _row(line: bytes) -> Row:
    try:
        fields = decode_json(line)
        inference_id, response = fields["custom_id"], fields["response"]
        error = fields.get("error")
        if not isinstance(inference_id, str):
            raise TypeError
        if error:
            return Row(
                inference_id=inference_id,
                error=shortened(_reason(error) or encode_json(error).decode()),
                is_cancelled=error.get("code") == "batch_cancelled",
            )
        status, body = response["status_code"], encode_json(response["body"])
    except (NotJson, AttributeError, KeyError, TypeError):
        return bad_row(line, "custom_id")
    if status != 200:
        text = f"HTTP {status}: {body[:LINE_SHOWN_MAX].decode(errors='replace')}"
        return Row(inference_id=inference_id, error=text)
    return Row(inference_id=inference_id, body=body)
