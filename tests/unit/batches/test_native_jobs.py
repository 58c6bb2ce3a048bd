"""Jobs that a provider runs: asked for, and their results collected."""

from typing import Any

import attrs
import pytest
import trio
from structlog.testing import capture_logs
from trio.testing import wait_all_tasks_blocked

from lsd.batches import NativeCalls
from lsd.batches.native_jobs import POLLED_EVERY_S_MIN
from lsd.conversation import AttemptFailed, encode_json
from lsd.providers import WINDOW_MS, OpenAIBatches
from lsd.store import StoreFailed
from tests.unit.batches.desk import ITEM, Desk
from tests.unit.captured_log import Log
from tests.unit.inference.fake_providers import Script, Until

FILE = Script(body=(b'{"id":"f"}',))


def job(status: str, **more: Any) -> Script:
    """How the job stands."""
    return Script(body=(encode_json({"id": "b", "status": status} | more),))


def result(inference_id: str) -> bytes:
    """The line of an item that was answered."""
    message = {"role": "assistant", "content": "Yes"}
    body = {"choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}
    response = {"status_code": 200, "body": body}
    return encode_json({"custom_id": inference_id, "response": response, "error": None})


async def begun(desk: Desk, *rows: Any) -> dict[str, Any]:
    """The ids of a batch whose job is under way."""
    desk.provider.will(FILE, job("validating"))
    return await desk.submit(*(rows or (ITEM,)))


async def changed(desk: Desk, batch_id: str, **fields: Any) -> None:
    """The only part of a batch becomes another one."""
    (part,) = desk.store.batches.parts(batch_id)
    after = attrs.evolve(part, **fields)
    await desk.writer.commit(desk.store.batches.note_part(batch_id, 0, after))


async def test_results_are_collected_once(native_desk: Desk) -> None:
    """Then nobody is asked any more."""
    desk = native_desk
    answer = await begun(desk, ITEM, ITEM)
    lines = b"\n".join(map(result, reversed(answer["inference_ids"])))
    desk.provider.will(job("completed", output_file_id="o"), Script(body=(lines,)))

    await desk.service.refresh(answer["batch_id"])
    asked = len(desk.provider.requests)
    await desk.service.refresh(answer["batch_id"])

    shown = desk.shown(answer["batch_id"])
    assert (shown["status"], len(shown["inferences"])) == ("completed", 2)
    assert len(desk.provider.requests) == asked == 4
    assert desk.store.batches.with_native_parts() == []


async def test_a_store_that_fails_leaves_a_batch_as_it_is(
    native_desk: Desk, monkeypatch: pytest.MonkeyPatch, log: Log, autojump_clock: trio.abc.Clock
) -> None:
    """Whoever asks is told how it stands, and its jobs are asked again a moment later."""
    desk = native_desk
    answer = await begun(desk)
    (inference_id,) = answer["inference_ids"]
    commit = type(desk.writer).commit

    async def fail(_writer: object, _write: object) -> None:
        raise StoreFailed("store", "no luck")

    monkeypatch.setattr(type(desk.writer), "commit", fail)
    pending = await desk.service.item(answer["batch_id"], inference_id)
    monkeypatch.setattr(type(desk.writer), "commit", commit)
    desk.provider.will(job("completed", output_file_id="o"), Script(body=(result(inference_id),)))
    await trio.sleep(POLLED_EVERY_S_MIN)
    completed = await desk.service.item(answer["batch_id"], inference_id)

    assert (pending["status"], completed["status"]) == ("pending", "completed")
    assert [entry["event"] for entry in log] == ["batch not refreshed"]


async def test_a_batch_may_be_cancelled_while_results_come(
    native_desk: Desk, nursery: trio.Nursery
) -> None:
    """What the job has not done is cancelled, not failed."""
    desk, may_go_on = native_desk, trio.Event()
    answer = await begun(desk, ITEM, ITEM)
    batch_id, line = answer["batch_id"], result(answer["inference_ids"][0])
    results = Script(before=(Until(may_go_on),), body=(line,))
    desk.provider.will(job("expired", output_file_id="o"), results)
    nursery.start_soon(desk.service.refresh, batch_id)
    while len(desk.provider.requests) < 4:
        await wait_all_tasks_blocked()

    nursery.start_soon(desk.service.cancel, batch_id)
    await wait_all_tasks_blocked()
    await desk.writer.settle()
    may_go_on.set()
    shown = await desk.settled(batch_id)

    assert shown["status"] == "cancelled"
    assert len(shown["inferences"]) == 1
    assert [each["status"] for each in shown["errors"]] == [499]


async def test_a_bug_met_by_one_job_ends_nothing_else(
    native_desk: Desk, monkeypatch: pytest.MonkeyPatch, log: Log
) -> None:
    """Neither the daemon that asks in the background nor the answer to whoever asks."""
    desk = native_desk
    answer = await begun(desk)

    def divide(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(OpenAIBatches, "job", divide)
    desk.provider.will(job("completed"))
    assert desk.service.native is not None
    await desk.service.native.jobs.refresh_all()

    assert desk.shown(answer["batch_id"])["status"] == "pending"
    assert [entry["event"] for entry in log] == ["a batch met a bug"]


async def test_a_job_of_a_provider_that_is_gone_is_waited_for_a_day(
    native_desk: Desk, autojump_clock: trio.abc.Clock
) -> None:
    """It may come back, with results that are paid for; then the items fail."""
    desk = native_desk
    answer = await begun(desk)
    await changed(desk, answer["batch_id"], provider_name="gone")

    await desk.service.refresh(answer["batch_id"])
    waiting = desk.shown(answer["batch_id"])
    await trio.sleep(WINDOW_MS / 1000)
    await desk.service.refresh(answer["batch_id"])
    failed = desk.shown(answer["batch_id"])

    assert waiting["status"] == "pending"
    assert "model 'm': provider 'gone': not configured any more" in waiting["poll_error"]
    assert "within a day" in waiting["poll_error"]
    assert (failed["status"], failed["errors"][0]["status"]) == ("failed", 404)
    assert desk.store.batches.with_native_parts() == []


async def test_a_job_of_a_provider_that_is_gone_can_be_cancelled(native_desk: Desk) -> None:
    """Nobody has to wait for a day then."""
    desk = native_desk
    answer = await begun(desk)
    await changed(desk, answer["batch_id"], provider_name="gone")

    await desk.service.cancel(answer["batch_id"])
    await desk.service.refresh(answer["batch_id"])

    assert desk.shown(answer["batch_id"])["status"] == "cancelled"


async def test_a_job_whose_credentials_are_lost_is_waited_for_a_day(
    native_desk: Desk, monkeypatch: pytest.MonkeyPatch, autojump_clock: trio.abc.Clock
) -> None:
    """The operator may configure some; only those who know that they are lost give up."""
    desk = native_desk
    answer = await begun(desk)

    async def missing(*_: object) -> None:
        raise AttemptFailed(kind="config", text="one: credential missing")

    monkeypatch.setattr(NativeCalls, "ask", missing)
    told = []
    for is_lost in (False, True):
        await changed(desk, answer["batch_id"], lost_credentials=is_lost)
        await trio.sleep(WINDOW_MS / 2000)
        await desk.service.refresh(answer["batch_id"])
        told.append(desk.shown(answer["batch_id"]))

    assert told[0]["poll_error"] == "one: credential missing"
    assert told[1]["status"] == "failed"
    assert told[1]["errors"][0]["status"] == 400
    assert "do not survive a restart" in told[1]["errors"][0]["message"]


async def test_only_who_has_its_credentials_asks_for_a_job(native_desk: Desk) -> None:
    """The others would be refused, or be told that there is no such job."""
    desk = native_desk
    answer = await begun(desk, {**ITEM, "credentials": {"k": "v"}})
    (part,) = desk.store.batches.parts(answer["batch_id"])
    assert desk.service.native is not None
    jobs = desk.service.native.jobs

    await changed(desk, answer["batch_id"], holder=desk.store.batches.shard + 1)
    await jobs.refresh_held()
    await desk.service.cancel(answer["batch_id"])
    asked_by_others = len(desk.provider.requests) - 2
    await changed(desk, answer["batch_id"], holder=part.holder)
    desk.provider.will(job("in_progress"), job("cancelling"))
    await jobs.refresh_held()

    assert part.holder == desk.store.batches.shard
    assert asked_by_others == 0
    assert [each.url.rsplit("/", 1)[1] for each in desk.provider.requests[2:]] == ["b", "cancel"]


async def test_results_of_no_item_are_told_in_the_log(native_desk: Desk) -> None:
    """They change nothing."""
    desk = native_desk
    answer = await begun(desk)
    (mine,) = answer["inference_ids"]
    lines = b"\n".join(map(result, ("x", mine, "y")))
    desk.provider.will(job("completed", output_file_id="o"), Script(body=(lines,)))

    with capture_logs() as told:
        await desk.service.refresh(answer["batch_id"])

    assert len(desk.shown(answer["batch_id"])["inferences"]) == 1
    assert [(each["event"], each["count"]) for each in told] == [("results of no item", 2)]


async def test_a_failed_job_fails_its_items(native_desk: Desk) -> None:
    """With what the provider says of it."""
    desk = native_desk
    answer = await begun(desk)
    errors = {"data": [{"code": "bad_file", "message": "no"}]}
    desk.provider.will(job("failed", errors=errors))

    assert desk.service.native is not None
    await desk.service.native.jobs.refresh_all()

    (error,) = desk.shown(answer["batch_id"])["errors"]
    assert (error["status"], "bad_file: no" in error["message"]) == (502, True)


async def test_a_job_that_could_not_be_cancelled_is_told_again(native_desk: Desk) -> None:
    """When it is asked how it stands; a provider that has heard is not told twice."""
    desk = native_desk
    answer = await begun(desk)
    desk.provider.will(Script(status=500), job("in_progress"), job("cancelling"))
    await desk.service.cancel(answer["batch_id"])

    await desk.service.refresh(answer["batch_id"])

    told = [each for each in desk.provider.requests if each.url.endswith("/cancel")]
    (part,) = desk.store.batches.parts(answer["batch_id"])
    assert (len(told), part.is_given_up) == (2, True)


async def test_a_cancelled_job_cancels_what_it_has_not_done(native_desk: Desk) -> None:
    """The provider is asked to end it."""
    desk = native_desk
    answer = await begun(desk)
    desk.provider.will(job("cancelling"), job("cancelled"))

    batch = await desk.service.cancel(answer["batch_id"])
    await desk.service.refresh(answer["batch_id"])

    assert batch.cancel_requested
    assert desk.provider.requests[2].url.endswith("/batches/b/cancel")
    assert desk.shown(answer["batch_id"])["status"] == "cancelled"
