"""Whole completions, as servers really send them, become responses or failures."""

from typing import Any

import pytest
from structlog.testing import capture_logs

from lsd.conversation import AttemptFailed, ModelChunk, Text, ToolCall, decode_json, encode_json
from tests.unit.providers.recorded import (
    CHAT_TYPES,
    Fixture,
    as_from,
    fixtures,
    make_dialect,
    shown_failure,
    shown_response,
)

HEADERS = {"content-type": "application/json"}


@pytest.mark.parametrize("fixture", fixtures("answers"))
def test_an_answer_means_what_the_fixture_says(fixture: Fixture) -> None:
    """Cases 22 to 27, 35 and more: each recorded body gives its neutral result."""
    _assert_expected(fixture)


@pytest.mark.parametrize("provider_type", CHAT_TYPES)
def test_each_type_reads_what_openai_sends(provider_type: str) -> None:
    """One base for all: text, parallel calls, thoughts, counts, finish reasons and errors."""
    given = as_from(provider_type, "answers")

    assert len(given) > 40
    for fixture in given:
        _assert_expected(fixture)


def _assert_expected(fixture: Fixture) -> None:
    dialect = fixture.dialect()

    if "failure" not in fixture.expected:
        response = dialect.decode(fixture.status, fixture.headers, fixture.wire)
        assert shown_response(response) == fixture.expected, fixture.name
        return

    with pytest.raises(AttemptFailed) as failed:
        dialect.decode(fixture.status, fixture.headers, fixture.wire)
    assert shown_failure(failed.value) == fixture.expected["failure"], fixture.name
    assert failed.value.raw_response == fixture.wire.decode(), fixture.name


@pytest.mark.parametrize("fixture", fixtures("answers"))
def test_a_whole_answer_to_a_stream_request_means_the_same(fixture: Fixture) -> None:
    """Case 35: error or completion, streaming or not, the class, text and content agree."""
    dialect = fixture.dialect()
    headers = {**fixture.headers, "content-type": "application/json"}
    decoder = dialect.stream_decoder(fixture.status, headers)
    assert decoder.feed(fixture.wire) == []

    if "failure" in fixture.expected:
        with pytest.raises(AttemptFailed) as plain:
            dialect.decode(fixture.status, headers, fixture.wire)
        with pytest.raises(AttemptFailed) as streamed:
            decoder.finish(cut=False)
        assert shown_failure(streamed.value) == shown_failure(plain.value)
        assert (streamed.value.status, streamed.value.code) == (
            plain.value.status,
            plain.value.code,
        )
        return

    (chunk,) = decoder.finish(cut=False)
    assert isinstance(chunk, ModelChunk)
    whole = dialect.decode(fixture.status, headers, fixture.wire)
    assert (chunk.finish_reason, chunk.raw_usage) == (whole.finish_reason, whole.raw_usage)
    assert bool(chunk.content) == bool(whole.output)
    assert chunk.document == whole.document


@pytest.mark.parametrize(
    ("choices", "found"),
    [
        ({"message": {"content": "Hi"}}, "found no array of choices"),
        ("m", "found no array of choices"),
        (7, "found no array of choices"),
        (None, "found no array of choices"),
        ([], "found 0 choices; wanted exactly one"),
        ([{"message": {"content": "Hi"}}] * 2, "found 2 choices; wanted exactly one"),
        (["m"], "found a choice that is no object"),
        ([[{"message": {"content": "Hi"}}]], "found a choice that is no object"),
    ],
    ids=str,
)
def test_an_answer_has_one_choice(choices: Any, found: str) -> None:
    """Whatever else stands in its place is told."""
    with pytest.raises(AttemptFailed, match=found):
        make_dialect().decode(200, HEADERS, encode_json({"choices": choices}))


def test_the_decoded_body_stays_at_hand() -> None:
    """Costs are read from wherever a provider puts them."""
    body = b'{"choices":[{"message":{"content":"Hi"}}],"usage":{"cost":0.002}}'

    response = make_dialect().decode(200, HEADERS, body)

    assert response.document == decode_json(body)
    assert response.raw_usage == {"cost": 0.002}
    assert response.usage.input_tokens is None


def test_an_empty_answer_is_legal_and_warns() -> None:
    """A model may say nothing; the operator hears of it."""
    with capture_logs() as logs:
        response = make_dialect().decode(200, HEADERS, b'{"choices":[{"message":{"content":""}}]}')

    assert response.output == ()
    assert [(each["log_level"], each["provider_type"]) for each in logs] == [("warning", "openai")]


def test_equal_ids_do_not_join_whole_tool_calls() -> None:
    """Case 25: servers that use one id for all calls still make calls that can be told apart."""
    body = (
        b'{"choices":[{"message":{"tool_calls":[{"id":"0","function":{"name":"a"}},'
        b'{"id":"0","function":{"name":"b"}}]}}]}'
    )

    response = make_dialect().decode(200, HEADERS, body)

    first, second = response.output
    assert first == ToolCall(id="0", name="a", arguments="")
    assert isinstance(second, ToolCall)
    assert (second.name, second.id.startswith("call_")) == ("b", True)


@pytest.mark.parametrize(
    "message",
    [None, 7, [], "Hi", {}, {"content": 7}, {"content": [7]}, {"tool_calls": 7}, {"refusal": 7}],
)
def test_no_message_is_too_strange(message: Any) -> None:
    """Whatever stands where the message should be, the answer is understood or refused."""
    body = encode_json({"choices": [{"message": message}]})

    try:
        response = make_dialect().decode(200, HEADERS, body)
    except AttemptFailed as failure:
        assert failure.kind == "malformed"  # noqa: PT017 (either outcome is right)
    else:
        assert Text(text="") not in response.output
