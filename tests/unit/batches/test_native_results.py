"""What becomes of the results of a job."""

from typing import Any

import pytest

from lsd.batches import native_results
from lsd.conversation import encode_json
from tests.unit.batches.desk import ITEM, Desk
from tests.unit.batches.test_native_jobs import FILE, job, result
from tests.unit.captured_log import Log
from tests.unit.inference.fake_providers import Script
from tests.unit.store.makers import Maker


async def collected(desk: Desk, *rows: Any, lines: Any) -> tuple[dict[str, Any], list[str]]:
    """A batch of these rows after its job has ended with what `lines` makes of its inferences."""
    desk.provider.will(FILE, job("validating"))
    answer = await desk.submit(*rows)
    content = b"\n".join(lines(answer["inference_ids"]))
    desk.provider.will(job("completed", output_file_id="o"), Script(body=(content,)))
    await desk.service.refresh(answer["batch_id"])
    return desk.shown(answer["batch_id"]), answer["inference_ids"]


def refusal(inference_id: str) -> bytes:
    """The line of an item that was not answered."""
    error = {"code": "server_error", "message": "no"}
    return encode_json({"custom_id": inference_id, "response": None, "error": error})


async def test_items_end_some_at_a_time(native_desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each by its own result, wherever that stands."""
    monkeypatch.setattr(native_results, "COLLECTED_MAX", 2)

    shown, ids = await collected(
        native_desk, *[ITEM] * 5, lines=lambda ids: map(result, reversed(ids))
    )

    assert [each["inference_id"] for each in shown["inferences"]] == ids


async def test_what_has_failed_leaves_its_attempt(native_desk: Desk) -> None:
    """Refused by the provider, or answered with what makes no sense; and no inference."""
    nonsense = {"status_code": 200, "body": {"choices": "none"}}

    def lines(ids: list[str]) -> list[bytes]:
        bad = encode_json({"custom_id": ids[1], "response": nonsense, "error": None})
        return [refusal(ids[0]), bad]

    shown, ids = await collected(native_desk, ITEM, ITEM, ITEM, lines=lines)

    assert [each["index"] for each in shown["errors"]] == [0, 1, 2]
    calls = [await native_desk.gateway.stored_calls(each) for each in ids]
    assert [[call.status for call in each] for each in calls] == [["error"], ["error"], []]
    assert "server_error" in (calls[0][0].error or "")
    assert calls[1][0].body is not None
    assert calls[1][0].body.raw_response == '{"choices":"none"}'
    assert [await native_desk.gateway.stored(each) for each in ids] == [None] * 3


async def test_records_that_are_refused_fail_one_item_alone(native_desk: Desk, log: Log) -> None:
    """The job is collected to its end, though that would be the same at every further try."""
    desk = native_desk
    desk.provider.will(FILE, job("validating"))
    answer = await desk.submit(*[ITEM] * 3)
    ids = answer["inference_ids"]
    taken = Maker().inference(inference_id=ids[1])
    await desk.writer.commit(desk.store.inferences.record(taken))
    content = b"\n".join(map(result, ids))
    desk.provider.will(job("completed", output_file_id="o"), Script(body=(content,)))

    await desk.service.refresh(answer["batch_id"])

    shown = desk.shown(answer["batch_id"])
    assert [each["inference_id"] for each in shown["inferences"]] == [ids[0], ids[2]]
    assert [(each["index"], each["status"]) for each in shown["errors"]] == [(1, 500)]
    assert [entry["event"] for entry in log] == ["the records of a batch item are refused"]


async def test_a_bug_fails_one_item_alone(
    native_desk: Desk, monkeypatch: pytest.MonkeyPatch, log: Log
) -> None:
    """The job is collected to its end."""
    answered = native_results.CallElsewhere.answered
    met: list[int] = []

    async def fail_once(call: Any, *arguments: Any) -> Any:
        met.append(1)
        if len(met) == 1:
            raise ZeroDivisionError
        return await answered(call, *arguments)

    monkeypatch.setattr(native_results.CallElsewhere, "answered", fail_once)

    shown, _ = await collected(native_desk, ITEM, ITEM, lines=lambda ids: map(result, ids))

    assert [(each["index"], each["status"]) for each in shown["errors"]] == [(0, 500)]
    assert [entry["event"] for entry in log] == ["a batch item met a bug"]
