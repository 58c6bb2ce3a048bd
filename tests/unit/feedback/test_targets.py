"""Whether a target exists, and the waiting for one that is about to."""

from typing import Any

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from lsd.feedback import BadFeedback
from lsd.feedback.targets import Target, Targets
from tests.unit.feedback.desk import Desk, FakeRunning


@pytest.fixture
async def targets(desk: Desk) -> Targets:
    """The targets of the desk."""
    return Targets(
        inferences=desk.store.inferences,
        episodes=desk.store.episodes,
        writer=desk.writer,
        running=desk.running,
    )


def inference(inference_id: str) -> Target:
    """An inference as target."""
    return Target(level="inference", id=inference_id)


def episode(episode_id: str) -> Target:
    """An episode as target."""
    return Target(level="episode", id=episode_id)


async def test_a_stored_inference_and_its_episode_are_targets(desk: Desk, targets: Targets) -> None:
    """An interrupted one, too."""
    whole = await desk.infer()
    interrupted = await desk.infer(status="interrupted")

    for record in (whole, interrupted):
        await targets.require(inference(record.inference_id))
        await targets.require(episode(record.episode_id))


async def test_what_is_queued_exists(desk: Desk, targets: Targets) -> None:
    """An answer may come before its commit; feedback on it waits for the commit."""
    record = desk.new_inference()
    desk.queue(record)

    await targets.require(inference(record.inference_id))

    assert desk.store.inferences.exists(record.inference_id)


# case 9
async def test_an_id_is_a_target_of_its_own_level_only(desk: Desk, targets: Targets) -> None:
    """An inference is not an episode, unless one UUID really is both."""
    record = await desk.infer()
    both = await desk.infer(episode_id=desk.ids.new())
    await desk.infer(inference_id=both.episode_id)

    with pytest.raises(BadFeedback, match=f"episode_id: Episode {record.inference_id} does not"):
        await targets.require(episode(record.inference_id))
    with pytest.raises(BadFeedback, match=f"inference_id: Inference {record.episode_id} does not"):
        await targets.require(inference(record.episode_id))
    await targets.require(episode(both.episode_id))
    await targets.require(inference(both.episode_id))


async def test_an_id_that_lsd_did_not_make_is_unknown(targets: Targets) -> None:
    """Ids of other versions cannot exist."""
    with pytest.raises(BadFeedback, match="does not exist"):
        await targets.require(inference("f47ac10b-58cc-4372-a567-0e02b2c3d479"))


async def test_a_dry_run_in_progress_is_unknown_at_once(desk: Desk, targets: Targets) -> None:
    """It will leave no record, so there is nothing to wait for."""
    inference_id = desk.ids.new()
    dry_run = desk.running.inferences[inference_id] = FakeRunning(is_dryrun=True)

    with pytest.raises(BadFeedback, match="does not exist"):
        await targets.require(inference(inference_id))

    assert not dry_run.is_awaited.is_set()


@pytest.mark.parametrize("level", ["inference", "episode"])
async def test_a_running_inference_is_waited_for(
    desk: Desk, targets: Targets, nursery: trio.Nursery, level: str
) -> None:
    """Who has seen the first chunk of a stream can already send feedback."""
    record = desk.new_inference()
    stream = FakeRunning()
    desk.running.inferences[record.inference_id] = stream
    desk.running.episodes[record.episode_id] = stream
    target = inference(record.inference_id) if level == "inference" else episode(record.episode_id)
    is_known = trio.Event()

    async def send_feedback() -> None:
        await targets.require(target)
        is_known.set()

    nursery.start_soon(send_feedback)
    await stream.is_awaited.wait()
    assert not is_known.is_set()
    desk.queue(record)
    stream.ended.set()
    await is_known.wait()


async def test_an_inference_may_end_while_the_store_is_asked(desk: Desk) -> None:
    """Its record may be queued behind what is waited for then, and is found all the same."""
    record = desk.new_inference()
    stream = desk.running.inferences[record.inference_id] = FakeRunning()

    class SlowWriter:
        async def settle(self) -> None:
            if stream.ended.is_set():
                await desk.writer.commit(desk.store.inferences.record(record))
            stream.ended.set()

    writer: Any = SlowWriter()
    targets = Targets(
        inferences=desk.store.inferences,
        episodes=desk.store.episodes,
        writer=writer,
        running=desk.running,
    )
    await targets.require(inference(record.inference_id))


async def test_an_inference_that_fails_while_waited_for_is_unknown(
    desk: Desk, targets: Targets, nursery: trio.Nursery
) -> None:
    """A failed inference leaves no record."""
    inference_id = desk.ids.new()
    stream = desk.running.inferences[inference_id] = FakeRunning()

    async def fail() -> None:
        await stream.is_awaited.wait()
        stream.ended.set()

    nursery.start_soon(fail)
    with pytest.raises(BadFeedback, match=f"Inference {inference_id} does not exist"):
        await targets.require(inference(inference_id))


async def test_an_episode_waits_for_the_next_inference_when_one_fails(
    desk: Desk, targets: Targets, nursery: trio.Nursery
) -> None:
    """Any of its inferences makes an episode known."""
    record = desk.new_inference()
    first, second = FakeRunning(), FakeRunning()
    desk.running.episodes[record.episode_id] = first

    async def run() -> None:
        await first.is_awaited.wait()
        desk.running.episodes[record.episode_id] = second
        first.ended.set()
        await second.is_awaited.wait()
        desk.queue(record)
        second.ended.set()

    nursery.start_soon(run)
    await targets.require(episode(record.episode_id))


async def test_a_known_episode_waits_for_nothing(desk: Desk, targets: Targets) -> None:
    """It exists, whatever else is running in it."""
    record = await desk.infer()
    desk.running.episodes[record.episode_id] = stream = FakeRunning()

    await targets.require(episode(record.episode_id))

    assert not stream.is_awaited.is_set()


async def test_waiting_has_an_end(
    desk: Desk, targets: Targets, nursery: trio.Nursery, mock_clock: MockClock
) -> None:
    """After six seconds the sender is told that the inference has not finished, and not before."""
    inference_id = desk.ids.new()
    stream = desk.running.inferences[inference_id] = FakeRunning()
    told: list[str] = []
    sentence = (
        f"inference_id: Inference {inference_id} has not finished after 6 s; "
        "wanted one that has ended, so send the feedback again later"
    )

    async def send_feedback() -> None:
        with pytest.raises(BadFeedback) as caught:
            await targets.require(inference(inference_id))
        told.append(str(caught.value))

    nursery.start_soon(send_feedback)
    await stream.is_awaited.wait()
    mock_clock.jump(5.9)
    await wait_all_tasks_blocked()
    assert told == []
    mock_clock.jump(0.2)
    await wait_all_tasks_blocked()
    assert told == [sentence]


async def test_an_episode_is_looked_up_again_when_the_time_is_over(
    desk: Desk, targets: Targets, nursery: trio.Nursery, mock_clock: MockClock
) -> None:
    """While one of its inferences runs on, another may have made it known."""
    record = desk.new_inference()
    endless = desk.running.episodes[record.episode_id] = FakeRunning()
    is_known = trio.Event()

    async def send_feedback() -> None:
        await targets.require(episode(record.episode_id))
        is_known.set()

    nursery.start_soon(send_feedback)
    await endless.is_awaited.wait()
    await desk.writer.commit(desk.store.inferences.record(record))
    mock_clock.jump(6.1)
    await is_known.wait()
