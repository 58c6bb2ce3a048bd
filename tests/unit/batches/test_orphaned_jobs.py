"""Jobs that nobody owns are searched for, and ended."""

from typing import Any

import pytest

from lsd.batches import NativeCalls, OrphanedJobs
from lsd.batches.orphaned_jobs import SEARCHED_MS_MIN
from lsd.conversation import encode_json
from lsd.providers import WINDOW_MS, OpenAIBatches
from tests.unit.batches.desk import Desk
from tests.unit.captured_log import Log
from tests.unit.inference.fake_providers import Script
from tests.unit.store.makers import Maker, put

HEARD = Script(body=(b'{"id":"b","status":"cancelling"}',))


def page(*jobs: tuple[str, str, str], has_more: bool = False) -> Script:
    """Part of a provider's list: id, batch and status of each job."""
    data: list[dict[str, Any]] = [
        {"id": job_id, "status": status, "metadata": {"lsd_batch_id": batch_id}}
        for job_id, batch_id, status in jobs
    ]
    return Script(body=(encode_json({"data": data, "has_more": has_more}),))


def orphans_of(desk: Desk, *, age_ms: int = 0) -> tuple[OrphanedJobs, str]:
    """The search, and the id of a batch of this age that was never promised."""
    clock, batch_id = desk.gateway.clock, Maker().id()
    starts = desk.store.batch_starts
    put(desk.store, starts.begin(batch_id, clock.now_ms() - age_ms, ("m", "gone")))
    put(desk.store, starts.leave(batch_id))
    orphans = OrphanedJobs(
        prepared=desk.gateway.prepared,
        calls=NativeCalls(desk.gateway.prepared),
        store=desk.store,
        writer=desk.writer,
        clock=clock,
    )
    return orphans, batch_id


async def test_the_jobs_of_a_batch_are_ended(desk: Desk) -> None:
    """On whatever page they stand; those of others, and those that have ended, are left alone."""
    orphans, batch_id = orphans_of(desk, age_ms=SEARCHED_MS_MIN)
    first = page(("x", "other", "in_progress"), ("y", batch_id, "completed"), has_more=True)
    desk.provider.will(first, page(("b", batch_id, "validating")), HEARD)

    await orphans.end_all()

    assert [each.url.split("/v1/")[1] for each in desk.provider.requests] == [
        "batches?limit=100",
        "batches?limit=100&after=y",
        "batches/b/cancel",
    ]
    assert desk.store.batch_starts.left() == []


async def test_a_bug_met_by_one_search_ends_no_other(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, log: Log
) -> None:
    """Nor the daemon, which searches in the background."""
    orphans, _ = orphans_of(desk)

    def divide(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(OpenAIBatches, "found", divide)
    desk.provider.will(page())
    await orphans.end_all()

    assert len(desk.store.batch_starts.left()) == 1
    assert [entry["event"] for entry in log] == ["a search for jobs met a bug"]


async def test_a_young_start_is_looked_at_again(desk: Desk) -> None:
    """Its job may not be listed yet."""
    orphans, _ = orphans_of(desk)
    desk.provider.will(page())

    await orphans.end_all()

    assert len(desk.store.batch_starts.left()) == 1


async def test_jobs_that_somebody_owns_go_on(desk: Desk) -> None:
    """A batch may have been stored, with one job more begun for it than it knows."""
    orphans, batch_id = orphans_of(desk, age_ms=SEARCHED_MS_MIN)
    make = Maker()
    batch, part = make.batch(batch_id=batch_id), make.part(job_id="b")
    item = make.new_item(state="running", part=0)
    put(desk.store, desk.store.batches.submit(batch, [item], [part]))
    desk.provider.will(page(("b", batch_id, "in_progress")))

    await orphans.end_all()

    assert len(desk.provider.requests) == 1


async def test_a_provider_that_cannot_be_asked_is_asked_again(desk: Desk, log: Log) -> None:
    """Until the day is over that a job may take."""
    orphans, _ = orphans_of(desk, age_ms=WINDOW_MS // 2)
    desk.provider.will(Script(status=500))
    await orphans.end_all()
    assert len(desk.store.batch_starts.left()) == 1
    assert [entry["event"] for entry in log] == ["jobs not searched for"]

    late, _ = orphans_of(desk, age_ms=WINDOW_MS)
    await late.end_all()
    assert desk.store.batch_starts.left() == []
