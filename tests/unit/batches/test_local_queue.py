"""The queue: what it begins, and what it leaves behind when it ends."""

from pathlib import Path
from typing import Any

import attrs
import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from lsd.batches import ItemRunner, QueueWork
from lsd.batches.local_queue import FORGET_EVERY_S, POLITE_PAUSE_S, REST_S
from lsd.store import Batches, BatchItem, ClaimedItem, StoreFailed, Write
from tests.unit.batches.desk import ITEM, Desk, open_desk
from tests.unit.captured_log import Log
from tests.unit.inference.fake_providers import Hang, Script, Until, says
from tests.unit.inference.gateway import Shelf
from tests.unit.store.makers import Maker


async def until(desk: Desk, count: int) -> None:
    """Returns when the provider has been asked so often."""
    while len(desk.provider.requests) < count:
        await wait_all_tasks_blocked()


async def ended(desk: Desk, batch_id: str, results: int = 1) -> dict[str, Any]:
    """What is told of a batch once it has so many results; the clock jumps."""
    while (shown := desk.shown(batch_id))["progress"]["completed"] < results:  # noqa: ASYNC110
        await trio.sleep(0.01)
    return shown


async def test_what_is_submitted_runs(desk: Desk, nursery: trio.Nursery) -> None:
    """At once, and to its end."""
    desk.provider.will(says("Yes"))
    nursery.start_soon(desk.run)

    answer = await desk.submit(*[ITEM] * 20)

    shown = await desk.settled(answer["batch_id"])
    assert (shown["status"], shown["progress"]["completed"]) == ("completed", 20)
    assert len(desk.provider.requests) == 20
    nursery.cancel_scope.cancel()


async def test_no_more_run_at_once_than_there_is_room_for(
    tmp_path: Path, shelf: Shelf, nursery: trio.Nursery
) -> None:
    """Over all batches."""
    desk = open_desk(tmp_path, shelf, running_max=3)
    may_go_on = trio.Event()
    answer = says("Yes")
    desk.provider.will(Script(before=(Until(may_go_on),), body=answer.body))
    nursery.start_soon(desk.run)
    first, second = [await desk.submit(ITEM, ITEM, ITEM) for _ in range(2)]

    await until(desk, 3)
    held = [desk.queue.held, len(desk.provider.requests)]
    may_go_on.set()
    await desk.settled(first["batch_id"])
    await desk.settled(second["batch_id"])

    assert held == [3, 3]
    assert len(desk.provider.requests) == 6
    nursery.cancel_scope.cancel()


async def test_items_make_way_while_somebody_waits_for_an_answer(
    desk: Desk, nursery: trio.Nursery
) -> None:
    """They begin one by one then, and go on all the same."""
    desk.provider.will(says("Yes"))
    desk.gateway.service.running.begin("i", "e", is_dryrun=False)
    answer = await desk.submit(*[ITEM] * 40)
    begun_at = trio.current_time()
    nursery.start_soon(desk.run)

    await ended(desk, answer["batch_id"], 40)

    assert trio.current_time() - begun_at >= 40 * POLITE_PAUSE_S
    nursery.cancel_scope.cancel()


async def test_a_stopped_queue_ends_what_it_has_begun(
    tmp_path: Path, shelf: Shelf, nursery: trio.Nursery
) -> None:
    """And begins nothing more."""
    desk = open_desk(tmp_path, shelf, running_max=1)
    may_go_on = trio.Event()
    desk.provider.will(Script(before=(Until(may_go_on),), body=says("Yes").body))
    nursery.start_soon(desk.run)
    answer = await desk.submit(ITEM, ITEM)
    await until(desk, 1)

    desk.queue.stop()
    may_go_on.set()
    await desk.queue.wait_ended()

    progress = desk.shown(answer["batch_id"])["progress"]
    assert (progress["completed"], progress["pending"]) == (1, 1)


async def test_a_cancelled_queue_puts_back_what_was_running(
    desk: Desk, nursery: trio.Nursery
) -> None:
    """As if it had not begun."""
    desk.provider.will(Script(before=(Hang(),)))
    answer = await desk.submit(ITEM)
    with trio.CancelScope() as scope:
        nursery.start_soon(until, desk, 1)
        async with trio.open_nursery() as running:
            running.start_soon(desk.run)
            await until(desk, 1)
            scope.cancel()

    (result,) = desk.store.batches.results(answer["batch_id"], 0, 1)
    assert (result.item.state, result.item.attempts, result.item.crashes) == ("pending", 0, 0)


async def test_an_item_waits_for_its_time(
    tmp_path: Path, shelf: Shelf, nursery: trio.Nursery, autojump_clock: trio.abc.Clock
) -> None:
    """A provider that was ill for a while is asked again some seconds later."""
    desk = open_desk(tmp_path, shelf, attempts_max=2)
    desk.provider.will(Script(status=503, body=(b"{}",)), says("Yes"))
    nursery.start_soon(desk.run)
    begun_at = trio.current_time()

    answer = await desk.submit(ITEM)
    shown = await ended(desk, answer["batch_id"])

    assert shown["inferences"][0]["content"] == [{"type": "text", "text": "Yes"}]
    assert trio.current_time() - begun_at >= 4
    calls = await desk.gateway.stored_calls(answer["inference_ids"][0])
    assert [call.status for call in calls] == ["ok"]
    nursery.cancel_scope.cancel()


@attrs.frozen(kw_only=True)
class LimitedRunner(ItemRunner):
    """Finds that a limit of LSD's own admits no item of this minute."""

    refused_at: list[float] = attrs.field(factory=list)

    async def run(self, claimed: ClaimedItem) -> tuple[BatchItem, Write | None]:
        """The item is to come back in a minute."""
        self.refused_at.append(trio.current_time())
        item, later_ms = claimed.item, self.now_ms() + 60_000
        again = attrs.evolve(
            item, state="pending", attempts=item.attempts - 1, not_before_ms=later_ms
        )
        return again, None


async def test_a_batch_behind_a_limit_is_not_tried_without_a_rest(
    desk: Desk, nursery: trio.Nursery, autojump_clock: trio.abc.Clock
) -> None:
    """A few items learn that there is no room; the others do not try at the same time."""
    assert desk.work is not None
    work = desk.work.runner
    runner = LimitedRunner(
        inferences=work.inferences,
        credentials=work.credentials,
        decider=work.decider,
        now_ms=work.now_ms,
    )
    desk.work = QueueWork(runner=runner, running_max=4)
    await desk.submit(*[ITEM] * 20)
    nursery.start_soon(desk.run)

    while len(runner.refused_at) < 20:  # noqa: ASYNC110
        await trio.sleep(0.01)

    assert runner.refused_at[-1] - runner.refused_at[0] >= 4 * REST_S
    nursery.cancel_scope.cancel()


async def test_credentials_of_what_was_cancelled_are_forgotten(
    desk: Desk, nursery: trio.Nursery, autojump_clock: trio.abc.Clock
) -> None:
    """Though no run of this process has ended it; those of others are kept."""
    desk.work = None
    secret = {**ITEM, "credentials": {"k": "v"}}
    cancelled, kept = await desk.submit(secret), await desk.submit(secret)
    nursery.start_soon(desk.run)
    await trio.sleep(1)
    await desk.service.cancel(cancelled["batch_id"])

    await trio.sleep(FORGET_EVERY_S)

    assert desk.queue.credentials.batch_ids() == {kept["batch_id"]}
    nursery.cancel_scope.cancel()


async def test_a_result_waits_for_a_store_that_fails(
    desk: Desk,
    nursery: trio.Nursery,
    monkeypatch: pytest.MonkeyPatch,
    log: Log,
    autojump_clock: trio.abc.Clock,
) -> None:
    """The provider is not asked a second time."""
    desk.provider.will(says("Yes"))
    answer = await desk.submit(ITEM)
    commit, failures = type(desk.writer).commit, []

    async def fail_once(writer: object, write: object) -> None:
        if desk.provider.requests and not failures:
            failures.append(1)
            raise StoreFailed("store", "no luck")
        await commit(writer, write)  # type: ignore[arg-type]

    monkeypatch.setattr(type(desk.writer), "commit", fail_once)
    nursery.start_soon(desk.run)
    await ended(desk, answer["batch_id"])

    assert len(desk.provider.requests) == 1
    assert [entry["event"] for entry in log] == ["the result of a batch item waits for the store"]
    nursery.cancel_scope.cancel()


async def test_a_bug_of_the_store_fails_an_item(
    desk: Desk, nursery: trio.Nursery, monkeypatch: pytest.MonkeyPatch, log: Log
) -> None:
    """It would be the same at every further try; others go on, in its place."""
    desk.provider.will(says("Yes"))
    assert desk.work is not None
    desk.work = attrs.evolve(desk.work, running_max=1)
    answer = await desk.submit(ITEM, ITEM)
    finish, met = type(desk.store.batches).finish, []

    def fail_once(batches: Batches, claimed: ClaimedItem, *after: Any) -> Write:
        if met:
            return finish(batches, claimed, *after)
        met.append(claimed.index)
        return Write(apply=lambda _: 1 // 0)

    monkeypatch.setattr(Batches, "finish", fail_once)
    nursery.start_soon(desk.run)
    shown = await desk.settled(answer["batch_id"])

    assert [(each["index"], each["status"]) for each in shown["errors"]] == [(0, 500)]
    assert len(shown["inferences"]) == 1
    assert "the records of a batch item are refused" in [entry["event"] for entry in log]
    nursery.cancel_scope.cancel()


async def test_an_item_whose_records_are_refused_fails(
    desk: Desk, nursery: trio.Nursery, log: Log
) -> None:
    """It ends all the same, and its neighbours go on."""
    desk.provider.will(says("Yes"))
    answer = await desk.submit(ITEM, ITEM)
    taken = Maker().inference(inference_id=answer["inference_ids"][0])
    await desk.writer.commit(desk.store.inferences.record(taken))

    nursery.start_soon(desk.run)
    shown = await desk.settled(answer["batch_id"])

    assert [each["index"] for each in shown["errors"]] == [0]
    assert [entry["event"] for entry in log] == ["the records of a batch item are refused"]
    nursery.cancel_scope.cancel()
