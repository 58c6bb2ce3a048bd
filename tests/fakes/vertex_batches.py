"""Vertex AI's batch API and the storage beside it as a fake: objects, jobs, a test's results."""

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs

import attrs
import orjson

from tests.fakes.gemini_scripts import USAGE, event, fails, says
from tests.fakes.openai_scripts import answers
from tests.fakes.recorded import RecordedRequest
from tests.fakes.script import Answer, Delay, Script

Line = dict[str, Any]

JOBS = "projects/123/locations/us-central1/batchPredictionJobs"
"""Projects have numbers, too, and Vertex AI calls its jobs by these."""

FIRST_JOB = 77
"""The number of the first one; the next has the next."""

FOLDER = "prediction-model-2026-11-29T12:00:00.000000Z"
"""What the service makes below the prefix that a job gives it."""

TOKEN = "ya29.exchanged"
"""The only one that opens jobs and storage."""


def answered(line: Line, text: str | None = None, *, usage: Any = USAGE) -> bytes:
    """The result of one request: by default an echo of its last message."""
    said = line["request"]["contents"][-1]["parts"][-1]["text"] if text is None else text
    return _result(line, response=event({"text": said}, finish="STOP", usage=usage))


def errored(line: Line, status: str) -> bytes:
    """The result of a request that was not answered."""
    return _result(line, status=status, response={})


def _result(line: Line, *, status: str = "", response: Any) -> bytes:
    times = {"processed_time": "2026-11-29T12:05:00.123456+00:00"}
    return orjson.dumps({"status": status, **times, **line, "response": response})


@attrs.define(eq=False)
class FakeVertexBatches:
    """Answers requests to jobs and to objects, and plain requests for contents beside them.

    Every job has the state that `state` says, once it is created. Its results are what `output`
    makes of its lines; None: it tells of no output.
    """

    state: str = "JOB_STATE_PENDING"
    output: Callable[[list[Line]], bytes] | None = None
    error: dict[str, Any] | None = None
    refusals: dict[str, int] = attrs.field(factory=dict)
    """Statuses for paths that end so, as long as they stand here."""
    holds_back: bool = False
    """A job is begun, and nobody hears of it."""
    objects: dict[str, bytes] = attrs.field(factory=dict, init=False)
    """What is stored, by URI."""
    jobs: list[dict[str, Any]] = attrs.field(factory=list, init=False)
    """The bodies that made them."""
    asked: list[str] = attrs.field(factory=list, init=False)
    """Method and last segment of the path of every request."""

    @property
    def lines(self) -> list[Line]:
        """The requests of all jobs."""
        return [line for job in self.jobs for line in self._lines_of(job)]

    def _lines_of(self, job: dict[str, Any]) -> list[Line]:
        (uri,) = job["inputConfig"]["gcsSource"]["uris"]
        return [orjson.loads(line) for line in self.objects[uri].splitlines()]

    def __call__(self, request: RecordedRequest) -> Script:
        """What one request gets."""
        segment = request.path.rsplit("/", 1)[1]
        self.asked.append(f"{request.method} {segment}")
        for end, status in self.refusals.items():
            if request.path.endswith(end):
                return fails(status, "INTERNAL")
        if segment.endswith(":generateContent"):
            text = request.json()["contents"][-1]["parts"][-1]["text"]
            answer: Answer = says(text)
            return answer if isinstance(answer, Script) else answer(request)
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            return fails(401, "UNAUTHENTICATED")
        return self._stored(request) if "/storage/v1/b/" in request.path else self._job(request)

    def _stored(self, request: RecordedRequest) -> Script:
        bucket, _, name = request.path.split("/storage/v1/b/")[1].partition("/o")
        query = parse_qs(request.query)
        if request.method == "POST":
            assert "/upload/" in request.path
            assert query["uploadType"] == ["media"]
            self.objects[f"gs://{bucket}/{query['name'][0]}"] = request.body
            return answers({"kind": "storage#object"})
        assert query["alt"] == ["media"]
        found = self.objects.get(f"gs://{bucket}{name}")
        if found is None:
            return fails(404, "NOT_FOUND", "No such object")
        return answers(found, content_type="application/octet-stream")

    def _job(self, request: RecordedRequest) -> Script:
        if request.path.endswith("/batchPredictionJobs"):
            if request.method == "GET":
                return answers(self._listed(parse_qs(request.query)))
            self.jobs.append(request.json())
            if self.holds_back:
                return Script((Delay(3_600_000),))
            return answers({**self.jobs[-1], **self._told(len(self.jobs) - 1)})
        if request.path.endswith(":cancel"):
            self.state = "JOB_STATE_CANCELLED"
            return answers({})
        _, found, number = request.path.partition(f"/{JOBS}/")
        assert found, request.path
        place = int(number) - FIRST_JOB
        told = self._told(place)
        if self.output is not None:
            prefix = self.jobs[place]["outputConfig"]["gcsDestination"]["outputUriPrefix"]
            results = self.output(self._lines_of(self.jobs[place]))
            self.objects[f"{prefix}/{FOLDER}/predictions.jsonl"] = results
            told["outputInfo"] = {"gcsOutputDirectory": f"{prefix}/{FOLDER}"}
        if self.error is not None:
            told["error"] = self.error
        told["completionStats"] = {"successfulCount": "1", "incompleteCount": "-1"}
        return answers(told)

    def _told(self, place: int) -> dict[str, Any]:
        return {"name": f"{JOBS}/{FIRST_JOB + place}", "state": self.state}

    def _listed(self, query: dict[str, list[str]]) -> dict[str, Any]:
        """Two pages: nothing on the first, and then the jobs of the name that is asked for."""
        if "pageToken" not in query:
            return {"nextPageToken": "second/page"}
        assert query["pageToken"] == ["second/page"]
        (asked,) = query["filter"]
        meant = [
            {**job, **self._told(place)}
            for place, job in enumerate(self.jobs)
            if asked == f'display_name="{job["displayName"]}"'
        ]
        return {"batchPredictionJobs": meant} if meant else {}
