"""From errors to answers: the one place that knows HTTP statuses."""

import math
from collections.abc import Mapping
from typing import Any, Protocol

import attrs

from lsd.access import NotAuthenticated
from lsd.api.bodies import BodyTooLarge, CodingBroken, CodingUnknown
from lsd.api.exchange import Answer
from lsd.batches import (
    BadSubmission,
    BatchNotStored,
    CredentialsLost,
    ItemRefused,
    NativeStartsFailed,
    NotConfiguredAnyMore,
    RecordsAreOff,
    UnknownBatch,
    UnknownItem,
)
from lsd.conversation import IdGenerator, LsdError, Malformed, encode_json
from lsd.datasets import DatasetUnchanged
from lsd.feedback import BadFeedback, NotStored, UnknownFunction, UnknownMetric
from lsd.inference import BadRequest, FailureCause, InferenceFailed, UnknownName
from lsd.store import StoreFailed, StoreFull, UnknownDatapoint, WriteFailed
from lsd.telemetry import CURRENT_REQUEST, logger

log = logger(__name__)

_STATUSES: dict[type[LsdError], int] = {
    Malformed: 400,
    BadRequest: 400,
    BadFeedback: 400,
    BadSubmission: 400,
    RecordsAreOff: 400,
    CredentialsLost: 400,
    CodingBroken: 400,
    NotAuthenticated: 401,
    UnknownName: 404,
    UnknownDatapoint: 404,
    UnknownMetric: 404,
    UnknownFunction: 404,
    UnknownBatch: 404,
    UnknownItem: 404,
    NotConfiguredAnyMore: 404,
    NativeStartsFailed: 502,
    BodyTooLarge: 413,
    CodingUnknown: 415,
    NotStored: 503,
    BatchNotStored: 503,
    DatasetUnchanged: 503,
    StoreFull: 503,
    StoreFailed: 503,
    WriteFailed: 503,
}

_FAILED: dict[FailureCause, tuple[int, int]] = {
    "providers": (500, 502),
    "timeout": (408, 502),
    "rendering": (500, 502),
    "template": (400, 502),
    "unfit": (400, 400),
    "candidates": (502, 502),
    "examples": (500, 502),
    "nothing_to_try": (502, 502),
    "rate_limit": (429, 429),
    "limits_unavailable": (503, 503),
    "function": (500, 500),
}
"""Per cause: the status if the caller had pinned the variant, and otherwise."""


STOPPING = "the daemon is stopping; the answer is not complete"


@attrs.frozen
class Refused(LsdError):
    """An answer that an endpoint gives by raising it: the status, and what is wrong."""

    status: int
    text: str

    def __str__(self) -> str:
        return self.text


class ErrorWords(Protocol):
    """How errors are told to the clients of one family of endpoints."""

    def answer_and_log(self, error: Exception, route: str, ids: IdGenerator) -> Answer:
        """The answer to whatever a request on `route` ended with; the log is told, too."""

    def last_event(self, answer: Answer) -> bytes:
        """What a stream ends with that had begun before it came to this answer."""

    def stopping(self) -> Answer:
        """The daemon stops before the answer was complete."""


@attrs.frozen
class ErrorDesk:
    """Knows in whose words errors are told: by the first segment of the path, else `native`."""

    native: ErrorWords
    by_segment: Mapping[str, ErrorWords] = attrs.field(factory=dict)

    def words_for(self, path: str) -> ErrorWords:
        """The words for what lies at `path`, below the base path of the gateway."""
        return self.by_segment.get(path.lstrip("/").partition("/")[0], self.native)


@attrs.frozen
class ErrorAnswers:
    """Makes answers of errors, in the words of the native endpoints.

    `shows_tree`: with the causes as nested objects beside the text. `logs_values`: the log quotes
    what callers have sent.
    """

    shows_tree: bool
    logs_values: bool = False

    def answer(self, error: LsdError) -> Answer:
        """The answer that tells an expected error."""
        if isinstance(error, InferenceFailed):
            return self._failed(error)
        status = status_of(error)
        more = {"error_json": {"kind": type(error).__name__}} if self.shows_tree else {}
        return plain_error(status, str(error), **more)

    def answer_and_log(self, error: Exception, route: str, ids: IdGenerator) -> Answer:
        """The answer to whatever a request on `route` ended with; the log is told, too.

        A bug is told by an id alone, under which the log has the rest.
        """
        if not isinstance(error, LsdError) or not _is_expected(error):
            request_id = log_bug(error, route, ids)
            return plain_error(500, f"internal error; the log tells more under {request_id}")
        answer = self.answer(error)
        log_refusal(error, route, answer.status, logs_values=self.logs_values)
        return answer

    def last_event(self, answer: Answer) -> bytes:
        """What a stream ends with that had begun before it came to this answer."""
        return b"data: " + answer.body + b"\n\n"

    def stopping(self) -> Answer:
        """The daemon stops before the answer was complete."""
        return plain_error(503, STOPPING)

    def _failed(self, error: InferenceFailed) -> Answer:
        more: dict[str, Any] = {}
        if error.inference_id is not None:
            more = {"inference_id": error.inference_id, "episode_id": error.episode_id}
        if error.raw_response:
            more["raw_response"] = error.raw_response
        if self.shows_tree:
            more["error_json"] = {"kind": error.cause, "variants": error.tree}
        answer = plain_error(status_of(error), str(error), **more)
        if error.cause != "rate_limit" or error.retry_after_s is None:
            return answer
        seconds = max(1, math.ceil(error.retry_after_s))
        return attrs.evolve(answer, headers=((b"retry-after", b"%d" % seconds),))


def status_of(error: LsdError) -> int:
    """The status that tells an expected error; of any other, that it is a bug."""
    match error:
        case Refused():
            return error.status
        case InferenceFailed():
            pinned, otherwise = _FAILED[error.cause]
            return pinned if error.pinned else otherwise
        case ItemRefused():
            return status_of(error.refusal)
        case _:
            return _STATUSES.get(type(error), 500)


def plain_error(status: int, text: str, **more: Any) -> Answer:
    """`{"error": …}`, with further fields behind it."""
    return Answer(status=status, body=encode_json({"error": text, **more}))


def log_bug(error: Exception, route: str, ids: IdGenerator) -> str:
    """Tells the log of an error that nobody expects; the id under which it stands there."""
    context = CURRENT_REQUEST.get()
    request_id = ids.new() if context is None else context.request_id
    log.error("internal error", route=route, request_id=request_id, exc_info=error)
    return request_id


def log_refusal(error: Exception, route: str, status: int, *, logs_values: bool) -> None:
    """Tells the log of an error that the client is told; `logs_values`: all that it says."""
    if status < 500:
        reason = str(error) if logs_values else _without_values(error)
        log.warning("request refused", route=route, status=status, reason=reason)
    else:
        tell = log.warning if _is_timeout(error) else log.error
        tell("request failed", route=route, status=status, reason=str(error))


def _is_timeout(error: Exception) -> bool:
    """Whether nobody has failed, but time was up."""
    if not isinstance(error, InferenceFailed):
        return False
    last = error.failures[-1].failure.kind if error.failures else None
    return error.cause == "timeout" or last == "timeout"


def _is_expected(error: LsdError) -> bool:
    """Whether an error has an answer of its own; one without is a bug, too."""
    if isinstance(error, ItemRefused):
        return _is_expected(error.refusal)
    return isinstance(error, InferenceFailed | Refused) or type(error) in _STATUSES


def _without_values(error: Exception) -> str:
    """What the log tells of a client's mistake: the places, not what was found there."""
    match error:
        case Malformed():
            return ", ".join(problem.path or "the body" for problem in error.problems)
        case BadRequest() | BadFeedback() | BadSubmission():
            return error.where
        case ItemRefused():
            return f"{error.index}: {_without_values(error.refusal)}"
        case _:
            return str(error)
