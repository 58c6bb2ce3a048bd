"""Batches that go to providers and into the store: both, or neither."""

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from lsd.batches import native_lines
from lsd.batches.refusals import BatchNotStored, NativeStartsFailed
from lsd.store import StoreFailed
from tests.unit.batches.desk import ITEM, Desk
from tests.unit.batches.test_native_jobs import FILE, job, result
from tests.unit.inference.fake_providers import Break, Hang, Script

JOB = job("validating")


def left(desk: Desk) -> int:
    """How many starts nobody is at any more."""
    return len(desk.store.batch_starts.left())


async def test_a_job_is_noted_before_anybody_hears_of_it(
    native_desk: Desk, nursery: trio.Nursery
) -> None:
    """So that a crash at any moment leaves none that could not be found."""
    desk = native_desk
    desk.provider.will(Script(before=(Hang(),)))
    nursery.start_soon(desk.submit, ITEM)
    while not desk.provider.requests:
        await wait_all_tasks_blocked()

    noted = desk.store.batch_starts.recover(None)
    await desk.writer.commit(noted)

    ((batch_id, start),) = desk.store.batch_starts.left()
    assert start.models == ("m",)
    assert desk.store.batches.get(batch_id) is None
    nursery.cancel_scope.cancel()


async def test_a_batch_and_its_jobs_are_stored_together(native_desk: Desk) -> None:
    """Nothing is left to be searched for."""
    desk = native_desk
    desk.provider.will(FILE, JOB)
    answer = await desk.submit(ITEM)

    await desk.writer.commit(desk.store.batch_starts.recover(None))

    assert left(desk) == 0
    (part,) = desk.store.batches.parts(answer["batch_id"])
    assert part.job_id == "b"


async def test_a_batch_that_is_too_large_for_one_file_has_several_jobs(
    native_desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each is asked for by itself, and one that fails spoils nothing of the others."""
    desk = native_desk
    monkeypatch.setattr(native_lines, "LINES_MAX", 2)
    begun = [each for job_id in "abc" for each in (FILE, job("validating", id=job_id))]
    desk.provider.will(*begun)
    answer = await desk.submit(*[ITEM] * 5)
    batch_id, ids = answer["batch_id"], answer["inference_ids"]
    polled = [each.url.rsplit("/", 1)[1] for each in desk.provider.requests]
    first, third = (Script(body=(b"\n".join(map(result, some)),)) for some in (ids[:2], ids[4:]))
    ended = job("completed", output_file_id="o")
    desk.provider.will(ended, first, job("failed"), ended, third)

    await desk.service.refresh(batch_id)
    shown = desk.shown(batch_id)

    assert polled == ["files", "batches"] * 3
    assert [part.job_id for part in desk.store.batches.parts(batch_id)] == ["a", "b", "c"]
    assert [each["inference_id"] for each in shown["inferences"]] == [ids[0], ids[1], ids[4]]
    assert [each["index"] for each in shown["errors"]] == [2, 3]


async def test_all_jobs_of_a_batch_begin_or_none_goes_on(
    native_desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The provider has taken the first file, and refuses the second."""
    desk = native_desk
    monkeypatch.setattr(native_lines, "LINES_MAX", 2)
    desk.provider.will(FILE, job("validating"), Script(status=400), job("cancelling"))

    with pytest.raises(NativeStartsFailed):
        await desk.submit(*[ITEM] * 3)

    assert desk.provider.requests[-1].url.endswith("/batches/b/cancel")
    assert left(desk) == 0
    assert desk.store.batches.with_native_parts() == []


@pytest.mark.parametrize(
    ("create", "starts"), [(Script(status=400), 0), (Script(before=(Break(),)), 1)]
)
async def test_a_start_that_fails_leaves_what_may_go_on(
    native_desk: Desk, create: Script, starts: int
) -> None:
    """A refusal leaves nothing, a broken connection perhaps a job."""
    desk = native_desk
    desk.provider.will(FILE, create)

    with pytest.raises(NativeStartsFailed):
        await desk.submit(ITEM)

    assert left(desk) == starts


async def test_a_submission_that_is_cut_off_leaves_what_may_go_on(
    native_desk: Desk, nursery: trio.Nursery
) -> None:
    """The daemon stops while a provider is about to begin a job."""
    desk = native_desk
    desk.provider.will(FILE, Script(before=(Hang(),)))
    with trio.CancelScope() as scope:
        async with trio.open_nursery() as submitting:
            submitting.start_soon(desk.submit, ITEM)
            while len(desk.provider.requests) < 2:
                await wait_all_tasks_blocked()
            scope.cancel()

    assert left(desk) == 1


async def test_jobs_are_given_up_when_the_store_fails(
    native_desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They belong to nobody then."""
    desk = native_desk
    desk.provider.will(FILE, JOB, JOB)
    commit = type(desk.writer).commit

    async def fail(writer: object, write: object) -> None:
        if len(desk.provider.requests) == 2:
            raise StoreFailed("store", "no luck")
        await commit(writer, write)  # type: ignore[arg-type]

    monkeypatch.setattr(type(desk.writer), "commit", fail)
    with pytest.raises(BatchNotStored):
        await desk.submit(ITEM)

    assert desk.provider.requests[-1].url.endswith("/batches/b/cancel")
