"""From a checked configuration to a daemon that serves: opened, bound, then one process or many."""

import os
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from socket import socket

import attrs
import trio

from lsd.config import Gateway, Loaded, Sources
from lsd.server.announcement import announce
from lsd.server.daemon import Daemon
from lsd.server.equipment import Equipment
from lsd.server.garbage import spare_the_lasting
from lsd.server.generations import Generations
from lsd.server.kept import Kept, open_kept, open_objects
from lsd.server.listening import listen, shown_address
from lsd.server.metrics_exchange import MetricsExchange
from lsd.server.pid_file import PidFile
from lsd.server.refusals import ReloadRefused, StartRefused
from lsd.server.reloading import Reloading
from lsd.server.stop_signals import Stop, watch_signals
from lsd.server.supervisor import Supervisor
from lsd.store import RunningTable, StoreFailed, StoreFull, WorkerTable
from lsd.telemetry import Clock, LogSettings, Metrics, SystemClock, logger

log = logger(__name__)


def run_daemon(
    loaded: Loaded, *, sources: Sources, logs: LogSettings, pid_file: Path | None = None
) -> int:
    """Serves until a signal ends it; the process's exit code. Raises StartRefused.

    `sources` are read again for a reload; `logs` is how the log was set up.
    """
    clock = SystemClock()
    gateway = loaded.config.gateway
    metrics = Metrics(gateway.metrics.inference_latency_overhead_seconds_buckets)
    kept = open_kept(loaded, clock, metrics)
    start = _Start(
        loaded=loaded, sources=sources, logs=logs, clock=clock, metrics=metrics, kept=kept
    )
    try:
        return start.serve(pid_file)
    finally:
        if kept is not None:
            kept.store.close()


@attrs.frozen(kw_only=True)
class _Start:
    loaded: Loaded
    sources: Sources
    logs: LogSettings
    clock: Clock
    metrics: Metrics
    kept: Kept | None

    def serve(self, pid_file: Path | None) -> int:
        gateway = self.loaded.config.gateway
        workers = worker_count(gateway)
        act = partial(self._serve_alone, self._generations()) if workers == 1 else self._direct
        with listen(gateway.bind_address) as listener:
            shown = None if pid_file is None else PidFile.prepare(pid_file)
            try:
                code = trio.run(act, listener, shown)
            finally:
                if shown is not None:
                    shown.remove()
        log.info("stopped", exit_code=code)
        return code

    def _generations(self) -> Generations:
        equipment = Equipment.of(self.loaded, self.kept, self.clock, self.metrics)
        generations = Generations.first(self.loaded, equipment, self._follow_debug)
        spare_the_lasting()
        return generations

    async def _serve_alone(
        self, generations: Generations, listener: socket, pid_file: PidFile | None
    ) -> int:
        """The one process serves itself."""
        stop = Stop()

        async def put_in_force(loaded: Loaded) -> None:
            await generations.prepare(loaded)
            await self._note(loaded)
            generations.activate()

        reloading = self._reloading(put_in_force)
        daemon = Daemon(
            generations=generations,
            stop=stop,
            tasks=(partial(watch_signals, stop, reloading.ask), reloading.run),
            on_serving=partial(self._show, listener, pid_file, 1),
        )
        return await daemon.run(listener)

    async def _direct(self, listener: socket, pid_file: PidFile | None) -> int:
        """The process serves nothing, and directs others, which do."""
        open_objects(self.loaded.config, has_store=self.kept is not None)
        workers = worker_count(self.loaded.config.gateway)
        supervisor = self._supervisor(listener, workers)
        exchange = self._exchange(supervisor.table)
        refused: str | None = None

        async def put_in_force(loaded: Loaded) -> None:
            await self._note(loaded)
            await supervisor.put_in_force(loaded)
            self._follow_debug(loaded)

        reloading = self._reloading(put_in_force)
        async with trio.open_nursery() as nursery:
            await nursery.start(watch_signals, supervisor.stop, reloading.ask)
            if exchange is not None:
                await nursery.start(exchange.run)
            refused = await supervisor.start()
            if refused is None:
                await nursery.start(reloading.run)
                self._show(listener, pid_file, workers)
                code = await supervisor.run()
            nursery.cancel_scope.cancel()
        if refused is not None:
            raise StartRefused(refused)
        return code

    def _supervisor(self, listener: socket, workers: int) -> Supervisor:
        table, leases = None, None
        if self.kept is not None:
            store = self.kept.store
            table, leases = WorkerTable.create(store.state.path, workers), store.leases(self.clock)
            RunningTable.create(store.state.path, table)
        return Supervisor(
            loaded=self.loaded,
            logs=self.logs,
            workers=workers,
            listener=listener,
            stop=Stop(),
            kept=self.kept,
            table=table,
            leases=leases,
        )

    def _exchange(self, table: WorkerTable | None) -> MetricsExchange | None:
        """For what this process counts: reloads. It shows nothing itself."""
        if self.kept is None or table is None:
            return None
        published = self.kept.store.published_metrics()
        published.clear()
        return MetricsExchange(self.metrics, published, table)

    def _reloading(self, put_in_force: Callable[[Loaded], Awaitable[None]]) -> Reloading:
        return Reloading(
            sources=self.sources,
            active=self.loaded,
            put_in_force=put_in_force,
            on_result=self.metrics.count_reload,
        )

    async def _note(self, loaded: Loaded) -> None:
        """Keeps the configuration, as records will name it. Raises ReloadRefused."""
        if self.kept is None:
            return
        try:
            await trio.to_thread.run_sync(self.kept.note, loaded, self.clock)
        except (StoreFull, StoreFailed) as error:
            raise ReloadRefused(str(error)) from None

    def _follow_debug(self, loaded: Loaded) -> None:
        self.logs.configure(debug=loaded.config.gateway.debug)

    def _show(self, listener: socket, pid_file: PidFile | None, workers: int) -> None:
        if pid_file is not None:
            pid_file.show()
        store = None if self.kept is None else self.kept.store
        announce(self.loaded, store, shown_address(listener), workers)


def worker_count(gateway: Gateway) -> int:
    """How many processes are to serve; `"auto"`: one for each processor that this one may use."""
    if gateway.workers != "auto":
        return gateway.workers
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
