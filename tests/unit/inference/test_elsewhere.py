"""Calls that a provider makes in a job of its own."""

import pytest
from structlog.testing import capture_logs

from lsd.conversation import decode_json, encode_json
from lsd.inference import CallElsewhere, call_elsewhere, costs_elsewhere
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
    assert decode_json(await call.body())["messages"] == [{"role": "user", "content": "Hi"}]


async def test_a_service_tier_is_not_asked_for(start: StartGateway, shelf: Shelf) -> None:
    """A job has one of its own; the log tells so, and what was wished is on record."""
    params = {"chat_completion": {"service_tier": "flex", "temperature": 0.5}}
    call = call_of(start(PLAIN, shelf=shelf), params=params)
    assert call is not None

    with capture_logs() as told:
        body = decode_json(await call.body())

    assert ("service_tier" in body, body["temperature"]) == (False, 0.5)
    assert [(each["event"], each["parameter"]) for each in told] == [(NO_TIER, "service_tier")]


async def test_its_answer_is_recorded_without_times(start: StartGateway, shelf: Shelf) -> None:
    """Nobody knows how long it took."""
    gateway = start(PLAIN, shelf=shelf)
    call = call_of(gateway)
    assert call is not None
    assert gateway.service.recorder is not None

    answered = await call.answered(gateway.service.recorder, encode_json(ANSWER), None)
    await shelf.writer.commit(answered.records)

    record = await gateway.stored(call.run.inference_id)
    (stored,) = await gateway.stored_calls(call.run.inference_id)
    assert record is not None
    assert (record.variant_name, record.processing_time_ms) == ("v", None)
    assert (stored.response_time_ms, stored.input_tokens) == (None, 3)
    assert decode_json(answered.usage)["output_tokens"] == 1


@pytest.mark.parametrize(("required", "cost"), [("", 0), (", required = true", None)])
async def test_an_answer_that_tells_no_usage(
    start: StartGateway, shelf: Shelf, required: str, cost: int | None
) -> None:
    """Its tokens are unknown; a figure that is missing counts 0, or makes the cost unknown, too."""
    rate = f'batch_cost = [{{ pointer = "/usage/prompt_tokens", cost_per_unit = 1{required} }}]'
    gateway = start(PLAIN.replace('"gpt-1"', f'"gpt-1", {rate}'), shelf=shelf)
    call = call_of(gateway)
    assert call is not None
    assert gateway.service.recorder is not None
    body = encode_json({**ANSWER, "usage": None})

    with capture_logs() as told:
        costs = costs_elsewhere(call.provider)
        answered = await call.answered(gateway.service.recorder, body, costs)

    usage = decode_json(answered.usage)
    assert usage == {"input_tokens": None, "output_tokens": None, "cost": cost}
    assert [each["event"] for each in told] == ["cost not computable"] * (cost is None)


async def test_its_answer_is_kept_in_the_cache(start: StartGateway, shelf: Shelf) -> None:
    """A later request that is the same needs nobody."""
    gateway = start(PLAIN, shelf=shelf)
    call = call_of(gateway, cache_options={"enabled": "write_only"})
    assert call is not None
    assert gateway.service.recorder is not None
    await call.answered(gateway.service.recorder, encode_json(ANSWER), None)

    again = await gateway.infer(variant_name="v", cache_options={"enabled": "on"})

    assert again["content"] == [{"type": "text", "text": "Yes"}]
    assert gateway["one"].requests == []


async def test_files_go_along_as_far_as_they_are_here(start: StartGateway, shelf: Shelf) -> None:
    """One that has to be fetched first is more than a body."""
    gateway = start(PLAIN, shelf=shelf)

    def call_with(**file: str) -> CallElsewhere | None:
        content = [{"type": "file", **file}]
        return call_of(gateway, input={"messages": [{"role": "user", "content": content}]})

    sent = call_with(file_type="base64", mime_type="image/png", data="iVBORw0KGgo=")
    forwarded = call_with(file_type="url", url="https://example.com/a.png", mime_type="image/png")
    fetched = call_with(
        file_type="url", url="https://example.com/a.pdf", mime_type="application/pdf"
    )

    assert sent is not None
    assert forwarded is not None
    assert fetched is None
    assert b"data:image/png;base64,iVBORw0KGgo=" in await sent.body()
    assert gateway.service.recorder is not None
    answered = await sent.answered(gateway.service.recorder, encode_json(ANSWER), None)
    await shelf.writer.commit(answered.records)
    (stored,) = await gateway.stored_calls(sent.run.inference_id)
    assert stored.body is not None
    assert "<LSD_FILE_0>" in (stored.body.raw_request or "")


async def test_headers_of_the_callers_own_cannot_go_along(
    start: StartGateway, shelf: Shelf
) -> None:
    """A line in a file has none."""
    headers = [{"name": "x-mine", "value": "1"}]

    assert call_of(start(PLAIN, shelf=shelf), extra_headers=headers) is None
