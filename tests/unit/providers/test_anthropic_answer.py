"""Whole messages from Claude, as its hosts really send them, become responses or failures."""

from typing import Any

import pytest
from structlog.testing import capture_logs

from lsd.conversation import AttemptFailed, Unknown, Usage, decode_json, encode_json
from tests.unit.providers.recorded import (
    MESSAGES_TYPES,
    Fixture,
    fixtures,
    make_dialect,
    shown_failure,
    shown_response,
)

JSON = {"content-type": "application/json"}


@pytest.mark.parametrize("fixture", fixtures("answers", MESSAGES_TYPES))
def test_an_answer_means_what_the_fixture_says(fixture: Fixture) -> None:
    """Cases 15, 18, 21, 22, 27 and more: each recorded body gives its neutral result."""
    dialect = fixture.dialect()

    if "failure" not in fixture.expected:
        response = dialect.decode(fixture.status, fixture.headers, fixture.wire)
        assert shown_response(response) == fixture.expected
        return

    with pytest.raises(AttemptFailed) as failed:
        dialect.decode(fixture.status, fixture.headers, fixture.wire)
    assert shown_failure(failed.value) == fixture.expected["failure"]
    assert failed.value.raw_response == fixture.wire.decode()


@pytest.mark.parametrize(
    ("status", "is_transient"),
    [
        (400, False),
        (401, False),
        (402, False),
        (403, False),
        (404, False),
        (409, True),
        (413, False),
        (429, True),
        (500, True),
        (504, True),
        (529, True),
    ],
)
def test_which_errors_may_pass_by_themselves(status: int, is_transient: bool) -> None:
    """Asking again burns time and quota where the request itself is refused."""
    with pytest.raises(AttemptFailed) as failed:
        make_dialect("anthropic").decode(status, {"retry-after": "2"}, b"{}")

    assert failed.value.transient is is_transient
    assert (failed.value.status, failed.value.retry_after_s) == (status, 2)


def test_a_final_no_is_final() -> None:
    """A host that forbids to try again is obeyed, whatever the status."""
    with pytest.raises(AttemptFailed) as failed:
        make_dialect("anthropic").decode(529, {"x-should-retry": "false"}, b"")

    assert not failed.value.transient


def test_the_decoded_body_stays_at_hand() -> None:
    """Costs are read from wherever a provider puts them."""
    body = b'{"content":[],"usage":{"server_tool_use":{"web_search_requests":2}}}'

    response = make_dialect("anthropic").decode(200, JSON, body)

    assert response.document == decode_json(body)


def test_what_ended_a_message_and_how_much_it_thought() -> None:
    """Both are told beside the stop reason and the other counts."""
    body = (
        b'{"content":[],"stop_reason":"stop_sequence","stop_sequence":"END",'
        b'"usage":{"output_tokens":9,"output_tokens_details":{"thinking_tokens":4}}}'
    )

    response = make_dialect("anthropic").decode(200, JSON, body)

    assert response.stop_sequence == "END"
    assert response.usage == Usage(output_tokens=9, reasoning_tokens=4)


def test_an_empty_answer_is_legal_and_warns() -> None:
    """A model may end its turn without a word; the operator hears of it."""
    with capture_logs() as logs:
        body = b'{"content":[],"stop_reason":"end_turn"}'
        response = make_dialect("anthropic").decode(200, JSON, body)

    assert response.output == ()
    assert [each["finish_reason"] for each in logs] == ["stop"]


@pytest.mark.parametrize("block", [None, 7, "Hi", [], {}, {"type": 7}, {"type": "text", "text": 7}])
def test_no_block_is_too_strange(block: Any) -> None:
    """Whatever stands in the content is handed through."""
    body = encode_json({"content": [block]})

    response = make_dialect("anthropic").decode(200, JSON, body)

    assert response.output == (Unknown(data=block, model_name="local", provider_name="box"),)
