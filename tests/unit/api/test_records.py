"""What was recorded, read back by id over HTTP."""

from decimal import Decimal
from typing import Any

import pytest

from lsd.api import Records
from lsd.store import Store, Writer
from lsd.telemetry import rfc3339_ms
from tests.unit.api.endpoints import quart_of
from tests.unit.api.gateways import get
from tests.unit.api.in_memory import ask
from tests.unit.store.makers import Maker, given, stored

NOWHERE = "0199e3a2-7c11-7d30-9a51-2f6d0c1b7e44"


@pytest.fixture
def app(store: Store, writer: Writer) -> Any:
    """The application with the routes of records."""
    return quart_of(*Records(store, writer).endpoints(), body_bytes_max=1 << 20)


async def test_what_was_answered_before_is_visible(
    app: Any, store: Store, writer: Writer, make: Maker
) -> None:
    """A read waits for what is queued, whichever route it takes."""
    other = make.inference()
    writer.queue_nowait(store.inferences.record(other, [make.call(other.inference_id)]))
    calls = await get(app, f"/internal/model_inferences/{other.inference_id}")
    assert len(calls["model_inferences"]) == 1

    writer.queue_nowait(store.feedback.record(make.feedback(other.inference_id)))
    entries = await get(app, f"/internal/feedback/{other.inference_id}")
    assert len(entries["feedback"]) == 1


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
    store.data.write(store.inferences.record_attempts(inference, episode, calls).apply)

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
    assert await get(app, f"/internal/feedback/{NOWHERE}") == {"feedback": []}


@pytest.mark.parametrize(
    ("target", "told"),
    [
        ("/internal/model_inferences/x", "inference_id: found 'x'; wanted a UUID"),
        (f"/internal/model_inferences/msg_{'0' * 31}", "inference_id: found 'msg_"),
        (f"/internal/model_inferences/{NOWHERE}?include_failed=1", "include_failed: found '1'"),
        (f"/internal/model_inferences/{NOWHERE}?include_failed", "include_failed: found ''"),
        ("/internal/feedback/x", "target_id: found 'x'; wanted a UUID"),
        (f"/internal/feedback/{NOWHERE}?before=x", "before: found 'x'; wanted a UUID"),
        (f"/internal/feedback/{NOWHERE}?after=", "after: found ''; wanted a UUID"),
        (
            f"/internal/feedback/{NOWHERE}?before={NOWHERE}&after={NOWHERE}",
            "before, after: found both; wanted at most one of them",
        ),
        (f"/internal/feedback/{NOWHERE}?limit=-1", "limit: found '-1'; wanted an integer"),
        (f"/internal/feedback/{NOWHERE}?limit=1.5", "limit: found '1.5'"),
        (f"/internal/feedback/{NOWHERE}?limit=", "limit: found ''"),
        (f"/internal/feedback/{NOWHERE}?limit=²", "limit: found '²'"),
    ],
)
async def test_a_wrong_parameter_is_told(app: Any, target: str, told: str) -> None:
    """400, with its name and what would be right."""
    asked = await ask(app, "GET", target)

    assert asked.status == 400
    assert asked.error().replace('"', "'").startswith(told)


async def test_feedback_is_shown_by_its_kind(app: Any, store: Store, make: Maker) -> None:
    """Each kind has its fields; newest first."""
    target = stored(store, make.inference()).inference_id
    kinds: list[dict[str, Any]] = [
        {"kind": "boolean", "metric_name": "resolved", "value": True},
        {"kind": "float", "metric_name": "rating", "value": 4.5},
        {"kind": "comment", "metric_name": "comment", "value": "fine"},
        {"kind": "demonstration", "metric_name": "demonstration", "value": '[{"type":"text"}]'},
    ]
    entries = [given(store, make.feedback(target, tags={"by": "me"}, **each)) for each in kinds]

    shown = (await get(app, f"/internal/feedback/{target}"))["feedback"]

    common = [
        {"id": each.id, "tags": {"by": "me"}, "timestamp": rfc3339_ms(make.clock.now_ms())}
        for each in entries
    ]
    assert shown[::-1] == [
        common[0]
        | {"type": "boolean", "target_id": target, "metric_name": "resolved", "value": True},
        common[1] | {"type": "float", "target_id": target, "metric_name": "rating", "value": 4.5},
        common[2]
        | {"type": "comment", "target_id": target, "target_type": "inference", "value": "fine"},
        common[3] | {"type": "demonstration", "inference_id": target, "value": '[{"type":"text"}]'},
    ]


async def test_feedback_is_read_in_pages(app: Any, store: Store, make: Maker) -> None:
    """The page lies next to its cursor, which may be given in any form of an id."""
    target = stored(store, make.inference()).inference_id
    a, b, c, d = (given(store, make.feedback(target, value=bool(n % 2))).id for n in range(4))

    async def page(query: str) -> list[str]:
        shown = await get(app, f"/internal/feedback/{target}{query}")
        return [each["id"] for each in shown["feedback"]]

    assert await page("") == [d, c, b, a]
    assert await page("?limit=0") == []
    assert await page("?limit=2") == [d, c]
    assert await page(f"?limit=2&before={c}") == [b, a]
    assert await page(f"?limit=2&after={a}") == [c, b]
    assert await page(f"?before={a}") == []
    assert await page(f"?before=msg_{c.replace('-', '')}") == [b, a]


@pytest.mark.parametrize("limit", ["9" * 18, "9" * 19, "9" * 30, "9" * 5000, "0005"])
async def test_there_is_no_greatest_limit(app: Any, store: Store, make: Maker, limit: str) -> None:
    """Whoever asks for more than there is gets all."""
    target = stored(store, make.inference()).inference_id
    given(store, make.feedback(target))

    shown = await get(app, f"/internal/feedback/{target}?limit={limit}")

    assert len(shown["feedback"]) == 1


async def test_a_page_holds_a_hundred_entries_unless_told(
    app: Any, store: Store, make: Maker
) -> None:
    """A limit above it is kept, too."""
    target = stored(store, make.inference()).inference_id
    for _ in range(102):
        given(store, make.feedback(target))

    usual = await get(app, f"/internal/feedback/{target}")
    more = await get(app, f"/internal/feedback/{target}?limit=101")

    assert (len(usual["feedback"]), len(more["feedback"])) == (100, 101)
