"""What every batch API of a provider offers: files of requests in, jobs, files of results out."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal, Protocol

import attrs

from lsd.conversation import AttemptFailed, JsonValue, WireRequest
from lsd.providers._host import Credentials
from lsd.providers._http_errors import failed_answer, object_in
from lsd.providers.dialect import Dialect

LINES_MAX = 50_000
FILE_BYTES_MAX = 200_000_000
"""Of one job's file of requests. These are OpenAI's bounds; what fits there fits elsewhere."""

WINDOW_MS = 24 * 60 * 60 * 1000
"""So long a provider works at a job, from its beginning; then it is over."""

LINE_SHOWN_MAX = 500
"""Bytes of a line that an error shows."""

JobState = Literal["under_way", "ended", "failed", "cut_short"]


@attrs.frozen(kw_only=True)
class Job:
    """A job as it stands. `files` hold its results; `reason` tells why there are none."""

    state: JobState
    files: tuple[str, ...] = ()
    completed: int | None = None
    failed: int | None = None
    reason: str = ""


@attrs.frozen(kw_only=True)
class Row:
    """The result of one request: the body of its answer, or why there is none."""

    inference_id: str
    body: bytes | None = None
    error: str | None = None
    is_cancelled: bool = False
    """The request was not run, because the job was to end."""
    is_bad: bool = False
    """The line cannot be read; it may name no request."""


@attrs.frozen(kw_only=True)
class FoundJobs:
    """The jobs under way that a page of a provider's list holds of one batch.

    `after` is what to ask for the next page with; None: there is none.
    """

    ids: tuple[str, ...]
    after: str | None = None


@attrs.frozen(kw_only=True)
class BatchFile:
    """A file of requests; those of a batch are counted from 0, and no number is used twice."""

    batch_id: str
    number: int

    @property
    def name(self) -> str:
        """What no other file is called: the first of a batch is called like the batch."""
        return self.batch_id if self.number == 0 else f"{self.batch_id}-{self.number}"


class BatchAPI(Protocol):
    """The batch API of one configured provider. Holds no state, and sends nothing.

    What reads an answer is told its status, headers and body, and raises AttemptFailed.
    """

    @property
    def reader(self) -> Dialect:
        """What decodes the body of a result."""

    def fitted(self, inference_id: str, body: bytes, /) -> bytes:
        """The body of a request as it stands in a file: not quite as it would be sent alone."""

    def line(self, inference_id: str, fitted: bytes, /) -> bytes:
        """One request in a file of them."""

    def upload(
        self, file: BatchFile, lines: Sequence[bytes], credentials: Credentials, /
    ) -> WireRequest:
        """Sends a file of requests: those of `line`, which do not end in a line break.

        A file may be large, so nothing else holds a copy of it.
        """

    def file_id(
        self, file: BatchFile, status: int, headers: Mapping[str, str], body: bytes, /
    ) -> str:
        """By what name the provider knows the file that was sent."""

    def create(self, file: BatchFile, file_id: str, credentials: Credentials, /) -> WireRequest:
        """Begins the job of a file."""

    def job_id(self, status: int, headers: Mapping[str, str], body: bytes) -> str:
        """By what name the provider knows the job that has begun."""

    def poll(self, job_id: str, credentials: Credentials) -> WireRequest:
        """Asks how a job stands."""

    def job(self, status: int, headers: Mapping[str, str], body: bytes) -> Job:
        """How it stands."""

    def cancel(self, job_id: str, credentials: Credentials) -> WireRequest:
        """Ends a job early."""

    def check_cancelled(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        """Whether the provider will do so; that takes time, and may come too late."""

    def search(self, batch_id: str, after: str | None, credentials: Credentials, /) -> WireRequest:
        """Asks for a page of the jobs there are, of this batch or of all, the latest first."""

    def found(
        self, batch_id: str, status: int, headers: Mapping[str, str], body: bytes
    ) -> FoundJobs:
        """Those of this batch that nobody has ended yet."""

    def content(self, file_id: str, credentials: Credentials) -> WireRequest:
        """Fetches a file of results."""

    def file(self, status: int, headers: Mapping[str, str], body: bytes) -> bytes:
        """Its bytes."""

    def rows(self, content: bytes) -> Iterator[Row]:
        """The results in it, in any order. A large file takes seconds: in a thread."""


def answered_object(
    provider_type: str, status: int, headers: Mapping[str, str], body: bytes
) -> dict[str, JsonValue]:
    """The JSON object that a batch API has answered. Raises AttemptFailed."""
    check_status(provider_type, status, headers, body)
    return object_in(provider_type, headers, body)


def check_status(provider_type: str, status: int, headers: Mapping[str, str], body: bytes) -> None:
    """Raises AttemptFailed for an answer that is an error."""
    if not 200 <= status < 300:
        raise failed_answer(provider_type, status, headers, body)


def text_field(provider_type: str, fields: Mapping[str, JsonValue], name: str) -> str:
    """A field that must be a text. Raises AttemptFailed."""
    value = fields.get(name)
    if not isinstance(value, str):
        raise not_understood(provider_type, f"found no {name}")
    return value


def objects_in(fields: Mapping[str, JsonValue], name: str) -> list[dict[str, JsonValue]]:
    """The objects of a list; what else stands in it is passed over, as is what is no list."""
    value = fields.get(name)
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def not_understood(provider_type: str, reason: str) -> AttemptFailed:
    """The failure that an answer is if it makes no sense."""
    return AttemptFailed(kind="malformed", text=f"{provider_type}: batch API: {reason}")


def bad_row(line: bytes, id_field: str) -> Row:
    """The result that a line is if it cannot be read.

    It most likely belongs to the request that stands under `id_field`, if that can be seen.
    """
    found = re.search(rb'"%s"\s*:\s*"([^"\\]*)"' % id_field.encode(), line)
    inference_id = "" if found is None else found[1].decode(errors="replace")
    shown = line[:LINE_SHOWN_MAX].decode(errors="replace")
    error = f"result line not readable: {shown}"
    return Row(inference_id=inference_id, error=error, is_bad=True)
