"""Jobs that providers run: asked how they stand, and their results collected, each item once."""

from collections.abc import Mapping
from functools import partial

import attrs
import trio

from lsd.batches.item_run import ItemRunner
from lsd.batches.native_calls import NativeCalls
from lsd.batches.native_submission import NativeSubmission
from lsd.batches.orphaned_jobs import OrphanedJobs
from lsd.conversation import AttemptFailed, LsdError
from lsd.inference import (
    CallElsewhere,
    CostTable,
    InferenceFailed,
    InferenceService,
    PreparedModel,
    PreparedProvider,
)
from lsd.providers import BatchAPI, Job, Row
from lsd.store import (
    BatchPart,
    BatchRecord,
    ClaimedItem,
    EndedItem,
    Store,
    Writer,
)
from lsd.telemetry import logger

log = logger(__name__)

POLLED_EVERY_S_MIN = 1.0
"""However often a batch is asked for, its jobs are not asked more often."""

COLLECTED_MAX = 500
"""Items whose results are committed at a time: some ten milliseconds."""

NO_RESULT = "no result returned"


@attrs.define(eq=False)
class _Polled:
    """One job as this process asks for it: one question at a time."""

    turn: trio.Lock = attrs.field(factory=trio.Lock)
    at: float = -POLLED_EVERY_S_MIN


@attrs.frozen
class _Found:
    """Who runs a job."""

    model: PreparedModel
    provider: PreparedProvider
    api: BatchAPI


@attrs.frozen
class _Ended:
    """A job that is over, with its results by inference."""

    part: BatchPart
    found: _Found
    job: Job
    rows: Mapping[str, Row]


@attrs.define(eq=False, kw_only=True)
class NativeJobs:
    """The jobs of all batches, under one configuration."""

    inferences: InferenceService
    runner: ItemRunner
    calls: NativeCalls
    store: Store
    writer: Writer
    credentials: dict[tuple[str, int], Mapping[str, str]]
    """What callers brought along for a part, as long as the process lives."""
    _polled: dict[tuple[str, int], _Polled] = attrs.field(factory=dict, init=False)

    async def refresh(self, batch_id: str) -> None:
        """Asks for all jobs of a batch that are under way, and collects what is there."""
        for number, part in enumerate(self.store.batches.parts(batch_id)):
            if part.is_over:
                continue
            polled = self._polled.setdefault((batch_id, number), _Polled())
            async with polled.turn:
                if trio.current_time() - polled.at < POLLED_EVERY_S_MIN:
                    continue
                await self._poll(batch_id, number)
                polled.at = trio.current_time()

    async def refresh_all(self) -> None:
        """The same for all batches."""
        for batch_id in await trio.to_thread.run_sync(self.store.batches.with_native_parts):
            try:
                await self.refresh(batch_id)
            except LsdError as error:
                log.warning("batch not refreshed", batch_id=batch_id, reason=str(error))

    async def cancel(self, batch_id: str) -> None:
        """Has the providers end what they can; what they still deliver is collected later.

        One that could not be told is told when it is asked the next time.
        """
        for number in range(len(self.store.batches.parts(batch_id))):
            async with self._polled.setdefault((batch_id, number), _Polled()).turn:
                part = self.store.batches.parts(batch_id)[number]
                found = None if part.is_over else self._find(part)
                if found is not None:
                    ended = await self._given_up(batch_id, number, part, found)
                    await self._note(batch_id, number, ended)

    async def _given_up(
        self, batch_id: str, number: int, part: BatchPart, found: _Found
    ) -> BatchPart:
        """The part after its provider was told to end it, if that was heard."""
        secrets = self.credentials.get((batch_id, number), {})
        is_heard = await self.calls.give_up(found.api, found.provider, part.job_id, secrets)
        return attrs.evolve(part, is_given_up=is_heard)

    async def _poll(self, batch_id: str, number: int) -> None:
        batch = self.store.batches.get(batch_id)
        assert batch is not None, "its part is there"
        part = self.store.batches.parts(batch_id)[number]
        found = self._find(part)
        if part.is_over:
            return
        if found is None:
            text = f"model {part.model_name!r}: provider {part.provider_name!r} is gone"
            await self._note(batch_id, number, attrs.evolve(part, poll_error=text))
            return
        dynamic = self.credentials.get((batch_id, number), {})
        try:
            job = await self.calls.ask(
                found.provider,
                dynamic,
                partial(found.api.poll, part.job_id),
                found.api.job,
            )
            rows = await self._rows(found, job, dynamic)
        except AttemptFailed as failure:
            if failure.status != 404:
                await self._note(batch_id, number, attrs.evolve(part, poll_error=str(failure)))
                return
            job, rows = Job(state="failed", reason=str(failure)), {}
        known = attrs.evolve(part, poll_error=None, completed=job.completed, failed=job.failed)
        if job.state != "under_way":
            await self._collect(batch, number, _Ended(part, found, job, rows))
            known = attrs.evolve(known, is_over=True)
            self.credentials.pop((batch_id, number), None)
        elif batch.cancel_requested and not part.is_given_up:
            known = await self._given_up(batch_id, number, known, found)
        await self._note(batch_id, number, known)

    async def _note(self, batch_id: str, number: int, part: BatchPart) -> None:
        await self.writer.commit(self.store.batches.note_part(batch_id, number, part))

    def _find(self, part: BatchPart) -> _Found | None:
        model = self.inferences.prepared.model(part.model_name)
        for provider in () if model is None else model.providers:
            if provider.name == part.provider_name:
                assert model is not None, "the provider is one of its"
                api = provider.batches
                return None if api is None else _Found(model, provider, api)
        return None

    async def _rows(self, found: _Found, job: Job, dynamic: Mapping[str, str]) -> dict[str, Row]:
        """The results of a job that has ended, by inference; of two for one the first counts."""
        rows: dict[str, Row] = {}
        for file_id in () if job.state == "under_way" else job.files:
            content = await self.calls.ask(
                found.provider, dynamic, partial(found.api.content, file_id), found.api.file
            )
            for row in await trio.to_thread.run_sync(list, found.api.rows(content)):
                if row.inference_id in rows:
                    log.warning("second result for one item", inference_id=row.inference_id)
                rows.setdefault(row.inference_id, row)
        return rows

    async def _collect(self, batch: BatchRecord, number: int, job: _Ended) -> None:
        batch_id, total = batch.batch_id, batch.counts.total
        strangers = set(job.rows)
        for start in range(0, total, COLLECTED_MAX):
            stop = min(start + COLLECTED_MAX, total)
            results = await trio.to_thread.run_sync(
                self.store.batches.results, batch_id, start, stop
            )
            requests = await trio.to_thread.run_sync(
                self.store.batches.requests, batch_id, start, stop
            )
            ended = []
            for each in results:
                strangers.discard(each.item.inference_id)
                if each.item.part == number and each.index in requests:
                    claimed = ClaimedItem(
                        batch_id=batch_id,
                        index=each.index,
                        item=each.item,
                        request=requests[each.index],
                        api_key_public_id=batch.api_key_public_id,
                    )
                    ended.append(await self._ended(batch, claimed, job))
                    await trio.lowlevel.checkpoint()
            if ended:
                await self.writer.commit(self.store.batches.end_native(batch_id, ended))
        if strangers:
            log.warning("results of no item", batch_id=batch_id, count=len(strangers))

    async def _ended(self, batch: BatchRecord, claimed: ClaimedItem, job: _Ended) -> EndedItem:
        item, row = claimed.item, job.rows.get(claimed.item.inference_id)
        now_ms = self.inferences.clock.now_ms()
        is_undone = row is None or row.is_cancelled
        if is_undone and batch.cancel_requested and job.job.state != "ended":
            after = attrs.evolve(item, state="cancelled", finished_ms=now_ms)
            return EndedItem(index=claimed.index, after=after)
        try:
            accepted = self.runner.accepted(item, claimed.request, claimed.api_key_public_id)
        except LsdError as error:
            after = self.runner.decider.failed(item, error, now_ms)
            return EndedItem(index=claimed.index, after=after)
        is_pinned = accepted.pinned is not None
        if row is None or row.body is None:
            text = row.error if row is not None and row.error else job.job.reason or NO_RESULT
            return self._failed(claimed, text, is_pinned=is_pinned)
        variant = accepted.pinned or accepted.drawn
        assert variant is not None, "a native item has one variant"
        run = self.inferences.run_elsewhere(item.inference_id, accepted)
        await self.inferences.file_desk.keep_files_of(run)
        call = CallElsewhere(
            run=run,
            accepted=accepted,
            variant=variant,
            model=job.found.model,
            provider=job.found.provider,
            api=job.found.api,
        )
        recorder = self.inferences.recorder
        assert recorder is not None, "without records there are no batches"
        try:
            ended = await call.answered(recorder, row.body, CostTable.of_json(job.part.costs or ()))
        except LsdError as error:
            return self._failed(claimed, str(error), is_pinned=is_pinned)
        after = self.runner.decider.after(item, ended, now_ms)
        return EndedItem(index=claimed.index, after=after, records=ended.records)

    def _failed(self, claimed: ClaimedItem, text: str, *, is_pinned: bool) -> EndedItem:
        failure = InferenceFailed("providers", text, pinned=is_pinned)
        now_ms = self.inferences.clock.now_ms()
        after = self.runner.decider.failed(claimed.item, failure, now_ms)
        return EndedItem(index=claimed.index, after=after)


@attrs.frozen(kw_only=True)
class NativeWork:
    """All that is done with the batch APIs of providers, under one configuration."""

    submission: NativeSubmission
    jobs: NativeJobs
    orphans: OrphanedJobs
