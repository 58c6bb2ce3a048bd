"""A whole answer given as a stream: all of it in one chunk."""

from collections.abc import Iterator, Mapping
from typing import Any

import attrs

from lsd.conversation import (
    ContentChunk,
    ModelChunk,
    StreamEvent,
    TextChunk,
    ThoughtChunk,
    ToolCallChunk,
)
from lsd.inference.answers import Answer
from lsd.inference.limits import ScopeLimits
from lsd.inference.outputs import JsonOutput, Output
from lsd.inference.refusals import VariantFailed
from lsd.inference.started_answer import StartedAnswer


def replay(answer: Answer, now: float) -> StartedAnswer:
    """`answer` as a stream that starts `now`.

    Raises VariantFailed for a block of a provider's own kind, which no chunk can carry.
    """
    given = attrs.evolve(answer, first_chunk_at=now)
    return StartedAnswer(
        variant_name=answer.variant_name,
        stream=_OneChunk(list(_chunks(answer.output))),
        call=None,
        preceding=answer.calls,
        calls_as_text=False,
        answer=lambda: given,
    )


@attrs.define(eq=False)
class _OneChunk:
    """A stream of which everything is there at once."""

    _content: list[ContentChunk]
    _is_given: bool = attrs.field(default=False, init=False)

    @property
    def has_content(self) -> bool:
        return bool(self._content)

    @property
    def is_ready(self) -> bool:
        return True

    def bound(self, limits: ScopeLimits, started_at: float) -> None:
        """No limit can be reached any more."""

    async def receive(self) -> list[StreamEvent]:
        events: list[StreamEvent] = [] if self._is_given else [ModelChunk(content=self._content)]
        self._is_given = True
        return events

    def give_up(self) -> None:
        """There is no fault that could make anybody do so."""

    async def settle(self) -> None:
        """All calls are settled."""

    def note(self) -> None:
        """The journal is up to date."""

    async def aclose(self) -> None:
        """There is nothing to let go of."""


def _chunks(output: Output) -> Iterator[ContentChunk]:
    """Tool calls keep their ids; the other blocks are counted."""
    if isinstance(output, JsonOutput):
        yield TextChunk(id="0", text=output.raw or "")
        return
    place = 0
    for block in output:
        match block["type"]:
            case "tool_call":
                yield ToolCallChunk(
                    id=block["id"],
                    raw_name=block["raw_name"],
                    raw_arguments=block["raw_arguments"],
                )
                continue
            case "text":
                yield TextChunk(id=str(place), text=block["text"])
            case "thought":
                yield from _thought(str(place), block)
            case unknown:
                reason = f"a block of type {unknown!r} cannot be streamed from a whole answer"
                raise VariantFailed("providers", reason)
        place += 1


def _thought(chunk_id: str, block: Mapping[str, Any]) -> Iterator[ThoughtChunk]:
    """A thought, and a chunk for each part of its summary."""
    yield ThoughtChunk(
        id=chunk_id,
        text=block["text"],
        signature=block.get("signature"),
        provider_type=block.get("provider_type"),
        extra_data=block.get("extra_data"),
    )
    for place, part in enumerate(block.get("summary") or ()):
        yield ThoughtChunk(id=chunk_id, summary_id=str(place), summary_text=part["text"])
