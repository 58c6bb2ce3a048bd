"""A streamed answer that has started: its stream, and what it will be part of."""

from collections.abc import Callable
from typing import Protocol

import attrs

from lsd.conversation import StreamEvent
from lsd.inference.answers import Answer
from lsd.inference.journal import ModelCall
from lsd.inference.limits import ScopeLimits


class AnswerStream(Protocol):
    """A stream on its way to the caller. Whoever holds it reads it to its end or closes it."""

    @property
    def has_content(self) -> bool:
        """Whether anything of the answer had arrived when `note` was called."""

    @property
    def is_ready(self) -> bool:
        """Whether `receive` need not wait."""

    def bound(self, limits: ScopeLimits, started_at: float) -> None:
        """From now on the limits of this scope count, too; `started_at` is by trio's clock."""

    async def receive(self) -> list[StreamEvent]:
        """What comes next, all that arrived together; empty when the stream is over."""

    def give_up(self) -> None:
        """Nobody reads on after the fault that was just told: it ends the call."""

    async def settle(self) -> None:
        """The stream was read to its end."""

    def note(self) -> None:
        """Brings the journal up to date with what had arrived."""

    async def aclose(self) -> None:
        """Lets go of the connection."""


@attrs.frozen(kw_only=True)
class StartedAnswer:
    """What a variant has begun to give.

    `call` is the one whose chunks are passed on, None when a whole answer is given as a stream;
    `preceding` are the others that were made for it, in the order in which raw bodies are shown.
    `answer` tells what has arrived so far. `calls_as_text`: the arguments of the one tool call are
    the text of the answer.
    """

    variant_name: str
    stream: AnswerStream
    call: ModelCall | None
    preceding: tuple[ModelCall, ...]
    calls_as_text: bool
    answer: Callable[[], Answer]
