"""Batches as callers see them: taken whole or not at all, asked for, cancelled."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import attrs
import trio

from lsd.batches.local_queue import LocalQueue
from lsd.batches.native_jobs import NativeJobs
from lsd.batches.native_start import NativeLine, is_native, native_line, start_jobs
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
    InferenceService,
    assignment_of,
    drawn_variant,
    structure_inference_request,
)
from lsd.store import BatchItem, BatchPart, BatchRecord, NewItem, Store, Write, Writer

CHECKING_S_MAX = 0.002
"""So long items are checked without a pause; then it is the turn of other requests."""


@attrs.define(eq=False, kw_only=True)
class BatchService:
    """Takes batches for the queue, and tells of them."""

    inferences: InferenceService
    store: Store
    writer: Writer
    queue: LocalQueue
    jobs: NativeJobs | None
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
        batch = BatchRecord(
            batch_id=batch_id,
            created_ms=self.inferences.clock.now_ms(),
            shape=submission.shape,
            api_key_public_id=api_key_public_id,
            snapshot_hash=self.inferences.prepared.loaded.hash,
        )
        parts: Sequence[BatchPart] = ()
        if checking.lines:
            items, parts = await self._start_jobs(batch_id, items, checking.lines)
        try:
            await self.writer.commit(
                self.store.batches.submit(batch, items, parts, checking.assignments)
            )
        except LsdError:
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
        if self.jobs is not None and self.get(batch_id).is_under_way:
            await self.jobs.refresh(batch_id)

    async def cancel(self, batch_id: str) -> BatchRecord:
        """Cancels what is pending; the batch afterwards. Raises UnknownBatch."""
        self.get(batch_id)
        await self.writer.commit(self.store.batches.cancel(batch_id))
        if self.jobs is not None:
            await self.jobs.cancel(batch_id)
        return self.get(batch_id)

    async def _start_jobs(
        self, batch_id: str, items: list[NewItem], lines: Mapping[int, NativeLine]
    ) -> tuple[list[NewItem], list[BatchPart]]:
        """The items and the parts that some are of. Raises NativeStartsFailed."""
        assert self.jobs is not None, "lines are for jobs"
        now_ms = self.inferences.clock.now_ms()
        started = await start_jobs(self.jobs.calls, batch_id, items, lines, now_ms)
        for number, secrets in enumerate(started.credentials):
            if secrets:
                self.jobs.credentials[batch_id, number] = secrets
        return started.items, started.parts

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
    _drawn: str | None = attrs.field(default=None, init=False)

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
        if self._service.jobs is None or not any(
            is_native(prepared, each) for each in variants.values()
        ):
            return item
        variant = accepted.pinned or (item.drawn_variant and variants[item.drawn_variant])
        if not variant:
            variant = await drawn_variant(accepted, item.episode_id, inferences.experiments)
        line = variant and native_line(inferences, item, accepted, variant)
        if not variant or not line:
            return item
        self.lines[index] = line
        return item if accepted.pinned else attrs.evolve(item, drawn_variant=variant.name)

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
