"""The inferences in progress, so that feedback can wait for one that is about to end."""

from typing import Literal

import attrs
import trio

from lsd.store import RunningDesk

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


@attrs.frozen
class Running:
    """An inference in progress in this process."""

    _here: "RunningInferences" = attrs.field(repr=False)
    inference_id: str
    is_dryrun: bool

    async def wait_ended(self) -> None:
        """Returns when the inference has its record, or will never have one."""
        await self._here.wait_ended(self.inference_id)


@attrs.define(eq=False)
class RunningInferences:
    """All inferences in progress: of this process, and what `desk` shows of others.

    Each inference enters and leaves, and hardly any is looked for: an episode is found by looking
    through all that run.
    """

    _desk: RunningDesk | None = None
    begun: int = attrs.field(default=0, init=False)
    """How many have begun in this process, ever."""
    _here: dict[str, tuple[str, bool]] = attrs.field(factory=dict, init=False)
    """By inference: its episode, and whether it is a dry run."""
    _places: dict[str, int | None] = attrs.field(factory=dict, init=False)
    """By inference: where other processes see it."""
    _ends: dict[str, trio.Event] = attrs.field(factory=dict, init=False)
    """Of those inferences that somebody waits for."""

    def begin(self, inference_id: str, episode_id: str, *, is_dryrun: bool) -> None:
        """The inference is in progress from now on, until `end`."""
        self.begun += 1
        self._here[inference_id] = episode_id, is_dryrun
        if self._desk is not None and not is_dryrun:
            self._places[inference_id] = self._desk.note(inference_id, episode_id)

    def end(self, inference_id: str) -> None:
        """It is over; whoever waits for it is told."""
        del self._here[inference_id]
        if self._desk is not None:
            place = self._places.pop(inference_id, None)
            if place is not None:
                self._desk.clear(place)
        if self._ends:
            ended = self._ends.pop(inference_id, None)
            if ended is not None:
                ended.set()

    async def wait_ended(self, inference_id: str) -> None:
        """Returns when the inference is not in progress here, or not any more."""
        if inference_id in self._here:
            await self._ends.setdefault(inference_id, trio.Event()).wait()

    def find(
        self, target_id: str, level: Literal["inference", "episode"]
    ) -> Running | RunningElsewhere | None:
        """The inference with this id, or the newest one of the episode; None if there is none."""
        here = self._find_here(target_id, level)
        if here is not None and not here.is_dryrun:
            return here
        if self._desk is not None and self._desk.is_elsewhere(target_id, level):
            return RunningElsewhere(self._desk, target_id, level)
        return here

    def _find_here(self, target_id: str, level: Literal["inference", "episode"]) -> Running | None:
        found = None
        if level == "inference":
            if target_id in self._here:
                _, is_dryrun = self._here[target_id]
                found = Running(self, target_id, is_dryrun)
            return found
        for inference_id, (episode_id, is_dryrun) in self._here.items():
            if episode_id == target_id and (found is None or not is_dryrun):
                found = Running(self, inference_id, is_dryrun)
        return found

    def count(self) -> int:
        """How many there are."""
        return len(self._here)
