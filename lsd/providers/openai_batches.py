"""OpenAI's batch API: jobs of many requests, their files, and the lines in them. Without any I/O.

Source: OpenAI's API reference, "Batch" and "Files".
"""

from collections.abc import Iterator, Mapping
from typing import Literal

import attrs

from lsd.config import OpenAIProvider, Provider
from lsd.conversation import (
    AttemptFailed,
    JsonValue,
    NotJson,
    WireRequest,
    decode_json,
    encode_json,
)
from lsd.providers._http_errors import failed_answer
from lsd.providers._openai_address import request_headers, request_url

LINES_MAX = 50_000
FILE_BYTES_MAX = 200_000_000
"""Of one job's file of requests."""

_BOUNDARY = "lsd-batch-7f3b5d1c9a2e4860"
"""Nothing in a line of JSON begins with two hyphens at the start of a line."""

_OPENAI_BASE = "https://api.openai.com/v1"

JobState = Literal["under_way", "ended", "failed", "cut_short"]

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
class Job:
    """A job as it stands. `files` hold its results; `reason` tells why it failed as a whole."""

    id: str
    state: JobState
    files: tuple[str, ...] = ()
    completed: int | None = None
    failed: int | None = None
    reason: str = ""


@attrs.frozen(kw_only=True)
class Row:
    """The result of one request: the body of its answer, or why there is none."""

    custom_id: str
    body: bytes | None = None
    error: str | None = None
    is_bad: bool = False
    """The line cannot be read; it may name no request."""


@attrs.frozen(kw_only=True)
class OpenAIBatches:
    """The batch API at `base`, for requests to one `endpoint`."""

    base: str
    endpoint: Literal["/v1/chat/completions", "/v1/responses"]

    def line(self, custom_id: str, body: bytes) -> bytes:
        """One request in a file of them."""
        # Every body that a dialect writes is an object; a batch wants to be told that it is whole.
        fields = {**decode_json(body), "stream": False}
        return encode_json(
            {"custom_id": custom_id, "method": "POST", "url": self.endpoint, "body": fields}
        )

    def upload(self, lines: bytes, key: str | None) -> WireRequest:
        """Sends the file of requests."""
        head = (
            f"--{_BOUNDARY}\r\n"
            'Content-Disposition: form-data; name="purpose"\r\n\r\nbatch\r\n'
            f"--{_BOUNDARY}\r\n"
            'Content-Disposition: form-data; name="file"; filename="data.jsonl"\r\n'
            "Content-Type: application/json\r\n\r\n"
        )
        body = head.encode() + lines + f"\r\n--{_BOUNDARY}--\r\n".encode()
        form = {"Content-Type": f"multipart/form-data; boundary={_BOUNDARY}"}
        return self._request("POST", "files", key, body, form)

    def file_id(self, status: int, headers: Mapping[str, str], body: bytes) -> str:
        """The file that was sent. Raises AttemptFailed."""
        return _text(_read(status, headers, body), "id")

    def create(self, file_id: str, batch_id: str, key: str | None) -> WireRequest:
        """Begins a job."""
        fields = {
            "input_file_id": file_id,
            "endpoint": self.endpoint,
            "completion_window": "24h",
            "metadata": {"lsd_batch_id": batch_id},
        }
        return self._request("POST", "batches", key, encode_json(fields))

    def poll(self, job_id: str, key: str | None) -> WireRequest:
        """Asks how a job stands."""
        return self._request("GET", f"batches/{job_id}", key)

    def cancel(self, job_id: str, key: str | None) -> WireRequest:
        """Ends a job early."""
        return self._request("POST", f"batches/{job_id}/cancel", key, b"{}")

    def content(self, file_id: str, key: str | None) -> WireRequest:
        """Fetches a file of results."""
        return self._request("GET", f"files/{file_id}/content", key)

    def job(self, status: int, headers: Mapping[str, str], body: bytes) -> Job:
        """The job that an answer tells of. Raises AttemptFailed."""
        fields = _read(status, headers, body)
        state = _STATES.get(_text(fields, "status"))
        if state is None:
            raise _undecodable(f"found the status {fields['status']!r}")
        files = (fields.get("output_file_id"), fields.get("error_file_id"))
        counts = fields.get("request_counts")
        counts = counts if isinstance(counts, dict) else {}
        return Job(
            id=_text(fields, "id"),
            state=state,
            files=tuple(each for each in files if isinstance(each, str)),
            completed=_count(counts.get("completed")),
            failed=_count(counts.get("failed")),
            reason=_reasons(fields.get("errors")),
        )

    def file(self, status: int, headers: Mapping[str, str], body: bytes) -> bytes:
        """A file's bytes. Raises AttemptFailed."""
        if not 200 <= status < 300:
            raise failed_answer("openai", status, headers, body)
        return body

    def rows(self, content: bytes) -> Iterator[Row]:
        """The results in a file, in any order."""
        return (_row(line) for line in content.splitlines() if line.strip())

    def _request(
        self,
        method: str,
        path: str,
        key: str | None,
        body: bytes = b"",
        further: Mapping[str, str] | None = None,
    ) -> WireRequest:
        return WireRequest(
            method=method,
            url=request_url("openai", self.base, path),
            headers=request_headers(key, further=further),
            body=body,
        )


def batches_of(provider: Provider) -> OpenAIBatches | None:
    """The batch API of a provider; None if it has none, or its requests are to be made singly."""
    if not isinstance(provider, OpenAIProvider) or provider.batch == "local":
        return None
    if provider.batch == "auto" and provider.api_base.rstrip("/") != _OPENAI_BASE:
        return None
    is_responses = provider.api_type == "responses"
    return OpenAIBatches(
        base=provider.api_base,
        endpoint="/v1/responses" if is_responses else "/v1/chat/completions",
    )


def _read(status: int, headers: Mapping[str, str], body: bytes) -> dict[str, JsonValue]:
    if not 200 <= status < 300:
        raise failed_answer("openai", status, headers, body)
    try:
        value = decode_json(body)
    except NotJson as error:
        raise _undecodable(str(error)) from None
    if not isinstance(value, dict):
        raise _undecodable("found no object")
    return value


def _text(fields: Mapping[str, JsonValue], name: str) -> str:
    value = fields.get(name)
    if not isinstance(value, str):
        raise _undecodable(f"found no {name}")
    return value


def _undecodable(reason: str) -> AttemptFailed:
    return AttemptFailed(kind="malformed", text=f"openai: batch API: {reason}")


def _count(value: JsonValue) -> int | None:
    return value if type(value) is int else None


def _reasons(errors: JsonValue) -> str:
    data = errors.get("data") if isinstance(errors, dict) else None
    entries = data if isinstance(data, list) else []
    return "; ".join(_reason(each) for each in entries if isinstance(each, dict))


def _reason(entry: Mapping[str, JsonValue]) -> str:
    told = ": ".join(str(entry[key]) for key in ("code", "message") if entry.get(key))
    return f"line {entry['line']}: {told}" if entry.get("line") else told


def _row(line: bytes) -> Row:
    try:
        fields = decode_json(line)
        custom_id, response, error = fields["custom_id"], fields["response"], fields.get("error")
        if not isinstance(custom_id, str):
            raise TypeError
        if error:
            return Row(custom_id=custom_id, error=_reason(error) or str(error))
        status, body = response["status_code"], encode_json(response["body"])
    except (NotJson, AttributeError, KeyError, TypeError):
        return Row(custom_id=_custom_id_in(line), error=_shown(line), is_bad=True)
    if status != 200:
        return Row(custom_id=custom_id, error=f"HTTP {status}: {body[:LINE_SHOWN_MAX].decode()}")
    return Row(custom_id=custom_id, body=body)


LINE_SHOWN_MAX = 500
"""Bytes of a line that an error shows."""


def _shown(line: bytes) -> str:
    return f"result line not readable: {line[:LINE_SHOWN_MAX].decode(errors='replace')}"


def _custom_id_in(line: bytes) -> str:
    """The request that a broken line most likely belongs to; empty if that cannot be told."""
    _, found, rest = line.partition(b'"custom_id":"')
    return rest.split(b'"', 1)[0].decode(errors="replace") if found else ""
