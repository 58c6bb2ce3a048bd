"""The results of a provider's job: each becomes the end of its item, with its inference, once."""

from collections.abc import Awaitable, Callable, Sequence

import attrs
import trio

from lsd.batches.item_run import BUG, ItemRunner, log_bug
from lsd.batches.outcomes import failed_with
from lsd.batches.told_jobs import NO_RESULT, JobHolder, ToldJob
from lsd.conversation import LsdError
from lsd.inference import (
    CallElsewhere,
    CostTable,
    InferenceFailed,
    InferenceService,
)
from lsd.providers import Row
from lsd.store import (
    BatchRecord,
    ClaimedItem,
    EndedItem,
    Store,
    Write,
    WriteFailed,
    Writer,
    WriteRefused,
)
from lsd.telemetry import logger

log = logger(__name__)

COLLECTED_MAX = 500
"""Items whose results are committed at a time: some ten milliseconds."""


@attrs.frozen(kw_only=True)
class NativeResults:
    """Collects results, under one configuration."""

    inferences: InferenceService
    runner: ItemRunner
    store: Store
    writer: Writer

    async def collect(self, batch: BatchRecord, number: int, job: ToldJob) -> None:
        """Ends all items of a part that have not ended yet, by their results."""
        strangers = set(job.rows)

        async def ended(claimed: ClaimedItem) -> EndedItem:
            return await self._ended(batch, claimed, job)

        await self._end(batch, number, ended, strangers)
        if strangers:
            log.warning("results of no item", batch_id=batch.batch_id, count=len(strangers))

    async def abandon(self, batch: BatchRecord, number: int, reason: LsdError) -> None:
        """Ends the same without results: they fail, or are cancelled if somebody wants that."""

        async def ended(claimed: ClaimedItem) -> EndedItem:
            if batch.cancel_requested:
                return self._cancelled(claimed)
            now_ms = self.inferences.clock.now_ms()
            after = self.runner.decider.failed(claimed.item, reason, now_ms)
            return EndedItem(index=claimed.index, after=after)

        await self._end(batch, number, ended, set())

    async def _end(
        self,
        batch: BatchRecord,
        number: int,
        ended: Callable[[ClaimedItem], Awaitable[EndedItem]],
        strangers: set[str],
    ) -> None:
        """Some at a time; inferences of the batch are taken out of `strangers`."""
        for start in range(0, batch.counts.total, COLLECTED_MAX):
            stop = min(start + COLLECTED_MAX, batch.counts.total)
            items = []
            for claimed in await self._items(batch, number, start, stop, strangers):
                items.append(await ended(claimed))
                await trio.lowlevel.checkpoint()
            if items:
                await self._commit(batch.batch_id, items)

    async def _commit(self, batch_id: str, items: Sequence[EndedItem]) -> None:
        """Ends the items; one whose records are refused fails, and takes no other along."""
        end_native, now_ms = self.store.batches.end_native, self.inferences.clock.now_ms()
        try:
            await self.writer.commit(end_native(batch_id, items, now_ms=now_ms))
        except (WriteRefused, WriteFailed) as refusal:
            if len(items) > 1:
                for each in items:
                    await self._commit(batch_id, [each])
                return
            log.error(  # noqa: TRY400 (a refusal tells all)
                "the records of a batch item are refused", reason=str(refusal)
            )
            (item,) = items
            failed = EndedItem(index=item.index, after=failed_with(item.after, BUG, now_ms))
            await self.writer.commit(end_native(batch_id, [failed], now_ms=now_ms))

    async def _items(
        self, batch: BatchRecord, number: int, start: int, stop: int, strangers: set[str]
    ) -> list[ClaimedItem]:
        """Those of the part that have not ended; whatever is in the batch is no stranger."""
        batches, batch_id = self.store.batches, batch.batch_id
        results = await trio.to_thread.run_sync(batches.results, batch_id, start, stop)
        requests = await trio.to_thread.run_sync(batches.requests, batch_id, start, stop)
        strangers.difference_update(each.item.inference_id for each in results)
        return [
            ClaimedItem(
                batch_id=batch_id,
                index=each.index,
                item=each.item,
                request=requests[each.index],
                api_key_public_id=batch.api_key_public_id,
            )
            for each in results
            if each.item.part == number and each.index in requests
        ]

    async def _ended(self, batch: BatchRecord, claimed: ClaimedItem, job: ToldJob) -> EndedItem:
        """Raises nothing: what is wrong with one result is the failure of one item."""
        item, row = claimed.item, job.rows.get(claimed.item.inference_id)
        is_undone = row is None or row.is_cancelled
        if is_undone and batch.cancel_requested and job.job.state != "ended":
            return self._cancelled(claimed)
        now_ms = self.inferences.clock.now_ms()
        try:
            return await self._judged(claimed, job, row)
        except LsdError as error:
            after = self.runner.decider.failed(item, error, now_ms)
        except Exception as error:  # noqa: BLE001 (a bug met by one item must not stop the others)
            log_bug("a batch item met a bug", error, inference_id=item.inference_id)
            after = failed_with(item, BUG, now_ms)
        return EndedItem(index=claimed.index, after=after)

    def _cancelled(self, claimed: ClaimedItem) -> EndedItem:
        now_ms = self.inferences.clock.now_ms()
        after = attrs.evolve(claimed.item, state="cancelled", finished_ms=now_ms)
        return EndedItem(index=claimed.index, after=after)

    async def _judged(self, claimed: ClaimedItem, job: ToldJob, row: Row | None) -> EndedItem:
        """Raises what keeps the item from being understood, as things are configured."""
        call = await self._call(claimed, job.holder)
        is_pinned = call.accepted.pinned is not None
        recorder = self.inferences.recorder
        assert recorder is not None, "without records there are no batches"
        if row is None:
            return self._failed(claimed, job.job.reason or NO_RESULT, None, is_pinned=is_pinned)
        if row.body is None:
            text = row.error or NO_RESULT
            records = await call.unanswered(recorder, text)
            return self._failed(claimed, text, records, is_pinned=is_pinned)
        try:
            costs = CostTable.of_json(job.part.costs or ())
            ended = await call.answered(recorder, row.body, costs)
        except LsdError as error:
            records = await call.unanswered(recorder, str(error), row.body)
            return self._failed(claimed, str(error), records, is_pinned=is_pinned)
        now_ms = self.inferences.clock.now_ms()
        after = self.runner.decider.after(claimed.item, ended, now_ms)
        return EndedItem(index=claimed.index, after=after, records=ended.records)

    async def _call(self, claimed: ClaimedItem, holder: JobHolder) -> CallElsewhere:
        item = claimed.item
        accepted = self.runner.accepted(item, claimed.request, claimed.api_key_public_id)
        variant = accepted.pinned or accepted.drawn
        assert variant is not None, "a native item has one variant"
        run = self.inferences.run_elsewhere(item.inference_id, accepted)
        await self.inferences.file_desk.keep_files_of(run)
        return CallElsewhere(
            run=run,
            accepted=accepted,
            variant=variant,
            model=holder.model,
            provider=holder.provider,
            api=holder.api,
        )

    def _failed(
        self, claimed: ClaimedItem, text: str, records: Write | None, *, is_pinned: bool
    ) -> EndedItem:
        failure = InferenceFailed("providers", text, pinned=is_pinned)
        now_ms = self.inferences.clock.now_ms()
        after = self.runner.decider.failed(claimed.item, failure, now_ms)
        return EndedItem(index=claimed.index, after=after, records=records)
