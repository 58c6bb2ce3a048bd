"""What was recorded, read back by id over HTTP."""

from decimal import Decimal
from typing import Any

import pytest

from lsd.api import Reading, Records
from lsd.store import Store, Writer, new_calls
from lsd.telemetry import rfc3339_ms
from tests.unit.api.endpoints import quart_of
from tests.unit.api.gateways import get
from tests.unit.api.in_memory import ask
from tests.unit.store.makers import Maker, given, stored

NOWHERE = "0199e3a2-7c11-7d30-9a51-2f6d0c1b7e44"


@pytest.fixture
def app(reading: Reading) -> Any:
    """The application with the routes of records."""
    return quart_of(*Records(reading).endpoints(), body_bytes_max=1 << 20)


async def test_what_was_answered_before_is_visible(
    app: Any, store: Store, writer: Writer, make: Maker
) -> None:
    """A read waits for what is queued, whichever route it takes."""
    other = make.inference()
    writer.queue_nowait(store.inferences.record(other, [make.call(other.inference_id)]))
    calls = await get(app, f"/internal/model_inferences/{other.inference_id}")
    assert len(calls["model_inferences"]) == 1

    third = make.inference()
    writer.queue_nowait(store.inferences.record(third))
    found = await get(app, f"/internal/resolve_uuid/{third.inference_id}")
    assert len(found["object_types"]) == 1


async def test_a_model_inference_is_shown_whole(app: Any, store: Store, make: Maker) -> None:
    """What is not known is absent; a cost is a number of dollars."""
    record = make.inference()
    call = make.call(record.inference_id, cost=Decimal("0.000123"), ttft_ms=None)
    stored(store, record, call)
    assert call.body is not None

    shown = await get(app, f"/internal/model_inferences/{record.inference_id}")

    assert shown == {
        "model_inferences": [
            {
                "id": call.id,
                "inference_id": record.inference_id,
                "status": "ok",
                "model_name": "gpt",
                "model_provider_name": "openai",
                "input_tokens": 12,
                "output_tokens": 7,
                "response_time_ms": 100,
                "cached": False,
                "cost": 0.000123,
                "finish_reason": "stop",
                "timestamp": rfc3339_ms(make.clock.now_ms()),
                "raw_request": call.body.raw_request,
                "raw_response": call.body.raw_response,
                "input_messages": call.body.input_messages,
                "output": call.body.output,
            }
        ]
    }


async def test_failed_calls_are_shown_on_request(app: Any, store: Store, make: Maker) -> None:
    """In the order in which they were made."""
    record = make.inference()
    failed = make.call(record.inference_id, status="error", error="HTTP 503")
    good = make.call(record.inference_id)
    stored(store, record, failed, good)
    route = f"/internal/model_inferences/{record.inference_id}"

    async def statuses(query: str) -> list[str]:
        return [each["status"] for each in (await get(app, route + query))["model_inferences"]]

    assert await statuses("") == ["ok"]
    assert await statuses("?include_failed=false") == ["ok"]
    assert await statuses("?include_failed=true") == ["error", "ok"]


async def test_calls_of_failed_inferences_are_found_by_episode(
    app: Any, store: Store, make: Maker
) -> None:
    """An inference without an answer has no record, but its calls have."""
    inference, episode = make.id(), make.id()
    calls = [make.call(inference, status="error", error="HTTP 503") for _ in range(2)]
    store.data.write(store.inferences.record_attempts(inference, episode, new_calls(calls)).apply)

    for target in (inference, episode):
        shown = await get(app, f"/internal/model_inferences/{target}?include_failed=true")
        assert [each["id"] for each in shown["model_inferences"]] == [each.id for each in calls]
    plain = await get(app, f"/internal/model_inferences/{episode}")
    assert plain == {"model_inferences": []}


async def test_an_expired_call_keeps_its_figures(app: Any, store: Store, make: Maker) -> None:
    """Without its body it shows neither texts nor bytes."""
    record = make.inference()
    stored(store, record, make.call(record.inference_id, body=None))

    (shown,) = (await get(app, f"/internal/model_inferences/{record.inference_id}"))[
        "model_inferences"
    ]

    assert shown["input_tokens"] == 12
    assert not {"raw_request", "raw_response", "system", "input_messages", "output"} & set(shown)


async def test_an_unknown_id_has_nothing(app: Any) -> None:
    """Empty lists, no 404."""
    assert await get(app, f"/internal/model_inferences/{NOWHERE}") == {"model_inferences": []}
    assert await get(app, f"/internal/resolve_uuid/{NOWHERE}") == {
        "id": NOWHERE,
        "object_types": [],
    }


@pytest.mark.parametrize(
    ("target", "told"),
    [
        ("/internal/model_inferences/x", "inference_id: found 'x'; wanted a UUID"),
        (f"/internal/model_inferences/msg_{'0' * 31}", "inference_id: found 'msg_"),
        (f"/internal/model_inferences/{NOWHERE}?include_failed=1", "include_failed: found '1'"),
        (f"/internal/model_inferences/{NOWHERE}?include_failed", "include_failed: found ''"),
    ],
)
async def test_a_wrong_parameter_is_told(app: Any, target: str, told: str) -> None:
    """400, with its name and what would be right."""
    asked = await ask(app, "GET", target)

    assert asked.status == 400
    assert asked.error().replace('"', "'").startswith(told)


async def test_an_id_is_everything_that_it_stands_for(app: Any, store: Store, make: Maker) -> None:
    """In a fixed order; an episode may have the id of an inference, in whatever form."""
    own = make.id()
    record = make.inference(inference_id=own, episode_id=own)
    call = make.call(own)
    stored(store, record, call)
    entry = given(store, make.feedback(own))

    async def types(of: str) -> Any:
        return (await get(app, f"/internal/resolve_uuid/{of}"))["object_types"]

    assert await types(f"chatcmpl-{own.replace('-', '')}") == [
        {
            "type": "inference",
            "function_name": "write_haiku",
            "function_type": "chat",
            "variant_name": "terse",
            "episode_id": own,
        },
        {"type": "episode"},
    ]
    assert await types(call.id) == [
        {
            "type": "model_inference",
            "inference_id": own,
            "model_name": "gpt",
            "model_provider_name": "openai",
        }
    ]
    assert await types(entry.id) == [{"type": "boolean_feedback"}]
