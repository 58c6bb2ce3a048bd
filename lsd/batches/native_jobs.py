"""Jobs that providers run: asked how they stand, and ended early if somebody wants that."""

from collections.abc import Mapping

import attrs
import trio

from lsd.batches.item_run import log_bug
from lsd.batches.native_calls import NativeCalls
from lsd.batches.native_results import NativeResults
from lsd.batches.native_submission import NativeSubmission
from lsd.batches.orphaned_jobs import OrphanedJobs
from lsd.batches.refusals import CredentialsLost, NotConfiguredAnyMore
from lsd.batches.told_jobs import JobHolder, ToldJob, told_job
from lsd.conversation import AttemptFailed, LsdError
from lsd.inference import Prepared
from lsd.providers import WINDOW_MS
from lsd.store import BatchPart, BatchRecord, Store, Write, Writer
from lsd.telemetry import logger

log = logger(__name__)

POLLED_EVERY_S_MIN = 1.0
"""However often a batch is asked for, its jobs are not asked more often."""


@attrs.define(eq=False)
class _Polled:
    """One job as this process asks for it: one question at a time."""

    turn: trio.Lock = attrs.field(factory=trio.Lock)
    at: float = -POLLED_EVERY_S_MIN


@attrs.define(eq=False, kw_only=True)
class NativeJobs:
    """The jobs of all batches, under one configuration."""

    prepared: Prepared
    calls: NativeCalls
    results: NativeResults
    store: Store
    writer: Writer
    credentials: dict[tuple[str, int], Mapping[str, str]]
    """What callers brought along for a part, as long as the process lives. Nobody else asks for
    that part meanwhile."""
    _polled: dict[tuple[str, int], _Polled] = attrs.field(factory=dict, init=False)

    async def refresh(self, batch_id: str) -> None:
        """Asks for all jobs of a batch that are under way, and collects what is there.

        Raises nothing: what fails is tried again the next time.
        """
        for number, part in enumerate(self.store.batches.parts(batch_id)):
            if part.is_over:
                self._polled.pop((batch_id, number), None)
            if part.is_over or self._is_held_elsewhere(part):
                continue
            polled = self._polled.setdefault((batch_id, number), _Polled())
            async with polled.turn:
                if trio.current_time() - polled.at >= POLLED_EVERY_S_MIN:
                    await self._try_to_poll(batch_id, number)
                    polled.at = trio.current_time()

    async def refresh_all(self) -> None:
        """The same for all batches. Scans."""
        for batch_id in await trio.to_thread.run_sync(self.store.batches.with_native_parts):
            await self.refresh(batch_id)

    async def refresh_held(self) -> None:
        """The same for the batches of which only this process can ask for a part."""
        for batch_id in {batch_id for batch_id, _ in self.credentials}:
            await self.refresh(batch_id)

    async def cancel(self, batch_id: str) -> None:
        """Has the providers end what they can; what they still deliver is collected later.

        One that could not be told is told when it is asked the next time.
        """
        for number in range(len(self.store.batches.parts(batch_id))):
            async with self._polled.setdefault((batch_id, number), _Polled()).turn:
                part = self.store.batches.parts(batch_id)[number]
                is_mine = not (part.is_over or self._is_held_elsewhere(part))
                found = self._find(part) if is_mine else None
                if found is not None:
                    ended = await self._given_up(batch_id, number, part, found)
                    await self._note(batch_id, number, ended)

    async def _given_up(
        self, batch_id: str, number: int, part: BatchPart, found: JobHolder
    ) -> BatchPart:
        """The part after its provider was told to end it, if that was heard."""
        secrets = self.credentials.get((batch_id, number), {})
        is_heard = await self.calls.give_up(found.api, found.provider, part.job_id, secrets)
        return attrs.evolve(part, is_given_up=is_heard)

    async def _try_to_poll(self, batch_id: str, number: int) -> None:
        try:
            if await self._has_turn(batch_id, number):
                await self._poll(batch_id, number)
        except LsdError as error:  # the store is full; whoever asks is told what it holds
            log.warning("batch not refreshed", batch_id=batch_id, reason=str(error))
        except Exception as error:  # noqa: BLE001 (met by one job, it must not end the daemon)
            log_bug("a batch met a bug", error, batch_id=batch_id)

    async def _has_turn(self, batch_id: str, number: int) -> bool:
        """Whether no other process has just asked; what that was told stands in the store."""
        turn = self.store.batches.ask_turn(
            batch_id,
            number,
            now_ms=self.results.inferences.clock.now_ms(),
            every_ms=round(POLLED_EVERY_S_MIN * 1000),
        )
        await self.writer.commit(Write(apply=turn.apply))
        return turn.is_mine

    async def _poll(self, batch_id: str, number: int) -> None:
        batch = self.store.batches.get(batch_id)
        assert batch is not None, "its part is there"
        part = self.store.batches.parts(batch_id)[number]
        if part.is_over:
            return
        found = self._find(part)
        if found is None:
            kind = f"model {part.model_name!r}: provider"
            gone = NotConfiguredAnyMore(kind, part.provider_name)
            await self._wait_in_vain(batch, number, part, gone)
            return
        try:
            secrets = self.credentials.get((batch_id, number), {})
            told = await told_job(self.calls, found, part, secrets)
        except AttemptFailed as failure:
            if failure.kind == "config" and part.lost_credentials:
                await self._wait_in_vain(batch, number, part, CredentialsLost())
            else:
                await self._note(batch_id, number, attrs.evolve(part, poll_error=str(failure)))
        else:
            await self._settle(batch_id, number, told)

    async def _settle(self, batch_id: str, number: int, told: ToldJob) -> None:
        """Collects what a job has left; one that goes on is ended if somebody wants that."""
        batch = self.store.batches.get(batch_id)  # it may have been cancelled meanwhile
        assert batch is not None, "its part is there"
        job, part = told.job, told.part
        known = attrs.evolve(part, poll_error=None, completed=job.completed, failed=job.failed)
        if job.state != "under_way":
            await self.results.collect(batch, number, told)
            known = attrs.evolve(known, is_over=True)
        elif batch.cancel_requested and not part.is_given_up:
            known = await self._given_up(batch_id, number, known, told.holder)
        await self._note(batch_id, number, known)

    async def _wait_in_vain(
        self, batch: BatchRecord, number: int, part: BatchPart, reason: LsdError
    ) -> None:
        """There is nobody to ask for a job, for a reason that the operator may mend.

        Once it must be over its items fail; they are cancelled at once if somebody wants that.
        """
        age_ms = self.results.inferences.clock.now_ms() - batch.created_ms
        if batch.cancel_requested or age_ms >= WINDOW_MS:
            await self.results.abandon(batch, number, reason)
            after = attrs.evolve(part, poll_error=None, is_over=True)
        else:
            text = f"{reason}; wanted it back within a day of the submission, or its items fail"
            after = attrs.evolve(part, poll_error=text)
        await self._note(batch.batch_id, number, after)

    def _is_held_elsewhere(self, part: BatchPart) -> bool:
        return part.holder not in (None, self.store.batches.shard)

    async def _note(self, batch_id: str, number: int, part: BatchPart) -> None:
        if part.is_over:
            self.credentials.pop((batch_id, number), None)
        await self.writer.commit(self.store.batches.note_part(batch_id, number, part))

    def _find(self, part: BatchPart) -> JobHolder | None:
        model = self.prepared.model(part.model_name)
        for provider in () if model is None else model.providers:
            if provider.name == part.provider_name:
                assert model is not None, "the provider is one of its"
                api = provider.begun_batches
                return None if api is None else JobHolder(model, provider, api)
        return None


@attrs.frozen(kw_only=True)
class NativeWork:
    """All that is done with the batch APIs of providers, under one configuration."""

    submission: NativeSubmission
    jobs: NativeJobs
    orphans: OrphanedJobs
