"""Calls that a provider makes in a job of its own."""

from structlog.testing import capture_logs

from lsd.conversation import decode_json, encode_json
from lsd.inference import CallElsewhere, call_elsewhere
from lsd.inference.elsewhere import NO_TIER
from tests.unit.inference.conftest import StartGateway
from tests.unit.inference.gateway import PLAIN, Gateway, Shelf

ANSWER = {
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "Yes"}}],
    "usage": {"prompt_tokens": 3, "completion_tokens": 1},
}


def call_of(gateway: Gateway, **fields: object) -> CallElsewhere | None:
    """The call for a request of these fields."""
    accepted = gateway.accept(variant_name="v", **fields)
    assert accepted.pinned is not None
    run = gateway.service.run_elsewhere(gateway.service.ids.new(), accepted)
    return call_elsewhere(run, accepted, accepted.pinned)


async def test_its_body_is_that_of_a_plain_call(start: StartGateway, shelf: Shelf) -> None:
    """Of the first provider."""
    call = call_of(start(PLAIN, shelf=shelf))

    assert call is not None
    assert decode_json(call.body())["messages"] == [{"role": "user", "content": "Hi"}]


async def test_a_service_tier_is_not_asked_for(start: StartGateway, shelf: Shelf) -> None:
    """A job has one of its own; the log tells so, and what was wished is on record."""
    params = {"chat_completion": {"service_tier": "flex", "temperature": 0.5}}
    call = call_of(start(PLAIN, shelf=shelf), params=params)
    assert call is not None

    with capture_logs() as told:
        body = decode_json(call.body())

    assert ("service_tier" in body, body["temperature"]) == (False, 0.5)
    assert [(each["event"], each["parameter"]) for each in told] == [(NO_TIER, "service_tier")]


async def test_its_answer_is_recorded_without_times(start: StartGateway, shelf: Shelf) -> None:
    """Nobody knows how long it took."""
    gateway = start(PLAIN, shelf=shelf)
    call = call_of(gateway)
    assert call is not None
    assert gateway.service.recorder is not None

    answered = call.answered(gateway.service.recorder, encode_json(ANSWER), None)
    await shelf.writer.commit(answered.records)

    record = await gateway.stored(call.run.inference_id)
    (stored,) = await gateway.stored_calls(call.run.inference_id)
    assert record is not None
    assert (record.variant_name, record.processing_time_ms) == ("v", None)
    assert (stored.response_time_ms, stored.input_tokens) == (None, 3)
    assert decode_json(answered.usage)["output_tokens"] == 1


async def test_headers_of_the_callers_own_cannot_go_along(
    start: StartGateway, shelf: Shelf
) -> None:
    """A line in a file has none."""
    headers = [{"name": "x-mine", "value": "1"}]

    assert call_of(start(PLAIN, shelf=shelf), extra_headers=headers) is None
