"""Whole answers of Gemini, as its hosts really send them, become responses or failures."""

from typing import Any

import pytest

from lsd.conversation import AttemptFailed, ToolCall, Unknown, decode_json, encode_json
from tests.unit.providers.recorded import (
    GEMINI_TYPES,
    Fixture,
    fixtures,
    make_dialect,
    shown_failure,
    shown_response,
)

JSON = {"content-type": "application/json"}


@pytest.mark.parametrize("fixture", fixtures("answers", GEMINI_TYPES))
def test_an_answer_means_what_the_fixture_says(fixture: Fixture) -> None:
    """Cases 27, 35, 37 and more: each recorded body gives its neutral result."""
    dialect = fixture.dialect()

    if "failure" not in fixture.expected:
        response = dialect.decode(fixture.status, fixture.headers, fixture.wire)
        assert shown_response(response) == fixture.expected
        return

    with pytest.raises(AttemptFailed) as failed:
        dialect.decode(fixture.status, fixture.headers, fixture.wire)
    assert shown_failure(failed.value) == fixture.expected["failure"]
    assert failed.value.raw_response == fixture.wire.decode()


def decoded(document: Any) -> Any:
    """The response that a document is."""
    return make_dialect("google_ai_studio_gemini").decode(200, JSON, encode_json(document))


def failure(document: Any) -> AttemptFailed:
    """The failure that a document is."""
    with pytest.raises(AttemptFailed) as failed:
        decoded(document)
    return failed.value


def test_a_blocked_prompt_stays_blocked() -> None:
    """Case 35: the reason is told, and asking again would give the same."""
    failed = failure({"promptFeedback": {"blockReason": "SAFETY"}})

    assert (failed.kind, failed.transient) == ("client_fault", False)
    assert (failed.status, failed.code) == (400, "SAFETY")
    assert failed.message == "the prompt was blocked: SAFETY"


@pytest.mark.parametrize(
    "document",
    [
        {"usageMetadata": {}},
        {"candidates": [], "promptFeedback": {}, "usageMetadata": {}},
        {"candidates": [{"content": {"parts": [{"text": "Hi"}]}, "finishReason": "STOP"}]},
    ],
    ids=["no candidates", "no reason", "no usage"],
)
def test_an_answer_that_is_none_may_come_later(document: Any) -> None:
    """Without a reason it is the provider's own trouble."""
    assert failure(document).transient


def test_the_decoded_body_stays_at_hand() -> None:
    """Costs are read from wherever a provider puts them."""
    document = {"candidates": [{}], "usageMetadata": {"trafficType": "ON_DEMAND"}}

    assert decoded(document).document == decode_json(encode_json(document))


def test_no_two_calls_share_an_id() -> None:
    """Callers tell calls apart by it; Gemini mostly sends none."""
    calls = [{"functionCall": {"name": "t", "args": {"n": number}}} for number in range(5)]
    document = {"candidates": [{"content": {"parts": calls}}], "usageMetadata": {}}

    output = decoded(document).output

    assert all(isinstance(block, ToolCall) for block in output)
    assert len({block.id for block in output}) == 5
    assert all(len(block.id) == len("call_") + 24 for block in output)


@pytest.mark.parametrize("part", [None, 7, "Hi", [], {"a": 1}, {"text": 7}, {"functionCall": 7}])
def test_no_part_is_too_strange(part: Any) -> None:
    """Whatever stands in the content is handed through."""
    document = {"candidates": [{"content": {"parts": [part]}}], "usageMetadata": {}}

    assert decoded(document).output == (
        Unknown(data=part, model_name="local", provider_name="box"),
    )


@pytest.mark.parametrize(
    "candidates", [7, "x", [7], [None], {}, [{"content": 7}], [{"content": {"parts": 7}}]]
)
def test_no_answer_is_too_strange(candidates: Any) -> None:
    """It is an answer without content, or none at all."""
    document = {"candidates": candidates, "usageMetadata": {}}

    if isinstance(candidates, list) and isinstance(candidates[0], dict):
        assert decoded(document).output == ()
    else:
        assert failure(document).kind == "server"
