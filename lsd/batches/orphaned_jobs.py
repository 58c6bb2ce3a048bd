"""Jobs that providers run for nobody: a process died, or lost sight of them, while it began them.

The batch of such a job was never promised. The provider is asked for its jobs, and the one that
names the batch is ended.
"""

from functools import partial

import attrs

from lsd.batches.item_run import log_bug
from lsd.batches.native_calls import NativeCalls
from lsd.conversation import AttemptFailed, LsdError
from lsd.inference import Prepared, PreparedProvider
from lsd.providers import WINDOW_MS, BatchAPI, FoundJobs
from lsd.store import BatchStart, Store, Writer
from lsd.telemetry import Clock, logger

log = logger(__name__)

SEARCHED_MS_MIN = 60_000
"""A job may be listed a moment after it was asked for, when nobody waits for it any more."""

PAGES_MAX = 20
"""Of a provider's list, the latest jobs first: two thousand of them."""


@attrs.frozen(kw_only=True)
class OrphanedJobs:
    """Ends them, under one configuration."""

    prepared: Prepared
    calls: NativeCalls
    store: Store
    writer: Writer
    clock: Clock

    async def end_all(self) -> None:
        """Ends those that can be found. Raises nothing: what fails is tried again the next time."""
        for batch_id, start in self.store.batch_starts.left():
            try:
                await self._search(batch_id, start)
            except LsdError as error:
                log.warning("jobs not searched for", batch_id=batch_id, reason=str(error))
            except Exception as error:  # noqa: BLE001 (met by one, it must not end the daemon)
                log_bug("a search for jobs met a bug", error, batch_id=batch_id)

    async def _search(self, batch_id: str, start: BatchStart) -> None:
        """Searches for the jobs of one batch, for the last time when it is old enough."""
        failures = [
            failure
            for provider, api in self._asked(start)
            if (failure := await self._end_jobs(batch_id, provider, api)) is not None
        ]
        for failure in failures:
            log.warning("jobs not searched for", batch_id=batch_id, reason=failure)
        age_ms = self.clock.now_ms() - start.created_ms
        if age_ms >= (WINDOW_MS if failures else SEARCHED_MS_MIN):
            await self.writer.commit(self.store.batch_starts.end(batch_id))

    def _asked(self, start: BatchStart) -> list[tuple[PreparedProvider, BatchAPI]]:
        """The providers that may run jobs for a batch; models may have gone meanwhile."""
        models = [self.prepared.model(name) for name in start.models]
        providers = [each for model in models if model is not None for each in model.providers]
        return [
            (provider, provider.batches) for provider in providers if provider.batches is not None
        ]

    async def _end_jobs(
        self, batch_id: str, provider: PreparedProvider, api: BatchAPI
    ) -> str | None:
        """Ends the jobs of a batch that a provider runs; why that was not possible."""
        known = {part.job_id for part in self.store.batches.parts(batch_id)}
        try:
            found = await self._jobs_of(batch_id, provider, api)
        except AttemptFailed as failure:
            return f'provider "{provider.name}": {failure}'
        for job_id in found:
            if job_id in known:
                continue
            if not await self.calls.give_up(api, provider, job_id, {}):
                return f'provider "{provider.name}": job {job_id} not cancelled'
            log.info("job of a batch that was never promised cancelled", job_id=job_id)
        return None

    async def _jobs_of(self, batch_id: str, provider: PreparedProvider, api: BatchAPI) -> list[str]:
        """The jobs under way for a batch. Raises AttemptFailed."""
        ids: list[str] = []
        after: str | None = None
        for _ in range(PAGES_MAX):
            page = await self._page(batch_id, provider, api, after)
            ids += page.ids
            after = page.after
            if after is None:
                break
        return ids

    async def _page(
        self, batch_id: str, provider: PreparedProvider, api: BatchAPI, after: str | None
    ) -> FoundJobs:
        return await self.calls.ask(
            provider,
            {},
            partial(api.search, batch_id, after),
            partial(api.found, batch_id),
        )
