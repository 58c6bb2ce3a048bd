"""Batches that go to providers and into the store: both, or neither."""

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from lsd.batches.refusals import BatchNotStored, NativeStartsFailed
from lsd.conversation import encode_json
from lsd.store import StoreFailed
from tests.unit.batches.desk import ITEM, Desk
from tests.unit.inference.fake_providers import Break, Hang, Script

FILE = Script(body=(b'{"id":"f"}',))
JOB = Script(body=(encode_json({"id": "b", "status": "validating"}),))


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
