"""A stream that was kept in the inference cache, given once more."""

import attrs

from lsd.conversation import ModelChunk, OutputBlock, StreamEvent
from lsd.inference.collector import ContentCollector
from lsd.inference.journal import ModelCall
from lsd.inference.limits import ScopeLimits
from lsd.inference.run import Run


@attrs.define(eq=False)
class ReplayedStream:
    """A stream out of the inference cache: all of it is there at once."""

    entry: ModelCall
    _run: Run
    _chunks: list[ModelChunk]
    _output: tuple[OutputBlock, ...] = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        collector = ContentCollector()
        for chunk in self._chunks:
            collector.add(chunk.content)
        self._output = collector.blocks()

    @property
    def has_content(self) -> bool:
        """Whether there is anything in it."""
        return bool(self._output)

    @property
    def is_ready(self) -> bool:
        """Always: everything is there."""
        return True

    def bound(self, limits: ScopeLimits, started_at: float) -> None:
        """No limit can be reached any more."""

    async def receive(self) -> list[StreamEvent]:
        """Everything, then nothing."""
        events: list[StreamEvent] = [*self._chunks]
        self._chunks = []
        return events

    def give_up(self) -> None:
        """No fault was kept that could make anybody do so."""

    async def settle(self) -> None:
        """The call was whole when it was kept."""
        self.note()
        self._run.end_call(self.entry, "ok")

    def note(self) -> None:
        """Brings the journal's entry up to date."""
        self.entry.answer = attrs.evolve(self.entry.answer, output=self._output)

    async def aclose(self) -> None:
        """There is nothing to let go of."""
