"""Errors of all shapes become one: whose fault, what was said, and when to come back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsd.conversation import FailureKind, encode_json
from lsd.providers._http_errors import failed_answer, failed_inside, retry_after_s, undecodable

NO_HEADERS: dict[str, str] = {}


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b'{"error":{"message":"No such model","code":"x"},"message":"m"}', "No such model"),
        (b'{"error":"Unexpected endpoint","message":"m"}', "Unexpected endpoint"),
        (b'{"object":"error","message":"bad","detail":"d"}', "bad"),
        (b'{"detail":"Could not validate credentials"}', "Could not validate credentials"),
        (
            b'{"detail":[{"loc":["body","n",0],"msg":"too big"},{"loc":[],"msg":"odd"},"so",7]}',
            "body.n.0: too big; odd; so; 7",
        ),
        (b'[{"error":{"message":"wrapped"}}]', "wrapped"),
        (b'{"error":{"code":5}}', '{"error":{"code":5}}'),
        (b"  <html>bad gateway</html>\n", "<html>bad gateway</html>"),
        (b"\xff", "�"),
        (b"", "Not Found"),
        (b'{"error":{"message":"  "},"message":null,"detail":"d"}', "d"),
    ],
)
def test_the_text_of_an_error_is_found_in_every_usual_shape(body: bytes, text: str) -> None:
    """The first shape that fits gives the sentence; else the body, else the status's name."""
    failure = failed_answer("vllm", 404, NO_HEADERS, body)

    assert failure.text.removeprefix("vllm returned HTTP 404: ").partition(" [code")[0] == text
    assert failure.raw_response == body.decode(errors="replace")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b'{"error":{"message":"m","code":"c","type":"t"}}', "c"),
        (b'{"error":{"message":"m","code":null,"type":"t"},"code":"o"}', "t"),
        (b'{"error":{"message":"m","code":402}}', "402"),
        (b'{"error":"m","code":"o","error_type":"e"}', "o"),
        (b'{"error":"m","error_type":"overloaded"}', "overloaded"),
        (b'{"message":"m","type":"invalid_request"}', "invalid_request"),
        (b'{"message":"m","code":true}', None),
        (b"oops", None),
    ],
)
def test_the_code_of_an_error_is_found(body: bytes, code: str | None) -> None:
    """Codes are words or numbers, inside the error object or beside it."""
    assert failed_answer("vllm", 500, NO_HEADERS, body).code == code


def test_an_error_reads_as_one_sentence() -> None:
    """Type, status, text, code and request id stand in one line."""
    body = b'{"error":{"message":"Slow down","code":"rate_limit_exceeded"}}'

    failure = failed_answer("openai", 429, {"x-request-id": "r-1", "cf-ray": "f"}, body)

    assert str(failure) == (
        "openai returned HTTP 429: Slow down [code: rate_limit_exceeded] [request_id: r-1]"
    )
    assert failure.message == "Slow down"
    assert (failure.status, failure.code, failure.request_id) == (429, "rate_limit_exceeded", "r-1")


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, None, "client_fault"),
        (400, "context_length_exceeded", "client_fault"),
        (400, "tool_use_failed", "generation"),
        (400, "json_validate_failed", "generation"),
        (401, None, "auth"),
        (402, None, "quota"),
        (403, None, "auth"),
        (404, None, "client_fault"),
        (405, None, "client_fault"),
        (408, None, "server"),
        (409, None, "server"),
        (411, None, "client_fault"),
        (413, None, "client_fault"),
        (414, None, "client_fault"),
        (415, None, "client_fault"),
        (418, None, "client_fault"),
        (422, None, "client_fault"),
        (424, None, "generation"),
        (425, None, "server"),
        (429, None, "rate_limited"),
        (429, "rate_limit_exceeded", "rate_limited"),
        (429, "slow_down", "rate_limited"),
        (429, "insufficient_quota", "quota"),
        (429, "credit_balance_exhausted", "quota"),
        (429, "billing_hard_limit_reached", "quota"),
        (429, "monthly_spend_limit_reached", "quota"),
        (498, None, "client_fault"),
        (499, None, "client_fault"),
        (500, None, "server"),
        (503, "server_is_overloaded", "server"),
        (529, None, "server"),
        (307, None, "client_fault"),
    ],
)
def test_a_status_tells_whose_fault_it_was(
    status: int, code: str | None, kind: FailureKind
) -> None:
    """Status and code decide whether trying again makes sense."""
    body = encode_json({"error": {"message": "m", "code": code}})

    assert failed_answer("groq", status, NO_HEADERS, body).kind == kind


def test_quota_is_seen_in_the_type_when_the_code_says_something_else() -> None:
    """OpenAI has put the word in either place."""
    body = b'{"error":{"message":"m","code":"exceeded","type":"insufficient_quota"}}'

    assert failed_answer("openai", 429, NO_HEADERS, body).kind == "quota"


def test_a_redirect_is_an_error_that_tells_where_it_led() -> None:
    """Redirects are never followed: the request and its key stay where they were sent."""
    failure = failed_answer("openai", 307, {"location": "https://elsewhere/"}, b"")

    assert "Temporary Redirect" in failure.text
    assert "https://elsewhere/" in failure.text


def test_a_long_page_is_shortened_in_the_text_only() -> None:
    """The message stays readable; the raw response is whole."""
    failure = failed_answer("openai", 502, NO_HEADERS, b"<p>" * 10_000)

    assert len(failure.text) < 2100
    assert len(failure.raw_response or "") == 30_000


DATE = "Wed, 21 Oct 2015 07:28:00 GMT"


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "0.05"}, 0.05),
        ({"retry-after": "0"}, 0.0),
        ({"retry-after": "7", "retry-after-ms": "250.5"}, 0.2505),
        ({"retry-after": "7", "retry-after-ms": "soon"}, 7.0),
        ({"retry-after": "Wed, 21 Oct 2015 07:28:30 GMT", "date": DATE}, 30.0),
        ({"retry-after": "Wed, 21 Oct 2015 07:27:00 GMT", "date": DATE}, None),
        ({"retry-after": DATE, "date": DATE}, None),
        ({"retry-after": DATE}, None),
        ({"retry-after": DATE, "date": "yesterday"}, None),
        ({"retry-after": "Wed, 21 Oct 2015 07:28:30 -0000", "date": DATE}, None),
        ({"retry-after": "-3"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "a while"}, None),
        ({"retry-after": ""}, None),
    ],
)
def test_how_long_to_wait(headers: dict[str, str], seconds: float | None) -> None:
    """Case 36: seconds, fractions, milliseconds and dates are understood, nonsense ignored."""
    assert retry_after_s(headers) == seconds
    assert failed_answer("x", 429, headers, b"").retry_after_s == seconds


def test_a_provider_may_forbid_to_try_again() -> None:
    """Case 37: `x-should-retry: false` makes any error final; `true` changes nothing."""
    assert failed_answer("x", 500, NO_HEADERS, b"").transient
    assert not failed_answer("x", 500, {"x-should-retry": "False"}, b"").transient
    assert not failed_answer("x", 400, {"x-should-retry": "true"}, b"").transient
    assert not undecodable("x", "oops", {"x-should-retry": "false"}, "").transient


@pytest.mark.parametrize(
    ("value", "status", "kind"),
    [
        ({"error": {"message": "m", "code": 502}}, 502, "server"),
        ({"error": {"message": "m", "code": "429"}}, 429, "rate_limited"),
        ({"error": {"message": "m", "code": 402}}, 402, "quota"),
        ({"error": {"message": "m", "code": 200}}, None, "server"),
        ({"error": {"message": "m", "code": 12345}}, None, "server"),
        ({"error": {"message": "m", "code": "9" * 5000}}, None, "server"),
        ({"error": {"message": "m", "code": "insufficient_quota"}}, None, "quota"),
        ({"error": {"message": "m", "type": "overloaded"}}, None, "rate_limited"),
        ({"error": {"message": "m", "code": "tool_use_failed"}}, None, "generation"),
        ({"error": {"message": "m"}}, None, "server"),
        ({"message": "m", "code": 503}, 503, "server"),
        ({"error": "m", "code": "x"}, None, "server"),
        ({"error": "m"}, None, "malformed"),
        ({"error": "m", "error_type": "validation"}, 422, "client_fault"),
    ],
)
def test_an_error_inside_a_good_answer_is_classified_by_its_words(
    value: object, status: int | None, kind: FailureKind
) -> None:
    """A numeric code counts as a status; known words keep their meaning."""
    failure = failed_inside("x", value, NO_HEADERS, "raw", {"validation": 422})

    assert (failure.status, failure.kind) == (status, kind)
    what = f"returned HTTP {status}" if status else "reported an error"
    assert failure.text.startswith(f"x {what}: m")
    assert failure.raw_response == "raw"


def test_what_stands_beside_the_message_is_told() -> None:
    """Groq's failed text and the name of Azure's policy stay in the text."""
    groq = b'{"error":{"message":"no","code":"tool_use_failed","failed_generation":"<f"}}'
    azure = (
        b'{"error":{"message":"Filtered","code":"content_filter","innererror":{"code":'
        b'"ResponsibleAIPolicyViolation","content_filter_result":{"hate":{"filtered":true},'
        b'"jailbreak":{"filtered":false},"odd":1}}}}'
    )

    assert "no (failed_generation: <f)" in failed_answer("groq", 400, NO_HEADERS, groq).text
    filtered = failed_answer("azure", 400, NO_HEADERS, azure)
    assert "Filtered (ResponsibleAIPolicyViolation: hate) [code: content_filter]" in filtered.text
    assert filtered.kind == "client_fault"


json_values = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(
            st.sampled_from(
                ["error", "message", "code", "type", "detail", "loc", "msg", "innererror"]
            ),
            inner,
        )
    ),
)


@given(value=json_values)
def test_no_body_is_too_strange(value: object) -> None:
    """Every JSON value gives an error with a text."""
    body = encode_json(value)

    assert failed_answer("x", 500, NO_HEADERS, body).text
    assert failed_inside("x", value, NO_HEADERS, body.decode()).text
