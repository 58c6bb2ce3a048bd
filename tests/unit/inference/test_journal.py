"""The calls of one inference, kept as they go."""

from typing import Any

import pytest

from lsd.conversation import AttemptFailed, ModelRequest, ModelResponse
from lsd.inference.journal import Journal, ModelCall, raw_responses, succeeded


def call(call_id: str = "c-1", *, variant_name: str = "v", **fields: Any) -> ModelCall:
    """A call that began at second 10."""
    made = ModelCall(
        id=call_id,
        variant_name=variant_name,
        model_name="m",
        provider_name="one",
        provider_type="openai",
        api_type="chat_completions",
        request=ModelRequest(messages=()),
        started_at=10.0,
    )
    for name, value in fields.items():
        setattr(made, name, value)
    return made


def shown(data: str, call_id: str | None = None) -> dict[str, Any]:
    """An entry of `raw_response` or `raw_usage`."""
    head = {} if call_id is None else {"model_inference_id": call_id}
    return {**head, "provider_type": "openai", "api_type": "chat_completions", "data": data}


def usage(data: str) -> ModelResponse:
    """An answer of which only the usage object is known."""
    return ModelResponse((), raw_usage=data)


def test_a_call_is_open_until_it_is_settled() -> None:
    """Whoever is cut off in between leaves it open."""
    journal = Journal([call("c-1"), call("c-2"), call("c-3")])
    first, second, third = journal.calls

    first.settle("ok", 11.0)
    second.fail(AttemptFailed(kind="server", text="HTTP 500", raw_response="oops"), 12.0)

    assert list(journal.open_calls()) == [third]
    assert (first.status, first.error, first.ended_at) == ("ok", None, 11.0)
    assert (second.status, second.error, second.raw_response) == ("error", "HTTP 500", "oops")


@pytest.mark.parametrize(
    ("fields", "response_time_ms", "ttft_ms"),
    [
        ({"ended_at": 10.5}, 500, None),
        ({"ended_at": 10.5, "first_chunk_at": 10.2}, 500, 200),
        ({"ended_at": 10.5, "first_chunk_at": 10.2, "cached": True}, 0, 0),
        ({"ended_at": 10.5, "cached": True}, 0, None),
        ({"ended_at": 10.0004}, 0, None),
        ({}, 0, None),
    ],
    ids=["plain", "streamed", "cached stream", "cached", "in no time", "open"],
)
def test_times_are_whole_milliseconds_of_the_provider_alone(
    fields: dict[str, Any], response_time_ms: int, ttft_ms: int | None
) -> None:
    """What came from the cache took no time; what was not streamed has no first chunk."""
    made = call(**fields)

    assert made.response_time_ms == response_time_ms
    assert made.ttft_ms == ttft_ms


@pytest.mark.parametrize(
    ("fields", "entry"),
    [
        ({"raw_response": "{}", "status": "ok"}, shown("{}", "c-1")),
        ({"raw_response": "{}", "status": "interrupted"}, shown("{}", "c-1")),
        ({"raw_response": "{}", "status": "error"}, shown("{}")),
        ({"raw_response": "", "status": "error"}, shown("")),
        ({"raw_response": None, "status": "error"}, None),
        ({"raw_response": "{}", "status": "ok", "cached": True}, None),
    ],
    ids=["ok", "interrupted", "failed", "failed with an empty body", "no body", "cached"],
)
def test_a_received_body_can_be_shown(fields: dict[str, Any], entry: dict[str, Any] | None) -> None:
    """Bodies of failed calls have no id; what came from the cache has no body to show."""
    assert call(**fields).raw_response_entry() == entry


@pytest.mark.parametrize(
    ("fields", "entries"),
    [
        (
            {"status": "ok", "answer": usage("b"), "earlier_raw_usage": ["a"]},
            [shown("a", "c-1"), shown("b", "c-1")],
        ),
        ({"status": "ok"}, []),
        ({"status": "error", "answer": usage("a")}, []),
        ({"status": "ok", "cached": True, "answer": usage("a")}, []),
    ],
    ids=["two reports", "none", "failed", "cached"],
)
def test_a_reported_usage_can_be_shown(
    fields: dict[str, Any], entries: list[dict[str, Any]]
) -> None:
    """Each usage object that the provider has sent, unless the call failed or cost nothing."""
    assert call(**fields).raw_usage_entries() == entries


def test_an_answer_is_made_of_the_calls_of_its_variant() -> None:
    """Failed calls, and those of variants that failed, take no part in it."""
    journal = Journal(
        [
            call("c-1", variant_name="first", status="ok", raw_response="1"),
            call("c-2", status="error", raw_response="2"),
            call("c-3", status="ok", raw_response="3"),
            call("c-4", status="interrupted", raw_response="4"),
            call("c-5", status="open"),
        ]
    )

    assert [each.id for each in succeeded(journal.of_variant("v"))] == ["c-3", "c-4"]
    assert [each["data"] for each in raw_responses(journal.calls)] == ["1", "2", "3", "4"]


def test_what_is_entered_in_a_part_is_in_the_whole() -> None:
    """A part knows its own calls only, so that it can settle them without touching others."""
    whole = Journal()
    one, other = whole.part(), whole.part()

    for journal, name in ((one, "c-1"), (other, "c-2"), (one, "c-3")):
        journal.enter(call(name))

    assert [each.id for each in whole.calls] == ["c-1", "c-2", "c-3"]
    assert [each.id for each in one.open_calls()] == ["c-1", "c-3"]


def test_time_at_providers_is_when_at_least_one_call_was_open() -> None:
    """Everything else that a request took is LSD's own; an open call counts up to now."""
    one_by_one = Journal([call(ended_at=10.25), call(started_at=11.0, ended_at=11.5)])
    side_by_side = Journal([call(ended_at=12.0), call(ended_at=11.0), call(started_at=11.5)])

    assert one_by_one.seconds_at_providers(20.0) == 0.25 + 0.5
    assert side_by_side.seconds_at_providers(13.0) == 3.0
