"""What a provider tells of its jobs."""

from tests.unit.batches.desk import ITEM, Desk
from tests.unit.batches.test_native_jobs import FILE, job, result
from tests.unit.captured_log import Log
from tests.unit.inference.fake_providers import Script


async def test_a_file_that_is_gone_takes_no_other_along(native_desk: Desk) -> None:
    """What the other one holds has been paid for; the rest fails, and tells why."""
    desk = native_desk
    desk.provider.will(FILE, job("validating"))
    answer = await desk.submit(ITEM, ITEM)
    first = Script(body=(result(answer["inference_ids"][0]),))
    ended = job("completed", output_file_id="o", error_file_id="e")
    desk.provider.will(ended, first, Script(status=404))

    await desk.service.refresh(answer["batch_id"])

    shown = desk.shown(answer["batch_id"])
    assert (shown["status"], len(shown["inferences"])) == ("completed", 1)
    assert shown["errors"][0]["message"].startswith("no result returned: openai returned HTTP 404")


async def test_of_two_results_for_one_item_the_first_counts(native_desk: Desk, log: Log) -> None:
    """The log tells how many were too much."""
    desk = native_desk
    desk.provider.will(FILE, job("validating"))
    answer = await desk.submit(ITEM)
    first = result(answer["inference_ids"][0])
    lines = b"\n".join((first, first.replace(b"Yes", b"No"), first))
    desk.provider.will(job("completed", output_file_id="o"), Script(body=(lines,)))

    await desk.service.refresh(answer["batch_id"])

    (inference,) = desk.shown(answer["batch_id"])["inferences"]
    assert inference["content"] == [{"type": "text", "text": "Yes"}]
    assert [(entry["event"], entry["count"]) for entry in log] == [("second results for items", 2)]


async def test_a_job_that_its_provider_does_not_know_has_failed(native_desk: Desk) -> None:
    """It will not come back."""
    desk = native_desk
    desk.provider.will(FILE, job("validating"))
    answer = await desk.submit(ITEM)
    desk.provider.will(Script(status=404))

    await desk.service.refresh(answer["batch_id"])

    (error,) = desk.shown(answer["batch_id"])["errors"]
    assert "HTTP 404" in error["message"]
