"""The metrics of several processes as one: each publishes its own, and any can show the sums."""

import attrs
import trio

from lsd.conversation import LsdError, encode_json, reread_json
from lsd.store import PublishedMetrics, WorkerTable
from lsd.telemetry import Metrics, MetricsSnapshot, StoreCounts, logger

log = logger(__name__)

PUBLISH_EVERY_S = 0.5
"""A scrape of another worker sees counts that are no older, or twice as old on a slow disk."""

LAST_WORDS_S = 2.0


@attrs.define(eq=False)
class MetricsExchange:
    """Publishes what this process counts, and reads what the others have published."""

    _metrics: Metrics
    _published: PublishedMetrics
    _table: WorkerTable
    _last: bytes = attrs.field(default=b"", init=False)
    _is_silent: bool = attrs.field(default=False, init=False)

    def begin(self) -> None:
        """Goes on from what the process before this one has counted, if one has died."""
        row = self._published.own()
        if row is not None:
            self._metrics.take_in(_read(row, is_alive=False))
        self._metrics.watch_workers(self._table.living, self._others)

    def fall_silent(self) -> None:
        """Publishes no more: without the main process, another server may count here by now."""
        self._is_silent = True

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Publishes what has changed, until cancelled, and then once more."""
        task_status.started()
        try:
            while True:
                await trio.sleep(PUBLISH_EVERY_S)
                await self._publish()
        finally:
            with trio.move_on_after(LAST_WORDS_S, shield=True):
                await self._publish()

    async def _publish(self) -> None:
        row = encode_json(attrs.asdict(self._metrics.snapshot(), recurse=True))
        if self._is_silent or row == self._last:
            return
        try:
            await trio.to_thread.run_sync(self._published.put, row)
        except LsdError as error:
            log.warning("metrics not published", reason=str(error))
        else:
            self._last = row

    def _others(self) -> list[MetricsSnapshot]:
        return [
            _read(row, is_alive=self._table.is_living(shard))
            for shard, row in self._published.others().items()
        ]


def _read(row: bytes, *, is_alive: bool) -> MetricsSnapshot:
    """What was counted; nothing waits in a process that has died."""
    found = reread_json(row)
    store = StoreCounts(**found["store"])
    if not is_alive:
        store = attrs.evolve(store, rows_waiting=0)
    return MetricsSnapshot(series=found["series"], store=store)
