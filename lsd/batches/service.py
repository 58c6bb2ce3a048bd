"""Batches as callers see them: taken whole or not at all, asked for, cancelled."""

from collections.abc import Iterator
from typing import Any

import attrs
import trio

from lsd.batches.checking import Checking
from lsd.batches.local_queue import LocalQueue
from lsd.batches.native_jobs import NativeWork
from lsd.batches.native_submission import Placing
from lsd.batches.refusals import (
    BatchNotStored,
    ItemRefused,
    RecordsAreOff,
    UnknownBatch,
    UnknownItem,
)
from lsd.batches.results import batch_pieces, item_json
from lsd.batches.submission import Submission, secrets_of
from lsd.conversation import LsdError
from lsd.inference import InferenceService
from lsd.store import (
    BatchRecord,
    ItemResult,
    NewItem,
    Store,
    StoreFailed,
    StoreFull,
    WriteFailed,
    Writer,
)

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

        Raises RecordsAreOff, ItemRefused for the first item that `/inference` would refuse,
        NativeStartsFailed, and BatchNotStored. Nothing is stored then.
        """
        if self.inferences.recorder is None:
            raise RecordsAreOff
        batch = BatchRecord(
            batch_id=self.inferences.ids.new(),
            created_ms=self.inferences.clock.now_ms(),
            shape=submission.shape,
            api_key_public_id=api_key_public_id,
            snapshot_hash=self.inferences.prepared.loaded.hash,
        )
        checking = Checking(
            inferences=self.inferences,
            native=self.native,
            shard=self.store.batches.shard,
            draws_once=submission.shape == "columns",
            api_key_public_id=api_key_public_id,
        )
        items = await self._check(batch.batch_id, submission.rows, checking)
        if len(checking.failures) == len(items):
            raise ItemRefused(0, checking.failures[0])
        try:
            await self._store(batch, items, checking)
        except BaseException as error:
            self.queue.credentials.forget_batch(batch.batch_id)
            if isinstance(error, StoreFull | StoreFailed | WriteFailed):
                raise BatchNotStored(str(error)) from error
            raise
        self.inferences.metrics.count_batch(checking.asked)
        self.queue.note_news()
        return {
            "batch_id": batch.batch_id,
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

    async def item(self, batch_id: str, inference_id: str) -> dict[str, Any]:
        """One item as JSON; if a provider runs it, that is asked first.

        Raises UnknownBatch and UnknownItem.
        """
        result = self._item(batch_id, inference_id)
        if result.item.state == "running" and result.item.part is not None:
            await self.refresh(batch_id)
            result = self._item(batch_id, inference_id)
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

    def _item(self, batch_id: str, inference_id: str) -> ItemResult:
        self.get(batch_id)
        result = self.store.batches.item(batch_id, inference_id)
        if result is None:
            raise UnknownItem(batch_id, inference_id)
        return result

    async def _store(self, batch: BatchRecord, items: list[NewItem], checking: Checking) -> None:
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

    async def _check(self, batch_id: str, rows: list[Any], checking: Checking) -> list[NewItem]:
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
            self.queue.credentials.hold(batch_id, inference_id, fields)
        return items
