"""The inferences in progress, so that feedback can wait for one that is about to end."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

import attrs
import trio


@attrs.define(eq=False, kw_only=True)
class Running:
    """One inference in progress."""

    inference_id: str
    episode_id: str
    is_dryrun: bool
    _ended: trio.Event = attrs.field(factory=trio.Event, init=False)

    async def wait_ended(self) -> None:
        """Returns when the inference has its record, or will never have one."""
        await self._ended.wait()


@attrs.define(eq=False)
class RunningInferences:
    """All inferences in progress in this process."""

    _by_inference: dict[str, Running] = attrs.field(factory=dict, init=False)
    _by_episode: dict[str, dict[str, Running]] = attrs.field(factory=dict, init=False)

    @contextmanager
    def during(self, inference_id: str, episode_id: str, *, is_dryrun: bool) -> Iterator[None]:
        """The inference is in progress inside of this."""
        running = Running(inference_id=inference_id, episode_id=episode_id, is_dryrun=is_dryrun)
        self._by_inference[inference_id] = running
        self._by_episode.setdefault(episode_id, {})[inference_id] = running
        try:
            yield
        finally:
            del self._by_inference[inference_id]
            of_episode = self._by_episode[episode_id]
            del of_episode[inference_id]
            if not of_episode:
                del self._by_episode[episode_id]
            running._ended.set()  # noqa: SLF001 (its only owner)

    def find(self, target_id: str, level: Literal["inference", "episode"]) -> Running | None:
        """The inference with this id, or the newest one of the episode; None if there is none."""
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
