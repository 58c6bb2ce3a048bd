"""Gemini's dialect as a whole: errors, streams that are none, and files."""

from typing import Any

import pytest
from structlog.testing import capture_logs

from lsd.conversation import (
    AttemptFailed,
    BodyEdit,
    Edits,
    FunctionTool,
    ToolSet,
    UrlFile,
    decode_json,
    encode_json,
)
from tests.unit.providers.recorded import CREDENTIALS, GEMINI_TYPES, make_dialect, request

TYPES = pytest.mark.parametrize("kind", GEMINI_TYPES)
DIALECT = make_dialect("google_ai_studio_gemini")


@TYPES
def test_the_dialect_says_what_it_is(kind: str) -> None:
    """Records name the type and the API that usage came from."""
    dialect = make_dialect(kind)

    assert (dialect.provider_type, dialect.api_type) == (kind, "chat_completions")


@TYPES
def test_no_file_is_sent_as_a_url(kind: str) -> None:
    """Google takes links to its own storage only, so that LSD fetches the bytes."""
    dialect = make_dialect(kind)

    assert not dialect.forwards(UrlFile(url="https://h/a.png", mime_type="image/png"))


def failure(status: int, error: Any, headers: Any = None) -> AttemptFailed:
    """The failure that an error body stands for, which is the same for both ways of asking."""
    body = encode_json(error)
    with pytest.raises(AttemptFailed) as plain:
        DIALECT.decode(status, headers or {}, body)
    decoder = DIALECT.stream_decoder(status, headers or {})
    decoder.feed(body)
    with pytest.raises(AttemptFailed) as streamed:
        decoder.finish(cut=False)
    assert str(plain.value) == str(streamed.value)
    assert plain.value.retry_after_s == streamed.value.retry_after_s
    return plain.value


def google_error(code: int, status: str, *details: Any) -> dict[str, Any]:
    """An error in Google's form."""
    return {"error": {"code": code, "message": "No.", "status": status, "details": [*details]}}


@pytest.mark.parametrize(
    ("status", "word", "kind", "is_transient"),
    [
        (400, "INVALID_ARGUMENT", "client_fault", False),
        (400, "FAILED_PRECONDITION", "client_fault", False),
        (401, "UNAUTHENTICATED", "auth", False),
        (403, "PERMISSION_DENIED", "auth", False),
        (404, "NOT_FOUND", "client_fault", False),
        (429, "RESOURCE_EXHAUSTED", "rate_limited", True),
        (499, "CANCELLED", "client_fault", False),
        (500, "INTERNAL", "server", True),
        (503, "UNAVAILABLE", "server", True),
        (504, "DEADLINE_EXCEEDED", "server", True),
    ],
)
def test_which_errors_may_pass_by_themselves(
    status: int, word: str, kind: str, is_transient: bool
) -> None:
    """Case 51 and the table of errors: the status decides, and Google's word is the code."""
    failed = failure(status, google_error(status, word))

    assert (failed.kind, failed.transient) == (kind, is_transient)
    assert (failed.status, failed.code, failed.message) == (status, word, "No.")
    assert failed.text == f"google_ai_studio_gemini returned HTTP {status}: No. [code: {word}]"


def test_an_error_in_an_array() -> None:
    """Where a stream was asked for, Google may wrap its error."""
    failed = failure(429, [google_error(429, "RESOURCE_EXHAUSTED")])

    assert (failed.code, failed.message) == ("RESOURCE_EXHAUSTED", "No.")


def test_a_wrong_key_is_no_fault_of_the_caller() -> None:
    """AI Studio answers 400; the reason in the details tells what is wrong."""
    reason = {
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "reason": "API_KEY_INVALID",
        "domain": "googleapis.com",
    }

    failed = failure(400, google_error(400, "INVALID_ARGUMENT", reason))

    assert (failed.kind, failed.status) == ("auth", 400)


@pytest.mark.parametrize(
    ("delay", "headers", "seconds"),
    [
        ("37s", {}, 37),
        ("0.5s", {}, 0.5),
        ("37s", {"retry-after": "2"}, 37),
        (None, {"retry-after": "2"}, 2),
        ("soon", {"retry-after": "2"}, 2),
        (37, {}, None),
        ("-1s", {}, None),
    ],
)
def test_how_long_to_wait(delay: Any, headers: dict[str, str], seconds: float | None) -> None:
    """Case 36: it is told in the details of the error, or in the header."""
    details = [
        {"@type": "type.googleapis.com/google.rpc.Help"},
        {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": delay},
    ]

    assert failure(429, google_error(429, "X", *details), headers).retry_after_s == seconds


@pytest.mark.parametrize("details", [None, 7, "RetryInfo", {"a": 1}, [None, 7, "x", {}]])
def test_no_details_are_too_strange(details: Any) -> None:
    """They are optional, and of whatever form."""
    error = {"error": {"code": 429, "message": "No.", "details": details}}

    assert failure(429, error).retry_after_s is None


@pytest.mark.parametrize(
    ("content_type", "body", "kind", "told"),
    [
        ("application/json", {"candidates": []}, "malformed", "wanted text/event-stream"),
        ("application/json", google_error(503, "UNAVAILABLE"), "server", "HTTP 503: No."),
        ("application/json", [google_error(503, "UNAVAILABLE")], "server", "HTTP 503: No."),
        ("text/html", "<html>", "malformed", "found text/html"),
        ("", "", "malformed", "found no content type"),
    ],
)
def test_a_stream_that_is_none(content_type: str, body: Any, kind: str, told: str) -> None:
    """Whatever a host answers in place of a stream, it is no success."""
    headers = {"content-type": content_type} if content_type else {}
    data = body.encode() if isinstance(body, str) else encode_json(body)
    decoder = DIALECT.stream_decoder(200, headers)
    decoder.feed(data)

    with pytest.raises(AttemptFailed) as failed:
        decoder.finish(cut=False)

    assert failed.value.kind == kind
    assert told in failed.value.text
    assert failed.value.raw_response == data.decode()


def test_edits_come_last() -> None:
    """What has no neutral name is asked for by its place in the body."""
    tool = FunctionTool(name="t", description="d", parameters={"type": "object"})
    edits = Edits(
        body=(
            BodyEdit(pointer="/generationConfig/thinkingConfig/includeThoughts", value=True),
            BodyEdit(pointer="/safetySettings", value=[]),
            BodyEdit(pointer="/tools/-", value={"google_search": {}}),
        )
    )

    wire = DIALECT.encode(request(tools=ToolSet(tools=(tool,))), CREDENTIALS, edits)

    sent = decode_json(wire.body)
    assert sent["generationConfig"] == {"thinkingConfig": {"includeThoughts": True}}
    assert sent["safetySettings"] == []
    assert sent["tools"][1] == {"google_search": {}}


def test_an_empty_answer_warns() -> None:
    """It is legal; the operator hears of it."""
    body = {"candidates": [{"finishReason": "STOP"}], "usageMetadata": {"promptTokenCount": 1}}

    with capture_logs() as logs:
        response = DIALECT.decode(200, {}, encode_json(body))

    assert response.output == ()
    assert [each["finish_reason"] for each in logs] == ["stop"]
