"""Where a chat completion goes, and with which headers."""

from typing import Any

import pytest

from lsd.conversation import NO_EDITS, AttemptFailed, BodyEdit, Edits, HeaderEdit, decode_json
from lsd.providers._sealing import USER_AGENT
from tests.unit.providers.recorded import make_dialect, request


def wire(
    *, key: str | None = "sk-1", stream: bool = False, edits: Edits = NO_EDITS, **keys: Any
) -> Any:
    """The request as it is sent."""
    return make_dialect(**keys).encode(request(stream=stream), {"api_key": key}, edits)


@pytest.mark.parametrize(
    ("base", "url"),
    [
        ("http://h:1/v1", "http://h:1/v1/chat/completions"),
        ("http://h:1/v1/", "http://h:1/v1/chat/completions"),
        ("http://h:1", "http://h:1/chat/completions"),
        ("https://h/a/b/v1", "https://h/a/b/v1/chat/completions"),
        ("https://h/v1?api-version=2&x=", "https://h/v1/chat/completions?api-version=2&x="),
        ("https://h/v1/?a=1#top", "https://h/v1/chat/completions?a=1"),
        ("http://[::1]:8080/v1", "http://[::1]:8080/v1/chat/completions"),
        ("https://h/a%2Fb/", "https://h/a%2Fb/chat/completions"),
    ],
)
def test_the_path_goes_on_from_the_base(base: str, url: str) -> None:
    """Case 1: one slash between base and path; the query is kept and stays behind the path."""
    assert wire(api_base=base).url == url


def test_headers_of_a_plain_request() -> None:
    """The key, the kind of body, and who is calling."""
    sent = wire()

    assert sent.method == "POST"
    assert dict(sent.headers) == {
        "Authorization": "Bearer sk-1",
        "Content-Type": "application/json",
        "User-Agent": USER_AGENT,
    }
    assert b"sk-1" not in sent.body


def test_a_stream_asks_for_plain_events() -> None:
    """A compressed stream would arrive in clumps."""
    headers = wire(stream=True).headers

    assert headers["Accept"] == "text/event-stream"
    assert headers["Accept-Encoding"] == "identity"


def test_each_request_has_the_key_that_came_with_it() -> None:
    """What is remembered of the last request is not for callers with other keys."""
    dialect = make_dialect()

    def shown(key: str | None, stream: bool) -> str | None:
        sent = dialect.encode(request(stream=stream), {"api_key": key}, NO_EDITS)
        return sent.headers.get("Authorization")

    asked = [("a", False), ("b", True), ("a", True), (None, False), ("b", False), ("b", False)]

    assert [shown(key, stream) for key, stream in asked] == [
        "Bearer a",
        "Bearer b",
        "Bearer a",
        None,
        "Bearer b",
        "Bearer b",
    ]


def test_edits_of_one_request_stay_out_of_the_next() -> None:
    """Headers are shared by requests, and changed for one alone."""
    dialect = make_dialect()
    edits = Edits(headers=(HeaderEdit(name="Authorization", value="Basic abc"),))

    edited = dialect.encode(request(), {"api_key": "a"}, edits)
    plain = dialect.encode(request(), {"api_key": "a"}, NO_EDITS)

    assert edited.headers["Authorization"] == "Basic abc"
    assert plain.headers["Authorization"] == "Bearer a"


def test_no_key_means_no_header() -> None:
    """Case 2: a local server is not sent an empty credential."""
    assert "authorization" not in {name.lower() for name in wire(key=None).headers}


def test_edits_come_last() -> None:
    """Cases 5 and 6: operators change and delete whatever LSD has written."""
    edits = Edits(
        body=(
            BodyEdit(pointer="/stream_options", delete=True),
            BodyEdit(pointer="/messages/-", value={"role": "user", "content": "Go."}),
            BodyEdit(pointer="/top_k", value=1),
            BodyEdit(pointer="/top_k", value=2),
        ),
        headers=(HeaderEdit(name="AUTHORIZATION", delete=True), HeaderEdit(name="x-a", value="b")),
    )

    sent = wire(stream=True, edits=edits)

    body = decode_json(sent.body)
    assert [message["content"] for message in body["messages"]] == ["Hi", "Go."]
    assert body["top_k"] == 2
    assert "stream_options" not in body
    assert "Authorization" not in sent.headers
    assert sent.headers["x-a"] == "b"


def test_a_key_that_no_header_may_hold_is_refused_each_time() -> None:
    """One refusal does not make it good."""
    dialect = make_dialect()

    for _ in range(2):
        with pytest.raises(AttemptFailed, match="a character that no header may hold"):
            dialect.encode(request(), {"api_key": "sk\n1"}, NO_EDITS)


def test_a_key_that_no_header_may_hold_is_not_shown() -> None:
    """The error says which header is wrong, and keeps the secret."""
    with pytest.raises(AttemptFailed) as failed:
        wire(key="sk-secret\n")

    assert failed.value.kind == "config"
    assert "Authorization" in failed.value.text
    assert "secret" not in failed.value.text


def test_equal_requests_give_equal_bytes() -> None:
    """Caches of providers and of LSD rest on it."""
    assert wire().body == wire().body


def test_the_dialect_says_what_it_is() -> None:
    """Records name the type and the API that usage came from."""
    dialect = make_dialect()

    assert (dialect.provider_type, dialect.api_type) == ("openai", "chat_completions")
