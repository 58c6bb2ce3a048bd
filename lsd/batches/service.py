"""Batches as callers see them: taken whole or not at all, asked for, cancelled."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import attrs
import trio

from lsd.batches.local_queue import LocalQueue
from lsd.batches.native_jobs import NativeWork
from lsd.batches.native_lines import NativeLine, is_native, native_line
from lsd.batches.native_submission import Placing
from lsd.batches.refusals import ItemRefused, RecordsAreOff, UnknownBatch, UnknownItem
from lsd.batches.results import batch_pieces, item_json
from lsd.batches.submission import (
    Submission,
    check_fit,
    secrets_of,
    without_secrets,
)
from lsd.conversation import LsdError, encode_json
from lsd.inference import (
    Accepted,
    InferenceFailed,
    InferenceService,
    PreparedVariant,
    VariantFailed,
    assignment_of,
    drawn_variant,
    structure_inference_request,
)
from lsd.store import BatchItem, BatchRecord, NewItem, Store, Write, Writer

CHECKING_S_MAX = 0.002
"""So long items are checked without a pause; then it is the turn of other requests."""


@attrs.define(eq=False, kw_only=True)
class BatchService:
    """Takes batches for the queue, and tells of them."""

    inferences: InferenceService
    store: Store
    writer: Writer
    queue: LocalQueue
    native: NativeWork | None
    """None: nothing is recorded, so nothing is asked for either."""

    async def submit(
        self, submission: Submission, *, api_key_public_id: str | None = None
    ) -> dict[str, Any]:
        """Stores a batch durably; the ids of it and of all its items.

        Raises RecordsAreOff, ItemRefused for the first item that `/inference` would refuse, and
        what kept the store from committing. Nothing is stored then.
        """
        if self.inferences.recorder is None:
            raise RecordsAreOff
        batch_id = self.inferences.ids.new()
        checking = _Checking(self, submission.shape == "columns", api_key_public_id)
        items = await self._check(submission.rows, checking)
        if len(checking.failures) == len(items):
            raise ItemRefused(0, checking.failures[0])
        batch = BatchRecord(
            batch_id=batch_id,
            created_ms=self.inferences.clock.now_ms(),
            shape=submission.shape,
            api_key_public_id=api_key_public_id,
            snapshot_hash=self.inferences.prepared.loaded.hash,
        )
        try:
            await self._store(batch, items, checking)
        except BaseException:
            for new in items:
                self.queue.credentials.forget(new.item.inference_id)
            raise
        self.inferences.metrics.count_batch(checking.asked)
        self.queue.note_news()
        return {
            "batch_id": batch_id,
            "inference_ids": [new.item.inference_id for new in items],
            "episode_ids": [new.item.episode_id for new in items],
        }

    def get(self, batch_id: str) -> BatchRecord:
        """A batch with its counts. Raises UnknownBatch."""
        batch = self.store.batches.get(batch_id)
        if batch is None:
            raise UnknownBatch(batch_id)
        return batch

    def pieces(self, batch: BatchRecord) -> Iterator[bytes]:
        """The JSON text of a batch; each step reads the store: in a thread."""
        return batch_pieces(self.store.batches, batch)

    def item(self, batch_id: str, inference_id: str) -> dict[str, Any]:
        """One item as JSON. Raises UnknownBatch and UnknownItem."""
        self.get(batch_id)
        result = self.store.batches.item(batch_id, inference_id)
        if result is None:
            raise UnknownItem(batch_id, inference_id)
        return item_json(batch_id, result)

    async def refresh(self, batch_id: str) -> None:
        """Asks the providers that run a part of a batch how it stands. Raises UnknownBatch."""
        if self.native is not None and self.get(batch_id).is_under_way:
            await self.native.jobs.refresh(batch_id)

    async def cancel(self, batch_id: str) -> BatchRecord:
        """Cancels what is pending; the batch afterwards. Raises UnknownBatch."""
        self.get(batch_id)
        await self.writer.commit(self.store.batches.cancel(batch_id))
        if self.native is not None:
            await self.native.jobs.cancel(batch_id)
        return self.get(batch_id)

    async def _store(self, batch: BatchRecord, items: list[NewItem], checking: "_Checking") -> None:
        """Commits a batch, and starts the jobs that providers are to run for it."""
        if not checking.lines:
            await self.writer.commit(
                self.store.batches.submit(batch, items, beside=checking.assignments)
            )
            return
        assert self.native is not None, "lines are for jobs"
        placing = Placing(
            items=items,
            lines=checking.lines,
            assignments=checking.assignments,
            redraws=checking.has_drawn_once,
        )
        start = await self.native.submission.submit(batch, placing)
        for number, secrets in enumerate(start.credentials):
            if secrets:
                self.native.jobs.credentials[batch.batch_id, number] = secrets
        for new in start.items:
            if new.item.part is not None:
                self.queue.credentials.forget(new.item.inference_id)

    async def _check(self, rows: list[Any], checking: "_Checking") -> list[NewItem]:
        """The items of a submission, whose rows are used up. Pauses now and then."""
        items: list[NewItem] = []
        secrets: dict[str, dict[str, Any]] = {}
        clock = self.inferences.clock
        pause_at = clock.monotonic() + CHECKING_S_MAX
        for index, row in enumerate(rows):
            try:
                new = await checking.check(index, row)
            except LsdError as refusal:
                raise ItemRefused(index, refusal) from None
            if new.item.holder is not None:
                secrets[new.item.inference_id] = secrets_of(row)
            items.append(new)
            rows[index] = None  # the whole of a large body is not held twice
            if clock.monotonic() >= pause_at:
                await trio.lowlevel.checkpoint()
                pause_at = clock.monotonic() + CHECKING_S_MAX
        for inference_id, fields in secrets.items():
            self.queue.credentials.hold(inference_id, fields)
        return items


@attrs.define(eq=False)
class _Checking:
    """Checks the rows of one submission as `/inference` would."""

    _service: BatchService
    _draws_once: bool
    _api_key_public_id: str | None
    asked: Counter[tuple[str, str | None]] = attrs.field(factory=Counter, init=False)
    """Items by function and model."""
    lines: dict[int, NativeLine] = attrs.field(factory=dict, init=False)
    """Of the items that a provider is to run in a job of its own."""
    assignments: list[Write] = attrs.field(factory=list, init=False)
    """What keeps the variant that all episodes of the batch have."""
    failures: list[InferenceFailed] = attrs.field(factory=list, init=False)
    """Of the items that have failed already."""
    _drawn: str | None = attrs.field(default=None, init=False)

    @property
    def has_drawn_once(self) -> bool:
        """Whether all items have a variant that was drawn for the first."""
        return self._drawn is not None

    async def check(self, index: int, row: Any) -> NewItem:
        """The item of a row. Raises what the row alone would be answered."""
        request = structure_inference_request(row)
        check_fit(request)
        inferences = self._service.inferences
        accepted = inferences.accept(request, self._api_key_public_id)
        episode_id = accepted.episode_id or inferences.ids.new()
        self.asked[accepted.function.name, request.model_name] += 1
        item = BatchItem(
            inference_id=inferences.ids.new(),
            episode_id=episode_id,
            function_name=accepted.function.name,
            function_type=accepted.function.config.type,
            drawn_variant=await self._variant_for_all(accepted, episode_id),
            holder=self._service.store.batches.shard if secrets_of(row) else None,
        )
        item = await self._maybe_native(index, item, accepted)
        return NewItem(item=item, request=encode_json(without_secrets(row)))

    async def _maybe_native(self, index: int, item: BatchItem, accepted: Accepted) -> BatchItem:
        """The item; its variant is fixed if its provider is to run it in a job of its own."""
        inferences = self._service.inferences
        variants = accepted.function.variants
        prepared = inferences.prepared
        if self._service.native is None or not any(
            is_native(prepared, each) for each in variants.values()
        ):
            return item
        variant = accepted.pinned or (item.drawn_variant and variants[item.drawn_variant])
        if not variant:
            variant = await drawn_variant(accepted, item.episode_id, inferences.experiments)
        if not variant:
            return item
        fixed = item if accepted.pinned else attrs.evolve(item, drawn_variant=variant.name)
        try:
            line = await native_line(inferences, item, accepted, variant)
        except VariantFailed as failure:
            return self._failed(fixed, accepted, variant, failure)
        if line is None:
            return item
        self.lines[index] = line
        return fixed

    def _failed(
        self,
        item: BatchItem,
        accepted: Accepted,
        variant: PreparedVariant,
        cause: VariantFailed,
    ) -> BatchItem:
        """An item that no provider can be asked, as if it had run."""
        text = f'variant "{variant.name}": {cause}'
        failure = InferenceFailed(cause.cause, text, pinned=accepted.pinned is not None)
        self.failures.append(failure)
        assert self._service.native is not None, "it was to be a line of a job"
        decider = self._service.native.jobs.runner.decider
        return decider.failed(item, failure, self._service.inferences.clock.now_ms())

    async def _variant_for_all(self, accepted: Accepted, episode_id: str) -> str | None:
        """Of a column-wise submission, the variant that the first item has drawn."""
        if not self._draws_once or accepted.pinned is not None:
            return None
        if self._drawn is None:
            experiments = self._service.inferences.experiments
            variant = await drawn_variant(accepted, episode_id, experiments)
            self._drawn = None if variant is None else variant.name
        if self._drawn is not None:
            experiments = self._service.inferences.experiments
            assignment = assignment_of(accepted, episode_id, self._drawn, experiments)
            if assignment is not None:
                self.assignments.append(assignment)
        return self._drawn
