"""The inferences in progress, so that feedback can wait for one that is about to end."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import trio
import trio.testing
from trio.testing import MockClock

from lsd.inference import RunningInferences
from lsd.inference.running import Running


@contextmanager
def one(
    running: RunningInferences, inference_id: str, episode_id: str, *, is_dryrun: bool = False
) -> Iterator[None]:
    """An inference is in progress, by its id and its episode's."""
    running.begin(inference_id, episode_id, is_dryrun=is_dryrun)
    try:
        yield
    finally:
        running.end(inference_id)


def test_an_inference_is_found_while_it_runs() -> None:
    """By its own id and by its episode's, and no longer than it runs."""
    running = RunningInferences()

    with one(running, "i-1", "e-1"):
        by_id = running.find("i-1", "inference")
        by_episode = running.find("e-1", "episode")
        counted = running.count()

    assert isinstance(by_id, Running)
    assert by_id == by_episode
    assert (by_id.inference_id, by_id.is_dryrun) == ("i-1", False)
    assert counted == 1
    assert running.count() == 0
    assert running.find("i-1", "inference") is None
    assert running.find("e-1", "episode") is None


def test_ids_of_one_level_are_not_looked_up_at_the_other() -> None:
    """An episode's id is no inference's."""
    running = RunningInferences()

    with one(running, "i-1", "e-1"):
        assert running.find("e-1", "inference") is None
        assert running.find("i-1", "episode") is None


def test_of_an_episode_the_newest_recorded_inference_is_found() -> None:
    """A dry run leaves no record to wait for, so it is found only if there is nothing else."""
    running = RunningInferences()

    def found() -> str | None:
        inference = running.find("e", "episode")
        assert inference is None or isinstance(inference, Running)
        return inference and inference.inference_id

    with one(running, "dry", "e", is_dryrun=True):
        assert found() == "dry"
        with one(running, "first", "e"):
            assert found() == "first"
            with one(running, "second", "e"):
                assert found() == "second"
            assert found() == "first"
        assert found() == "dry"


def test_an_inference_that_fails_is_over_too() -> None:
    """Nobody waits for what has broken."""
    running = RunningInferences()

    def run() -> None:
        with one(running, "i-1", "e-1"):
            raise ValueError

    with pytest.raises(ValueError, match=r"^$"):
        run()

    assert running.count() == 0


async def test_whoever_waits_hears_of_the_end(nursery: trio.Nursery) -> None:
    """The end is told to all who wait, and to those who come too late as well."""
    running = RunningInferences()
    heard: list[int] = []

    async def wait(number: int) -> None:
        await inference.wait_ended()
        heard.append(number)

    with one(running, "i-1", "e-1"):
        inference = running.find("i-1", "inference")
        assert inference is not None
        nursery.start_soon(wait, 1)
        nursery.start_soon(wait, 2)
        await trio.testing.wait_all_tasks_blocked()
        assert heard == []
    await trio.testing.wait_all_tasks_blocked()

    assert sorted(heard) == [1, 2]
    await inference.wait_ended()


class Desk:
    """What runs in other processes."""

    def __init__(self) -> None:
        self.noted: list[str] = []
        self.cleared: list[int] = []
        self.elsewhere: set[str] = set()

    def note(self, inference_id: str, _episode_id: str) -> int:
        self.noted.append(inference_id)
        return len(self.noted)

    def clear(self, place: int) -> None:
        self.cleared.append(place)

    def is_elsewhere(self, target_id: str, _level: str) -> bool:
        return target_id in self.elsewhere


def test_other_processes_see_what_runs_here() -> None:
    """But for dry runs, which nobody can be about."""
    desk = Desk()
    running = RunningInferences(desk)

    running.begin("dry", "e", is_dryrun=True)
    running.begin("one", "e", is_dryrun=False)
    running.end("dry")
    running.end("one")

    assert (desk.noted, desk.cleared) == (["one"], [1])


async def test_an_inference_of_another_process_can_be_waited_for(
    autojump_clock: MockClock,
) -> None:
    """Until it is seen there no more."""
    desk = Desk()
    desk.elsewhere.add("one")
    found = RunningInferences(desk).find("one", "inference")
    assert found is not None
    assert not found.is_dryrun

    async def end() -> None:
        await trio.sleep(3)
        desk.elsewhere.clear()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(end)
        began = trio.current_time()
        await found.wait_ended()

    assert 3 <= trio.current_time() - began < 3.1
    assert RunningInferences(desk).find("one", "inference") is None
