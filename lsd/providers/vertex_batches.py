"""Vertex AI's batch API for Gemini: jobs whose files lie in Cloud Storage. Without any I/O.

Source: Vertex AI's REST reference, "projects.locations.batchPredictionJobs", and its page "Batch
inference from Cloud Storage", autumn 2026.
"""

from collections.abc import Iterator, Mapping, Sequence
from urllib.parse import urlencode

import attrs

from lsd.config import GcpBatch, GcpVertexGeminiProvider
from lsd.conversation import JsonValue, NotJson, WireRequest, decode_json, encode_json
from lsd.providers._cloud_storage import CloudStorage, StoredObject, uri_below
from lsd.providers._error_bodies import shortened
from lsd.providers._host import Credentials
from lsd.providers._sealing import USER_AGENT
from lsd.providers.batch_api import (
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
from lsd.providers.gemini import Gemini
from lsd.providers.vertex import place_url, resource_url, vertex_headers

LABEL = "lsd-inference-id"
"""Of a request; the line of its result shows the request again, and has nothing else to tell by."""

RESULTS = "predictions.jsonl"
"""In the directory that the answer names: the service makes a new one for every job."""

JOBS_PER_PAGE = 100
"""Of the list of jobs; a batch has one for each of its variants, and mostly one."""

_NAME = "lsd-batch-"
"""Of a job, in front of the id of its batch."""

_TYPE = "gcp_vertex_gemini"
_STORAGE = f"{_TYPE}: Cloud Storage"
"""Whoever reads an error should know which of the two services it is from."""

_PREFIX = "JOB_STATE_"
"""Of every state."""

_STATES: Mapping[str, JobState] = {
    "UNSPECIFIED": "under_way",
    "QUEUED": "under_way",
    "PENDING": "under_way",
    "RUNNING": "under_way",
    "PAUSED": "under_way",
    "UPDATING": "under_way",
    "CANCELLING": "under_way",
    "CANCELING": "under_way",
    "SUCCEEDED": "ended",
    "PARTIALLY_SUCCEEDED": "ended",
    "FAILED": "failed",
    "CANCELLED": "cut_short",
    "EXPIRED": "cut_short",
}
"""Any other one is an end that is not known yet: nothing is to be had of it."""


@attrs.frozen(kw_only=True)
class VertexBatches:
    """The batch API for one model of the catalogue."""

    provider: GcpVertexGeminiProvider
    input_uri_prefix: str
    output_uri_prefix: str
    storage: CloudStorage
    reader: Gemini

    def fitted(self, inference_id: str, body: bytes, /) -> bytes:
        fields = decode_json(body)
        labels = fields.get("labels")
        own = labels if isinstance(labels, dict) else {}
        return encode_json({**fields, "labels": {**own, LABEL: inference_id}})

    def line(self, _: str, fitted: bytes, /) -> bytes:
        return b'{"request":' + fitted + b"}"

    def upload(
        self, file: BatchFile, lines: Sequence[bytes], credentials: Credentials, /
    ) -> WireRequest:
        content = b"\n".join((*lines, b""))
        return self.storage.write(self._input(file), content, vertex_headers(credentials))

    def file_id(
        self, file: BatchFile, status: int, headers: Mapping[str, str], body: bytes, /
    ) -> str:
        check_status(_STORAGE, status, headers, body)
        return self._input(file).uri

    def create(self, file: BatchFile, file_id: str, credentials: Credentials, /) -> WireRequest:
        output = uri_below(self.output_uri_prefix, f"lsd-batch-output-{file.name}")
        fields = {
            "displayName": f"{_NAME}{file.batch_id}",
            "model": f"publishers/google/models/{self.provider.model_id}",
            "inputConfig": {"instancesFormat": "jsonl", "gcsSource": {"uris": [file_id]}},
            "outputConfig": {
                "predictionsFormat": "jsonl",
                "gcsDestination": {"outputUriPrefix": output},
            },
        }
        url = f"{place_url(self.provider)}/batchPredictionJobs"
        return _request("POST", url, credentials, encode_json(fields))

    def job_id(self, status: int, headers: Mapping[str, str], body: bytes) -> str:
        return text_field(_TYPE, answered_object(_TYPE, status, headers, body), "name")

    def poll(self, job_id: str, credentials: Credentials) -> WireRequest:
        return _request("GET", resource_url(self.provider, job_id), credentials)

    def job(self, status: int, headers: Mapping[str, str], body: bytes) -> Job:
        fields = answered_object(_TYPE, status, headers, body)
        told = _state_in(fields)
        state = _STATES.get(told, "failed")
        counts = _object(fields.get("completionStats"))
        directory = _object(fields.get("outputInfo")).get("gcsOutputDirectory")
        has_results = state in ("ended", "cut_short") and directory is not None
        return Job(
            state=state,
            files=(_results_in(directory),) if has_results else (),
            completed=_count(counts.get("successfulCount")),
            failed=_count(counts.get("failedCount")),
            reason="" if has_results else _reason(told, _object(fields.get("error"))),
        )

    def cancel(self, job_id: str, credentials: Credentials) -> WireRequest:
        url = f"{resource_url(self.provider, job_id)}:cancel"
        return _request("POST", url, credentials, b"{}")

    def check_cancelled(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        check_status(_TYPE, status, headers, body)

    def search(self, batch_id: str, after: str | None, credentials: Credentials, /) -> WireRequest:
        query = {"filter": f'display_name="{_NAME}{batch_id}"', "pageSize": str(JOBS_PER_PAGE)}
        if after is not None:
            query["pageToken"] = after
        url = f"{place_url(self.provider)}/batchPredictionJobs?{urlencode(query)}"
        return _request("GET", url, credentials)

    def found(
        self, batch_id: str, status: int, headers: Mapping[str, str], body: bytes
    ) -> FoundJobs:
        fields = answered_object(_TYPE, status, headers, body)
        jobs = objects_in(fields, "batchPredictionJobs")
        token = fields.get("nextPageToken")
        return FoundJobs(
            ids=tuple(
                text_field(_TYPE, each, "name") for each in jobs if _is_at_work_for(batch_id, each)
            ),
            after=token if isinstance(token, str) and token else None,
        )

    def content(self, file_id: str, credentials: Credentials) -> WireRequest:
        source = StoredObject.at(file_id)
        assert source is not None, "it was looked at when the job told of it"
        return self.storage.read(source, vertex_headers(credentials))

    def file(self, status: int, headers: Mapping[str, str], body: bytes) -> bytes:
        check_status(_STORAGE, status, headers, body)
        return body

    def rows(self, content: bytes) -> Iterator[Row]:
        return (_row(line) for line in content.splitlines() if line.strip())

    def _input(self, file: BatchFile) -> StoredObject:
        uri = uri_below(self.input_uri_prefix, f"lsd-batch-input-{file.name}.jsonl")
        stored = StoredObject.at(uri)
        assert stored is not None, "the prefix was checked when the configuration was read"
        return stored


def vertex_batches(
    provider: GcpVertexGeminiProvider, storage: GcpBatch | None, dialect: Gemini
) -> VertexBatches | None:
    """The batch API of a provider; None if it has none.

    It needs a model of the catalogue, and places for the files.
    """
    if provider.model_id is None:
        return None
    if storage is None or storage.storage_type != "cloud_storage":
        return None
    assert storage.input_uri_prefix is not None, "or the configuration would have been refused"
    assert storage.output_uri_prefix is not None, "or the configuration would have been refused"
    return VertexBatches(
        provider=provider,
        input_uri_prefix=storage.input_uri_prefix,
        output_uri_prefix=storage.output_uri_prefix,
        storage=CloudStorage(storage.storage_api_base),
        reader=Gemini(attrs.evolve(dialect.target, may_lack_usage=True), dialect.host),
    )


def _is_at_work_for(batch_id: str, job: Mapping[str, JsonValue]) -> bool:
    if job.get("displayName") != f"{_NAME}{batch_id}":
        return False
    state = _state_in(job)
    return not state.startswith("CANCEL") and _STATES.get(state) == "under_way"


def _state_in(job: Mapping[str, JsonValue]) -> str:
    """The service's word; the first of all may be left out of an answer."""
    return str(job.get("state") or "UNSPECIFIED").removeprefix(_PREFIX)


def _request(method: str, url: str, credentials: Credentials, body: bytes = b"") -> WireRequest:
    headers = {"Content-Type": "application/json", "User-Agent": USER_AGENT}
    return WireRequest(
        method=method, url=url, headers=headers | vertex_headers(credentials), body=body
    )


def _results_in(directory: JsonValue) -> str:
    uri = uri_below(directory, RESULTS) if isinstance(directory, str) else ""
    if StoredObject.at(uri) is None:
        raise not_understood(_TYPE, f"found the gcsOutputDirectory {directory!r}")
    return uri


def _reason(state: str, error: Mapping[str, JsonValue]) -> str:
    """Why there are no results."""
    return f"{_PREFIX}{state}: {error.get('message') or 'no results'}"


def _object(value: JsonValue) -> Mapping[str, JsonValue]:
    return value if isinstance(value, dict) else {}


def _count(value: JsonValue) -> int | None:
    """A whole number, which JSON made of Google's messages has as a text."""
    text = str(value)
    return int(text) if text.isascii() and text.isdigit() and len(text) < 20 else None


def _row(line: bytes) -> Row:
    try:
        fields = decode_json(line)
        inference_id, status = fields["request"]["labels"][LABEL], fields.get("status")
        if not isinstance(inference_id, str):
            raise TypeError
        if status:
            text = status if isinstance(status, str) else encode_json(status).decode()
            return Row(inference_id=inference_id, error=shortened(text))
        response = fields["response"]
        if not isinstance(response, dict):
            raise TypeError
    except (NotJson, AttributeError, KeyError, TypeError):
        return bad_row(line, LABEL)
    return Row(inference_id=inference_id, body=encode_json(response))
