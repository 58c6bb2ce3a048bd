"""Errors become answers in one place, which knows all statuses."""

from typing import Any, get_args

import orjson
import pytest

from lsd.access import NotAuthenticated
from lsd.api import Answer, ErrorAnswers
from lsd.api.bodies import BodyTooLarge, CodingBroken, CodingUnknown
from lsd.api.errors import Refused, plain_error
from lsd.conversation import AttemptFailed, LsdError, Malformed, Problem
from lsd.feedback import BadFeedback, NotStored, UnknownFunction, UnknownMetric
from lsd.inference import BadRequest, FailureCause, InferenceFailed, ProviderFailure, UnknownName
from lsd.store import StoreFailed, StoreFull, WriteFailed
from tests.unit.api.endpoints import new_ids
from tests.unit.captured_log import Log

PLAIN = ErrorAnswers(shows_tree=False)
WITH_TREE = ErrorAnswers(shows_tree=True)

EXPECTED: list[tuple[LsdError, int]] = [
    (Malformed((Problem("input", "missing"),)), 400),
    (BadRequest("episode_id", "found x; wanted a UUID"), 400),
    (BadFeedback("value", "found x; wanted a number"), 400),
    (CodingBroken("gzip"), 400),
    (NotAuthenticated("the key does not exist"), 401),
    (UnknownName("function_name", "function", "ghost"), 404),
    (UnknownMetric("ghost"), 404),
    (UnknownFunction("ghost"), 404),
    (BodyTooLarge(1000), 413),
    (CodingUnknown("br"), 415),
    (NotStored("the disk is full"), 503),
    (StoreFull("/data", "disk", 1), 503),
    (StoreFailed("/data", "input/output error"), 503),
    (WriteFailed("the writer has stopped"), 503),
    (Refused(405, "Method not allowed: GET /inference"), 405),
]

FAILURES: list[tuple[FailureCause, int, int]] = [
    ("providers", 500, 502),
    ("timeout", 408, 502),
    ("rendering", 500, 502),
    ("template", 400, 502),
    ("unfit", 400, 400),
    ("candidates", 502, 502),
    ("examples", 500, 502),
    ("nothing_to_try", 502, 502),
    ("rate_limit", 429, 429),
    ("limits_unavailable", 503, 503),
    ("function", 500, 500),
]


def shown(answer: Answer) -> Any:
    """The body of an error."""
    assert answer.media_type == "application/json"
    return orjson.loads(answer.body)


@pytest.mark.parametrize(("error", "status"), EXPECTED, ids=lambda each: type(each).__name__)
def test_each_refusal_has_its_status(error: LsdError, status: int) -> None:
    """The text is the error's own sentence."""
    answer = PLAIN.answer(error)

    assert answer.status == status
    assert shown(answer) == {"error": str(error)}


@pytest.mark.parametrize(("cause", "pinned", "otherwise"), FAILURES)
def test_a_failure_counts_against_whoever_chose_the_variant(
    cause: FailureCause, pinned: int, otherwise: int
) -> None:
    """Who pins a variant hears what is wrong with it; else it is the gateway that found none."""
    statuses = [
        PLAIN.answer(InferenceFailed(cause, "all failed", pinned=each)).status
        for each in (True, False)
    ]

    assert statuses == [pinned, otherwise]


def test_every_cause_of_failure_has_a_status() -> None:
    """No failure is a bug only because nobody has thought of its status."""
    assert {cause for cause, _, _ in FAILURES} == set(get_args(FailureCause))


def test_a_failure_tells_its_ids() -> None:
    """With them the attempts can be looked up."""
    failed = InferenceFailed("providers", "all failed", inference_id="i", episode_id="e")

    assert shown(PLAIN.answer(failed)) == {
        "error": "all failed",
        "inference_id": "i",
        "episode_id": "e",
    }


def test_raw_responses_are_shown_if_there_are_any() -> None:
    """Who asks for them gets what the providers sent, and no empty list."""
    entries = [{"provider_type": "openai", "data": "overloaded"}]

    told = shown(PLAIN.answer(InferenceFailed("providers", "all failed", raw_response=entries)))

    assert told == {"error": "all failed", "raw_response": entries}


def test_the_tree_of_causes_is_shown_where_it_is_asked_for() -> None:
    """Programs that read it are told the kind, and all that was tried."""
    tree = [{"variant": "terse", "error": "failed", "models": []}]
    failed = InferenceFailed("timeout", "all failed", tree=tree)

    assert shown(WITH_TREE.answer(failed))["error_json"] == {"kind": "timeout", "variants": tree}
    assert shown(WITH_TREE.answer(BodyTooLarge(1)))["error_json"] == {"kind": "BodyTooLarge"}
    assert "error_json" not in shown(PLAIN.answer(failed))


@pytest.mark.parametrize(
    ("error", "level", "event"),
    [
        (BodyTooLarge(1000), "warning", "request refused"),
        (InferenceFailed("timeout", "too slow", pinned=True), "warning", "request refused"),
        (InferenceFailed("timeout", "too slow"), "warning", "request failed"),
        (InferenceFailed("providers", "all down"), "error", "request failed"),
        (NotStored("the disk is full"), "error", "request failed"),
    ],
)
def test_the_log_hears_of_errors(log: Log, error: LsdError, level: str, event: str) -> None:
    """What clients do and limits of time are warnings, our failures and providers' are errors."""
    answer = PLAIN.answer_and_log(error, "POST /inference", new_ids())

    assert answer == PLAIN.answer(error)
    assert log == [
        {
            "event": event,
            "log_level": level,
            "route": "POST /inference",
            "status": answer.status,
            "reason": str(error),
        }
    ]


VALUES: list[tuple[LsdError, str]] = [
    (Malformed((Problem("input.a", "found 'sk'"), Problem("", "sk"))), "input.a, the body"),
    (BadRequest("input.system", "found 'sk'; wanted an object"), "input.system"),
    (BadFeedback("value", "found 'sk'; wanted a number"), "value"),
    (UnknownName("function_name", "function", "ghost"), "the same"),
]


@pytest.mark.parametrize(("error", "place"), VALUES, ids=lambda each: type(each).__name__)
def test_what_callers_send_stays_out_of_the_log(log: Log, error: LsdError, place: str) -> None:
    """The caller is told all, the log the places; names that are looked up are no inputs."""
    quiet, debugging = ErrorAnswers(shows_tree=False), ErrorAnswers(False, logs_values=True)

    answers = [each.answer_and_log(error, "POST /x", new_ids()) for each in (quiet, debugging)]

    assert [shown(answer) for answer in answers] == [{"error": str(error)}] * 2
    assert [entry["reason"] for entry in log] == [
        str(error) if place == "the same" else place,
        str(error),
    ]


class Forgotten(LsdError):
    """An error of ours that nobody has given a status."""


@pytest.mark.parametrize(
    "error",
    [
        ValueError("sk-secret"),
        Forgotten("sk-secret"),
        KeyError("sk-secret"),
        ExceptionGroup("sk-secret", [ValueError("sk-secret"), BodyTooLarge(1)]),
        MemoryError("sk-secret"),
    ],
    ids=lambda each: type(each).__name__,
)
def test_a_bug_is_told_by_an_id_alone(log: Log, error: Exception) -> None:
    """The client gets no traceback and no text of the exception; the log has both."""
    answer = WITH_TREE.answer_and_log(error, "POST /inference", new_ids())

    told = shown(answer)["error"]
    (entry,) = log
    assert answer.status == 500
    assert told == f"internal error; the log tells more under {entry['request_id']}"
    assert entry["log_level"] == "error"
    assert entry["exc_info"] is error
    assert entry["route"] == "POST /inference"


def test_an_error_may_have_more_fields() -> None:
    """The text comes first."""
    answer = plain_error(418, "a teapot", kind="short and stout")

    assert (answer.status, answer.body) == (
        418,
        b'{"error":"a teapot","kind":"short and stout"}',
    )


def limited(*waits_s: float | None) -> InferenceFailed:
    """A failure whose calls were all refused by LSD's own limits."""
    failures = tuple(
        ProviderFailure("m", "p", AttemptFailed(kind="own_limit", text="no", retry_after_s=wait_s))
        for wait_s in waits_s
    )
    return InferenceFailed("rate_limit", "no", failures=failures)


@pytest.mark.parametrize(
    ("waits_s", "told"),
    [((39.5,), b"40"), ((0.2,), b"1"), ((3.0, 60.0), b"60"), ((3.0, None), None), ((), None)],
)
def test_a_limit_tells_when_it_will_let_the_call_pass(
    waits_s: tuple[float | None, ...], told: bytes | None
) -> None:
    """In whole seconds, rounded up; the last refusal counts, and never is not told."""
    answer = PLAIN.answer(limited(*waits_s))

    assert dict(answer.headers).get(b"retry-after") == told
    assert answer.status == 429


def test_what_others_ask_to_wait_is_not_passed_on() -> None:
    """Their limits are those of the gateway's account."""
    failure = AttemptFailed(kind="rate_limited", text="no", retry_after_s=7.0)
    failed = InferenceFailed("providers", "no", failures=(ProviderFailure("m", "p", failure),))

    assert PLAIN.answer(failed).headers == ()
