"""An answer on its way to whoever words it: for `/inference` and for each compatible endpoint."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from lsd.conversation import StreamEvent, frozen
from lsd.inference.accept import Accepted
from lsd.inference.answers import Answer
from lsd.inference.journal import ModelCall
from lsd.inference.run import Run

Send = Callable[[bytes], Awaitable[None]]


@frozen
class Reply:
    """The call that makes the answer to a direct call, with all that an endpoint may tell of it.

    `call` is still growing while its stream is read.
    """

    run: Run
    accepted: Accepted
    call: ModelCall


class StreamWriter(Protocol):
    """Writes one streamed answer in the words of its endpoint."""

    @property
    def keep_alive(self) -> bytes:
        """What is sent when there was nothing for a while."""

    @property
    def end_mark(self) -> bytes:
        """What ends a good stream, once its record is safe."""

    @property
    def is_broken_off(self) -> bool:
        """Whether an error was written after which nothing may follow."""

    def opening(self) -> bytes:
        """What stands before the first content."""

    def events(self, events: Sequence[StreamEvent]) -> bytes:
        """What tells of the events that have arrived together; perhaps nothing."""

    def closing(self, answer: Answer) -> bytes:
        """The end of a stream that was read to its end, without the mark."""


OpenWriter = Callable[[Reply], Awaitable[tuple[StreamWriter, Send]]]
"""Called when the answer has begun: sends the head, and gives what words the rest and takes it."""
