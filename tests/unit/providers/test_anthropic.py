"""Where messages for Claude go, with which headers, and how the dialect tells of failures."""

from typing import Any

import pytest
from structlog.testing import capture_logs

from lsd.conversation import (
    NO_EDITS,
    AttemptFailed,
    BodyEdit,
    Edits,
    HeaderEdit,
    UrlFile,
    decode_json,
)
from lsd.providers._sealing import USER_AGENT
from tests.unit.providers.recorded import make_dialect, request

BETA = "structured-outputs-2025-11-13"


def wire(
    *, key: str | None = "sk-1", stream: bool = False, edits: Edits = NO_EDITS, **keys: Any
) -> Any:
    """The request as it is sent."""
    dialect = make_dialect("anthropic", **keys)
    return dialect.encode(request(stream=stream), {"api_key": key}, edits)


@pytest.mark.parametrize(
    ("base", "url"),
    [
        ("https://h/v1", "https://h/v1/messages"),
        ("https://h/v1/", "https://h/v1/messages"),
        ("https://h/v1/messages", "https://h/v1/messages"),
        ("https://h/v1/messages/", "https://h/v1/messages"),
        ("https://h", "https://h/messages"),
        ("https://h:1/anthropic/v1/?a=1#x", "https://h:1/anthropic/v1/messages?a=1"),
        ("http://[::1]:8080/v1", "http://[::1]:8080/v1/messages"),
        ("https://h/messages/v1", "https://h/messages/v1/messages"),
    ],
)
def test_the_base_may_end_where_the_messages_are(base: str, url: str) -> None:
    """Case 23: all spellings of a base lead to the same place."""
    assert wire(api_base=base).url == url


def test_headers_of_a_plain_request() -> None:
    """The key, the version of the API, and who is calling; the key stays out of the body."""
    sent = wire()

    assert (sent.method, sent.url) == ("POST", "https://api.anthropic.com/v1/messages")
    assert dict(sent.headers) == {
        "Content-Type": "application/json",
        "User-Agent": USER_AGENT,
        "anthropic-version": "2023-06-01",
        "x-api-key": "sk-1",
    }
    assert b"sk-1" not in sent.body


def test_a_stream_asks_for_plain_events() -> None:
    """A compressed stream would arrive in clumps."""
    headers = wire(stream=True).headers

    assert headers["Accept"] == "text/event-stream"
    assert headers["Accept-Encoding"] == "identity"


def test_no_key_means_no_header() -> None:
    """A host of one's own is not sent an empty credential."""
    assert "x-api-key" not in wire(key=None).headers


@pytest.mark.parametrize(
    ("flag", "given", "sent"),
    [
        (None, None, None),
        (False, None, None),
        (True, None, BETA),
        (True, "a,b", f"{BETA},a,b"),
        (None, "a,b", "a,b"),
    ],
)
def test_betas_are_joined(flag: bool | None, given: str | None, sent: str | None) -> None:
    """Case 24: what LSD asks for and what the operator asks for do not exclude each other."""
    edits = Edits(headers=(HeaderEdit(name="Anthropic-Beta", value=given),) if given else ())

    headers = {
        name.lower(): value
        for name, value in wire(beta_structured_outputs=flag, edits=edits).headers.items()
    }

    assert headers.get("anthropic-beta") == sent


def test_a_deleted_beta_is_gone() -> None:
    """Operators have the last word."""
    edits = Edits(headers=(HeaderEdit(name="anthropic-beta", delete=True),))

    assert "anthropic-beta" not in wire(beta_structured_outputs=True, edits=edits).headers


def test_edits_come_last() -> None:
    """Caching is asked for by edits; a header may be replaced, the key included."""
    edits = Edits(
        body=(
            BodyEdit(pointer="/messages/0/content/0/cache_control", value={"type": "ephemeral"}),
            BodyEdit(pointer="/system/-", value={"type": "text", "text": "More."}),
            BodyEdit(pointer="/max_tokens", value=7),
        ),
        headers=(HeaderEdit(name="X-API-Key", value="other"),),
    )

    sent = make_dialect("anthropic").encode(request(system="Be brief."), {"api_key": "sk-1"}, edits)

    body = decode_json(sent.body)
    assert body["messages"][0]["content"][0]["cache_control"] == {"type": "ephemeral"}
    assert [block["text"] for block in body["system"]] == ["Be brief.", "More."]
    assert body["max_tokens"] == 7
    assert sent.headers["X-API-Key"] == "other"
    assert "x-api-key" not in sent.headers


def test_a_key_that_no_header_may_hold_is_not_shown() -> None:
    """The error says which header is wrong, and keeps the secret."""
    with pytest.raises(AttemptFailed) as failed:
        wire(key="sk-secret\n")

    assert "x-api-key" in failed.value.text
    assert "secret" not in failed.value.text


def test_a_file_of_unknown_type_is_fetched_with_a_warning() -> None:
    """Claude wants to know what it is; with a type it would fetch the file itself."""
    with capture_logs() as logs:
        assert not make_dialect("anthropic").forwards(UrlFile(url="https://h/a"))

    assert [each["url"] for each in logs] == ["https://h/a"]


def test_errors_are_the_same_for_plain_and_streamed_requests() -> None:
    """Whoever reads the error need not know how the answer was asked for."""
    dialect = make_dialect("anthropic")
    headers = {"request-id": "req_1", "retry-after": "3"}
    body = b'{"type":"error","error":{"type":"rate_limit_error","message":"Slow down"}}'
    failures = []

    with pytest.raises(AttemptFailed) as plain:
        dialect.decode(429, headers, body)
    decoder = dialect.stream_decoder(429, headers)
    decoder.feed(body)
    with pytest.raises(AttemptFailed) as streamed:
        decoder.finish(cut=False)

    failures = [
        (each.text, each.kind, each.status, each.code, each.request_id, each.retry_after_s)
        for each in (plain.value, streamed.value)
    ]
    assert failures[0] == failures[1]
    assert failures[0][1:] == ("rate_limited", 429, "rate_limit_error", "req_1", 3)


def test_the_dialect_says_what_it_is() -> None:
    """Records name the type and the API that usage came from."""
    dialect = make_dialect("anthropic")

    assert (dialect.provider_type, dialect.api_type) == ("anthropic", "chat_completions")
