"""A batch that goes to providers and into the store: both, or neither."""

from collections.abc import Sequence
from itertools import count

import attrs
import trio

from lsd.batches.item_run import ItemRunner
from lsd.batches.native_calls import NativeCalls
from lsd.batches.native_lines import NativeLine, native_line
from lsd.batches.native_start import JobStart
from lsd.batches.refusals import NativeStartsFailed
from lsd.conversation import LsdError
from lsd.inference import (
    Accepted,
    InferenceService,
    PreparedVariant,
    VariantFailed,
    assignment_of,
    drawn_variant,
)
from lsd.store import BatchItem, BatchRecord, NewItem, Store, Write, Writer
from lsd.telemetry import logger

log = logger(__name__)

TAKE_BACK_S_MAX = 15.0
"""So long a submission that fails may take to end what it had begun: less than a stop may take.
What is not done by then is left to the search for jobs that nobody owns."""


@attrs.frozen(kw_only=True)
class Placing:
    """What is to be stored of a batch, and the lines that some of its items are for providers.

    `assignments` keep the variant that all episodes of the batch have. `redraws`: that variant was
    drawn, so that another one may take its place as long as nothing runs.
    """

    items: list[NewItem]
    lines: dict[int, NativeLine]
    assignments: list[Write]
    redraws: bool


@attrs.frozen(kw_only=True)
class NativeSubmission:
    """Starts the jobs of batches, each noted before anybody hears of it."""

    inferences: InferenceService
    runner: ItemRunner
    calls: NativeCalls
    store: Store
    writer: Writer

    async def submit(self, batch: BatchRecord, placing: Placing) -> JobStart:
        """The jobs of a batch, which is stored with them.

        Raises NativeStartsFailed, and what keeps the store from committing; nothing is left then.
        """
        starts, batch_id = self.store.batch_starts, batch.batch_id
        begun: list[JobStart] = []
        try:
            start, assignments = await self._start(batch, placing, begun)
            is_uncertain = any(each.is_uncertain for each in begun)
            settled = starts.leave(batch_id) if is_uncertain else starts.end(batch_id)
            beside = (*assignments, settled)
            await self.writer.commit(
                self.store.batches.submit(batch, start.items, start.parts, beside)
            )
        except BaseException:
            with trio.move_on_after(TAKE_BACK_S_MAX, shield=True):
                await self._take_back(batch_id, begun)
            raise
        return start

    async def _start(
        self, batch: BatchRecord, placing: Placing, begun: list[JobStart]
    ) -> tuple[JobStart, Sequence[Write]]:
        """The start that has succeeded: under one variant after another, if it was drawn."""
        causes: list[str] = []
        models: dict[str, None] = {}
        tried: set[str] = set()
        numbers = count()
        while True:
            models |= {line.model.name: None for line in placing.lines.values()}
            noted = self.store.batch_starts.begin(batch.batch_id, batch.created_ms, tuple(models))
            await self.writer.commit(noted)
            start = JobStart(
                calls=self.calls,
                batch_id=batch.batch_id,
                now_ms=batch.created_ms,
                shard=self.store.batches.shard,
                items=list(placing.items),
                numbers=numbers,
                line_at=lambda new, place: self._line_at(batch, new, place),
            )
            begun.append(start)
            try:
                await start.start(placing.lines)
            except NativeStartsFailed as failure:
                causes.extend(failure.causes)
                await start.give_up()
                tried |= {line.variant.name for line in placing.lines.values()}
                redrawn = await self._redrawn(batch, placing, tried) if placing.redraws else None
                if redrawn is None:
                    raise NativeStartsFailed(tuple(causes)) from None
                placing = redrawn
            else:
                return start, placing.assignments

    async def _line_at(self, batch: BatchRecord, new: NewItem, place: int) -> NativeLine | None:
        accepted = self._accepted(batch, new)
        variant = accepted.pinned or accepted.drawn
        assert variant is not None, "what is for a provider has one variant"
        return await native_line(self.inferences, new.item, accepted, variant, place)

    def _accepted(self, batch: BatchRecord, new: NewItem) -> Accepted:
        return self.runner.accepted(new.item, new.request, batch.api_key_public_id)

    async def _redrawn(
        self, batch: BatchRecord, placing: Placing, tried: set[str]
    ) -> Placing | None:
        """The same under another variant than those that were tried; None: there is none."""
        first, experiments = placing.items[0], self.inferences.experiments
        variant = await drawn_variant(
            self._accepted(batch, first), first.item.episode_id, experiments, tried
        )
        if variant is None:
            return None
        again = Placing(items=[], lines={}, assignments=[], redraws=True)
        for index, new in enumerate(placing.items):
            item = attrs.evolve(new.item, drawn_variant=variant.name)
            again.items.append(attrs.evolve(new, item=item))
            accepted = self._accepted(batch, again.items[-1])
            assignment = assignment_of(accepted, item.episode_id, variant.name, experiments)
            if assignment is not None:
                again.assignments.append(assignment)
            if item.state == "pending":
                line = await _maybe_line(self.inferences, item, accepted, variant)
                if line is not None:
                    again.lines[index] = line
            await trio.lowlevel.checkpoint()
        return again

    async def _take_back(self, batch_id: str, begun: Sequence[JobStart]) -> None:
        """What had begun is ended; what may go on unseen is left to be searched for."""
        for start in begun:
            await start.give_up()
        starts = self.store.batch_starts
        is_uncertain = any(start.is_uncertain for start in begun)
        try:
            await self.writer.commit((starts.leave if is_uncertain else starts.end)(batch_id))
        except LsdError as error:
            log.warning("batch not taken back", batch_id=batch_id, reason=str(error))


async def _maybe_line(
    inferences: InferenceService, item: BatchItem, accepted: Accepted, variant: PreparedVariant
) -> NativeLine | None:
    try:
        return await native_line(inferences, item, accepted, variant)
    except VariantFailed:  # it fails in the same way when it runs, and by itself
        return None
