"""What feedback is about: whether it exists, or is about to."""

from typing import Literal, Protocol

import attrs
import trio

from lsd.feedback.refusals import BadFeedback
from lsd.store import Episodes, Inferences, TargetType, Writer

WAIT_S_MAX = 6.0
"""How long feedback waits for an inference that is still running: clients learn the id of a stream
from its first chunk, and most streams end within a few seconds."""


class Running(Protocol):
    """One inference in progress."""

    @property
    def is_dryrun(self) -> bool:
        """Whether it leaves no record."""

    async def wait_ended(self) -> None:
        """Returns when the inference has its record, or will never have one."""


class RunningInferences(Protocol):
    """All inferences in progress."""

    def find(self, target_id: str, level: Literal["inference", "episode"]) -> Running | None:
        """The inference with this id, or one of the episode, if possible one to be recorded."""


@attrs.frozen(kw_only=True)
class Target:
    """An inference or an episode."""

    level: TargetType
    id: str

    @property
    def path(self) -> str:
        """The field of the request that names it."""
        return f"{self.level}_id"

    def __str__(self) -> str:
        return f"{self.level.capitalize()} {self.id}"


@attrs.define(eq=False, kw_only=True)
class Targets:
    """Looks up targets among what is stored and what is running."""

    _inferences: Inferences
    _episodes: Episodes
    _writer: Writer
    _running: RunningInferences

    async def require(self, target: Target) -> None:
        """Returns once the target is in the store.

        Whatever was queued for the store before counts; a running inference is waited for.
        Raises BadFeedback for a target that is not there, or not yet.
        """
        deadline = trio.current_time() + WAIT_S_MAX
        while True:
            # Asked before the store: what ends in between is queued before the barrier.
            running = self._running.find(target.id, target.level)
            await self._writer.settle()
            if self._exists(target):
                return
            if running is None or running.is_dryrun:
                raise unknown_target(target)
            with trio.move_on_at(deadline) as waiting:
                await running.wait_ended()
            if waiting.cancelled_caught:
                break
        await self._writer.settle()
        if not self._exists(target):
            reason = (
                f"{target} has not finished after {WAIT_S_MAX:g} s; "
                "wanted one that has ended, so send the feedback again later"
            )
            raise BadFeedback(target.path, reason)

    def _exists(self, target: Target) -> bool:
        if target.level == "inference":
            return self._inferences.exists(target.id)
        return self._episodes.exists(target.id)


def unknown_target(target: Target) -> BadFeedback:
    """The refusal of a target that the store does not hold."""
    wanted = f"the id of a stored {target.level}"
    return BadFeedback(target.path, f"{target} does not exist; wanted {wanted}")
