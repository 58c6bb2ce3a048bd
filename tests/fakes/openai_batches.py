"""OpenAI's batch API as a fake: it keeps files and jobs, and does what the test says with them."""

from collections.abc import Callable
from typing import Any

import attrs
import orjson

from tests.fakes.openai_scripts import USAGE, answers, completes, fails
from tests.fakes.recorded import RecordedRequest
from tests.fakes.script import Delay, Script

Line = dict[str, Any]


def answered(line: Line, text: str | None = None) -> bytes:
    """The result of one request: by default an echo of its last message."""
    said = line["body"]["messages"][-1]["content"] if text is None else text
    message = {"role": "assistant", "content": said}
    choices = [{"index": 0, "message": message, "finish_reason": "stop"}]
    response = {"status_code": 200, "request_id": "r", "body": {"choices": choices, "usage": USAGE}}
    return orjson.dumps(
        {"id": "b", "custom_id": line["custom_id"], "response": response, "error": None}
    )


def errored(line: Line, code: str) -> bytes:
    """The result of a request that was not answered."""
    error = {"code": code, "message": "too late"}
    return orjson.dumps(
        {"id": "b", "custom_id": line["custom_id"], "response": None, "error": error}
    )


@attrs.define(eq=False)
class FakeBatches:
    """Answers requests to `/files` and `/batches`, and plain chat completions beside them.

    A job has the status that `status` says. Its results are what `output` and `errors` make of its
    lines; None: it has no such file.
    """

    status: str = "in_progress"
    output: Callable[[list[Line]], bytes] | None = None
    errors: Callable[[list[Line]], bytes] | None = None
    refusals: dict[str, int] = attrs.field(factory=dict)
    """Statuses for paths that end so, as long as they stand here."""
    holds_back: bool = False
    """A job is begun, and nobody hears of it."""
    job: dict[str, Any] = attrs.field(factory=dict, init=False)
    """What the job was asked for with."""
    lines: list[Line] = attrs.field(factory=list, init=False)
    asked: list[str] = attrs.field(factory=list, init=False)
    """Method and path of every request."""

    def __call__(self, request: RecordedRequest) -> Script:
        """What one request gets."""
        path = request.path.split("/v1", 1)[1]
        self.asked.append(f"{request.method} {path}")
        for end, status in self.refusals.items():
            if path.endswith(end):
                return fails(status)
        if path == "/files":
            self.lines = [orjson.loads(line) for line in _file_of(request).splitlines()]
            return answers({"id": "file-in"})
        if path == "/chat/completions":
            text = request.json()["messages"][-1]["content"]
            return completes({"role": "assistant", "content": text})
        if path.startswith("/files/"):
            make = self.output if "file-out" in path else self.errors
            assert make is not None, "nobody asks for a file that there is not"
            return answers(make(self.lines), content_type="application/jsonl")
        if path == "/batches" and request.method == "GET":
            jobs = [self._job()] if self.job else []
            return answers({"object": "list", "data": jobs, "has_more": False})
        if path == "/batches":
            self.job = request.json()
            if self.holds_back:
                return Script((Delay(3_600_000),))
        if path.endswith("/cancel"):
            self.status = "cancelled"
        return answers(self._job())

    def _job(self) -> dict[str, Any]:
        is_over = self.status not in ("validating", "in_progress", "finalizing", "cancelling")
        return {
            "id": "batch_1",
            "status": self.status,
            "metadata": self.job.get("metadata"),
            "output_file_id": "file-out" if is_over and self.output else None,
            "error_file_id": "file-err" if is_over and self.errors else None,
            "request_counts": {"total": len(self.lines), "completed": 0, "failed": 0},
            "errors": None,
        }


def _file_of(request: RecordedRequest) -> bytes:
    """The file in a multipart body."""
    boundary = request.headers["content-type"].split("boundary=")[1]
    parts = request.body.split(f"--{boundary}".encode())
    (file,) = [part for part in parts if b'filename="data.jsonl"' in part]
    return file.split(b"\r\n\r\n", 1)[1].strip()
