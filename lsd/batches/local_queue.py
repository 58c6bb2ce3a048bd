"""The queue of a process: claims items as there is room, runs them, and writes how they ended.

It stands in the store, so nothing here has to survive. Several processes share it: each claims for
itself, and a claim takes no more than there is room for in all of them together.
"""

import math
from collections.abc import Callable

import attrs
import trio

from lsd.batches.held_credentials import HeldCredentials
from lsd.batches.item_run import BUG, ItemRunner
from lsd.batches.outcomes import failed_with
from lsd.conversation import LsdError
from lsd.inference import RunningInferences
from lsd.store import (
    Batches,
    BatchItem,
    ClaimedItem,
    ItemNotHeld,
    Write,
    WriteFailed,
    Writer,
    WriteRefused,
)
from lsd.telemetry import Clock, logger

log = logger(__name__)

LOOK_EVERY_S = 0.5
"""How soon a process learns of items that came by way of another one, or that have room there."""

CALLERS_STAY_S = 0.1
"""So long after somebody was waiting for an answer, the next one is expected."""

POLITE_PAUSE_S = 0.005
"""Before each item that begins while somebody waits for an answer. So items take a tenth of a core
at most, and models that take longer than a moment are kept as busy as without it."""

REST_S = 0.1
"""A batch that met a limit of LSD's own has no item claimed for so long. All its items would only
be refused as well, one write after another; and so it still is there when the limit gives way."""

FORGET_EVERY_S = 60.0
"""So often it is looked whether items have ended in other ways than by a run of this process, which
has credentials for them: they were cancelled, perhaps by way of another process."""

PUT_BACK_S_MAX = 10.0
"""At the end, so long the queue tries to put back what was running: less than a stop may take."""

COMMIT_PAUSE_S = 1.0
COMMIT_PAUSE_S_MAX = 30.0
"""Between two tries to commit when the store fails; each pause doubles the one before."""


@attrs.frozen(kw_only=True)
class QueueWork:
    """How a configuration wants items run; at most `running_max` in all processes together.

    Of one model at most `model_running_max`, if that is not None.
    """

    runner: ItemRunner
    running_max: int
    model_running_max: int | None = None


@attrs.define(eq=False, kw_only=True)
class LocalQueue:
    """Runs the items of local batches, as long as the process lives.

    `credentials` are those of items that only this process can run. `callers` are the inferences
    that somebody waits for: these go first.
    """

    batches: Batches
    writer: Writer
    clock: Clock
    callers: RunningInferences
    credentials: HeldCredentials = attrs.Factory(HeldCredentials)
    _callers_seen: int = attrs.field(default=0, init=False)
    _called_at: float = attrs.field(default=-math.inf, init=False)
    _resting: dict[str, float] = attrs.field(factory=dict, init=False)
    """Until when, by batch."""
    _forgot_at: float = attrs.field(default=-math.inf, init=False)
    _held: int = attrs.field(default=0, init=False)
    _after_batch: bytes = attrs.field(default=b"", init=False)
    _news: trio.Event = attrs.field(factory=trio.Event, init=False)
    _is_stopping: bool = attrs.field(default=False, init=False)
    _ended: trio.Event = attrs.field(factory=trio.Event, init=False)

    async def run(self, work: Callable[[], QueueWork | None]) -> None:
        """Runs items until `stop`, and then those that are running to their end.

        `work` tells what the configuration in force wants; None: no item is begun. When cancelled,
        those that are running are put back as if they had not begun.
        """
        try:
            async with trio.open_nursery() as nursery:
                while not self._is_stopping:
                    await self._look(work(), nursery)
        finally:
            with trio.move_on_after(PUT_BACK_S_MAX, shield=True):
                await self._put_back()
            self._ended.set()

    async def _put_back(self) -> None:
        try:
            await self._commit(self.batches.put_back())
        except WriteFailed as error:  # the next start takes it for a crash
            log.error("batch items not put back", reason=str(error))  # noqa: TRY400 (it tells all)

    def note_news(self) -> None:
        """There is something new in the queue."""
        self._news.set()

    def stop(self) -> None:
        """Nothing is begun any more."""
        self._is_stopping = True
        self._news.set()

    async def wait_ended(self) -> None:
        """Returns when nothing runs any more, and nothing will."""
        await self._ended.wait()

    @property
    def held(self) -> int:
        """How many items this process runs now."""
        return self._held

    async def _look(self, work: QueueWork | None, nursery: trio.Nursery) -> None:
        """Begins what there is room for, or waits for a reason to look again."""
        self._news = trio.Event()
        self._forget_ended()
        pause_s = LOOK_EVERY_S
        if work is not None:
            if self._makes_way():
                await trio.sleep(POLITE_PAUSE_S)
            try:
                claimed, pause_s = await self._claim_due(work, self.clock.now_ms())
            except LsdError as error:
                log.warning("no batch items claimed", reason=str(error))
                claimed, pause_s = [], COMMIT_PAUSE_S
            for item in claimed:
                self._held += 1
                nursery.start_soon(self._run, work.runner, item)
            if claimed:
                return
        with trio.move_on_after(pause_s):
            await self._news.wait()

    def _forget_ended(self) -> None:
        """Forgets the credentials of batches that are over."""
        now = trio.current_time()
        if now - self._forgot_at < FORGET_EVERY_S:
            return
        self._forgot_at = now
        for batch_id in self.credentials.batch_ids():
            batch = self.batches.get(batch_id)
            if batch is not None and not batch.is_under_way:  # None: it is about to be stored
                self.credentials.forget_batch(batch_id)

    def _makes_way(self) -> bool:
        """Whether somebody waits for an answer, or has a moment ago."""
        now = trio.current_time()
        if self.callers.count() or self.callers.begun > self._callers_seen:
            self._callers_seen, self._called_at = self.callers.begun, now
        return now - self._called_at < CALLERS_STAY_S

    async def _claim_due(self, work: QueueWork, now_ms: int) -> tuple[list[ClaimedItem], float]:
        """What is to be begun, and if that is nothing, when to look again."""
        if self._held >= work.running_max:
            return [], LOOK_EVERY_S
        if self.batches.is_something_due(now_ms):
            self._wake_rested()
            return await self._claim(work, now_ms), REST_S if self._resting else LOOK_EVERY_S
        next_ms = self.batches.next_time_ms()
        if next_ms is None:
            return [], LOOK_EVERY_S
        return [], min(LOOK_EVERY_S, (next_ms - now_ms) / 1000)

    async def _claim(self, work: QueueWork, now_ms: int) -> list[ClaimedItem]:
        claim = self.batches.claim(
            items_max=1 if self._makes_way() else work.running_max - self._held,
            running_max=work.running_max,
            model_running_max=work.model_running_max,
            now_ms=now_ms,
            after_batch=self._after_batch,
            resting=self._resting,
        )
        await self.writer.commit(Write(apply=claim.apply))
        self._after_batch = claim.after_batch
        return claim.items

    def _wake_rested(self) -> None:
        now = trio.current_time()
        self._resting = {key: until for key, until in self._resting.items() if until > now}

    async def _run(self, runner: ItemRunner, claimed: ClaimedItem) -> None:
        after, records = await runner.run(claimed)
        if after.attempts < claimed.item.attempts:  # a limit of LSD's own has refused it
            self._resting[claimed.batch_id] = trio.current_time() + REST_S
        if not await self._finish(claimed, after, records):
            after = failed_with(after, BUG, self.clock.now_ms())
            await self._finish(claimed, after, None)
        if after.state != "pending":
            self.credentials.forget(claimed.item.inference_id)
        self._held -= 1
        self._news.set()

    async def _finish(self, claimed: ClaimedItem, after: BatchItem, records: Write | None) -> bool:
        """Ends a run; False if it cannot be stored so, however often one tries."""
        try:
            await self._commit(self.batches.finish(claimed, after, records))
        except ItemNotHeld as refusal:
            log.warning("the result of a batch item is thrown away", reason=str(refusal))
        except (WriteRefused, WriteFailed) as refusal:
            log.error(  # noqa: TRY400 (a refusal tells all)
                "the records of a batch item are refused", reason=str(refusal)
            )
            return False
        return True

    async def _commit(self, write: Write) -> None:
        """Commits, however long the store fails: the result is not fetched a second time.

        Raises WriteRefused and WriteFailed, which no second try would change.
        """
        pause_s = COMMIT_PAUSE_S
        while True:
            try:
                await self.writer.commit(write)
            except (WriteRefused, WriteFailed):
                raise
            except LsdError as error:
                log.error(  # noqa: TRY400 (a full disk is no bug; its traceback tells nothing)
                    "the result of a batch item waits for the store", reason=str(error)
                )
                await trio.sleep(pause_s)
                pause_s = min(2 * pause_s, COMMIT_PAUSE_S_MAX)
            else:
                return
