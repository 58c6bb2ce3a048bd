"""The inferences in progress, so that feedback can wait for one that is about to end."""

from typing import Literal

import attrs
import trio

from lsd.store import RunningDesk


@attrs.define(eq=False, kw_only=True)
class Running:
    """One inference in progress."""

    inference_id: str
    episode_id: str
    is_dryrun: bool
    place: int | None = None
    """Where other processes see it."""
    _has_ended: bool = attrs.field(default=False, init=False)
    _ended: trio.Event | None = attrs.field(default=None, init=False)

    async def wait_ended(self) -> None:
        """Returns when the inference has its record, or will never have one."""
        if self._ended is None:
            self._ended = trio.Event()
            if self._has_ended:
                self._ended.set()
        await self._ended.wait()

    def note_ended(self) -> None:
        """For whoever runs it: tells those who wait."""
        self._has_ended = True
        if self._ended is not None:
            self._ended.set()


LOOK_EVERY_S = 0.01
"""While waiting for an inference of another process, which cannot set an event here."""


@attrs.frozen
class RunningElsewhere:
    """An inference in progress in another process; dry runs are not seen from there."""

    _desk: RunningDesk
    _target_id: str
    _level: Literal["inference", "episode"]
    is_dryrun: bool = False

    async def wait_ended(self) -> None:
        """Returns when the inference has its record, or will never have one."""
        while self._desk.is_elsewhere(self._target_id, self._level):  # noqa: ASYNC110 (see above)
            await trio.sleep(LOOK_EVERY_S)


@attrs.define(eq=False)
class RunningInferences:
    """All inferences in progress: of this process, and what `desk` shows of others."""

    _desk: RunningDesk | None = None
    begun: int = attrs.field(default=0, init=False)
    """How many have begun in this process, ever."""
    _by_inference: dict[str, Running] = attrs.field(factory=dict, init=False)
    _by_episode: dict[str, dict[str, Running]] = attrs.field(factory=dict, init=False)

    def begin(self, inference_id: str, episode_id: str, *, is_dryrun: bool) -> Running:
        """The inference is in progress from now on, until `end`."""
        running = Running(inference_id=inference_id, episode_id=episode_id, is_dryrun=is_dryrun)
        if self._desk is not None and not is_dryrun:
            running.place = self._desk.note(inference_id, episode_id)
        self.begun += 1
        self._by_inference[inference_id] = running
        self._by_episode.setdefault(episode_id, {})[inference_id] = running
        return running

    def end(self, running: Running) -> None:
        """It is over; whoever waits for it is told."""
        del self._by_inference[running.inference_id]
        of_episode = self._by_episode[running.episode_id]
        del of_episode[running.inference_id]
        if not of_episode:
            del self._by_episode[running.episode_id]
        if self._desk is not None and running.place is not None:
            self._desk.clear(running.place)
        running.note_ended()

    def find(
        self, target_id: str, level: Literal["inference", "episode"]
    ) -> "Running | RunningElsewhere | None":
        """The inference with this id, or the newest one of the episode; None if there is none."""
        here = self._find_here(target_id, level)
        if here is not None and not here.is_dryrun:
            return here
        if self._desk is not None and self._desk.is_elsewhere(target_id, level):
            return RunningElsewhere(self._desk, target_id, level)
        return here

    def _find_here(self, target_id: str, level: Literal["inference", "episode"]) -> Running | None:
        if level == "inference":
            return self._by_inference.get(target_id)
        of_episode = self._by_episode.get(target_id)
        if not of_episode:
            return None
        recorded = [each for each in of_episode.values() if not each.is_dryrun]
        return recorded[-1] if recorded else next(iter(of_episode.values()))

    def count(self) -> int:
        """How many there are."""
        return len(self._by_inference)
