"""A daemon's life: open, listen, serve, drain, close."""

import socket
from collections.abc import Awaitable, Callable
from pathlib import Path

import attrs
import trio

from lsd import __version__
from lsd.config import AwsProvider, Loaded, Observability
from lsd.conversation import AttemptFailed
from lsd.network import BadCertificates
from lsd.server.assembly import Assembled, assemble
from lsd.server.garbage import spare_the_lasting
from lsd.server.http import serve_http
from lsd.server.kept import Kept, open_kept, open_objects
from lsd.server.listening import listen, shown_address
from lsd.server.pid_file import PidFile
from lsd.server.refusals import StartRefused
from lsd.server.stop_signals import StopSignals
from lsd.server.sweeper import sweep_forever
from lsd.telemetry import Metrics, SystemClock, logger

log = logger(__name__)

REPORT_EVERY_S = 5.0
"""While draining, this often the log tells what is still in flight."""

LAST_WORDS_S = 2.0
"""After requests were cut off, so long their clients may take to hear of it."""


def run_daemon(loaded: Loaded, *, pid_file: Path | None = None) -> int:
    """Serves until a signal ends it; the process's exit code. Raises StartRefused."""
    clock = SystemClock()
    gateway = loaded.config.gateway
    metrics = Metrics(gateway.metrics.inference_latency_overhead_seconds_buckets)
    kept = open_kept(loaded, clock, metrics)
    try:
        try:
            objects = open_objects(loaded.config, has_store=kept is not None)
            assembled = assemble(loaded, kept, objects, clock, metrics)
        except BadCertificates as error:
            raise StartRefused(str(error)) from None
        with listen(gateway.bind_address) as listener:
            shown = None if pid_file is None else PidFile.prepare(pid_file)
            daemon = Daemon(loaded=loaded, kept=kept, assembled=assembled, pid_file=shown)
            spare_the_lasting()
            return trio.run(daemon.run, listener)
    finally:
        if kept is not None:
            kept.store.close()


@attrs.define(eq=False, kw_only=True)
class Daemon:
    """One process that serves. The nesting of its nurseries is the order in which it stops."""

    loaded: Loaded
    kept: Kept | None
    assembled: Assembled
    pid_file: PidFile | None
    _signals: StopSignals = attrs.field(factory=StopSignals, init=False)
    _stop_listening: trio.Event = attrs.field(factory=trio.Event, init=False)

    async def run(self, listener: socket.socket) -> int:
        """Serves on `listener`; the exit code. Raises StartRefused."""
        await self._find_region()
        async with trio.open_nursery() as outermost:
            if self.kept is not None:
                await outermost.start(self.kept.writer.run)
                await outermost.start(self.kept.state_writer.run)
            await outermost.start(self._signals.watch)
            await outermost.start(self.assembled.transport.run)
            try:
                code = await self._serve(listener)
            finally:
                with trio.CancelScope(shield=True):
                    await self.assembled.transport.aclose()
                    if self.kept is not None:
                        await self.kept.writer.close()
                        await self.kept.state_writer.close()
                if self.pid_file is not None:
                    self.pid_file.remove()
            outermost.cancel_scope.cancel()
        log.info("stopped", exit_code=code)
        return code

    async def _find_region(self) -> None:
        """Finds the region of AWS before anybody is served, if the configuration leaves it open."""
        models = self.loaded.config.models.values()
        providers = [each for model in models for each in model.providers.values()]
        if not any(isinstance(each, AwsProvider) and each.finds_region for each in providers):
            return
        try:
            await self.assembled.aws.region()
        except AttemptFailed as failure:
            await self.assembled.transport.aclose()
            raise StartRefused(str(failure)) from None

    async def _serve(self, listener: socket.socket) -> int:
        finished = trio.Event()

        async def serving(*, task_status: trio.TaskStatus[None]) -> None:
            await serve_http(
                self.assembled.front,
                listener,
                self._stop_listening.wait,
                gateway=self.loaded.config.gateway,
                clock=SystemClock(),
                task_status=task_status,
            )
            finished.set()

        await self.assembled.experiments.update()
        async with trio.open_nursery() as nursery:
            await nursery.start(serving)
            nursery.start_soon(self.assembled.experiments.keep_up_to_date)
            interval_s = float(self.loaded.config.storage.sweep_interval_s)
            for what, swept in self.assembled.swept.items():
                nursery.start_soon(sweep_forever, what, swept, SystemClock(), interval_s)
            self._announce(listener)
            await self._signals.wait_asked()
            code = await self._drain(finished, listener)
            nursery.cancel_scope.cancel()
        return code

    async def _drain(self, finished: trio.Event, listener: socket.socket) -> int:
        """Lets requests finish, as long as nobody insists and there is time."""
        gateway = self.loaded.config.gateway
        self.assembled.operations.is_draining = True
        log.info("draining", in_flight=sum(self.assembled.in_flight.by_route().values()))
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._report)
            nursery.start_soon(_cancel_after, self._signals.wait_insisted, nursery.cancel_scope)
            await trio.sleep(gateway.shutdown_delay_ms / 1000)
            self._refuse_connections(listener)
            with trio.move_on_after(gateway.shutdown_timeout_ms / 1000):
                await finished.wait()
            nursery.cancel_scope.cancel()
        if finished.is_set():
            return 0
        log.warning("requests are cut off", by_route=self.assembled.in_flight.by_route())
        self._refuse_connections(listener)
        self.assembled.in_flight.cut_off()
        with trio.move_on_after(LAST_WORDS_S):
            await finished.wait()
        return self._signals.forced_exit_code

    def _refuse_connections(self, listener: socket.socket) -> None:
        self._stop_listening.set()
        # The server has closed its handle by now or soon; as long as there is one more, the
        # system goes on to accept connections that nobody will ever serve.
        listener.close()

    async def _report(self) -> None:
        while True:
            await trio.sleep(REPORT_EVERY_S)
            by_route = self.assembled.in_flight.by_route()
            log.info("waiting for requests", total=sum(by_route.values()), by_route=by_route)

    def _announce(self, listener: socket.socket) -> None:
        config = self.loaded.config
        if self.pid_file is not None:
            self.pid_file.show()
        log.info(
            "serving",
            address=shown_address(listener),
            version=__version__,
            base_path=config.gateway.base_path,
            config_files=[str(path) for path in self.loaded.files],
            config_hash=self.loaded.hash,
            store=None if self.kept is None else str(self.kept.store.path),
            store_bytes=0 if self.kept is None else sum(self.kept.store.size_bytes().values()),
            writes="off" if self.kept is None else _write_mode(config.gateway.observability),
            auth=config.gateway.auth.enabled,
            rate_limit_rules=len(config.rate_limiting.rules) if config.rate_limiting.enabled else 0,
            workers=1,
        )


async def _cancel_after(wait: Callable[[], Awaitable[None]], scope: trio.CancelScope) -> None:
    await wait()
    scope.cancel()


def _write_mode(observability: Observability) -> str:
    if observability.enabled is False:
        return "off"
    if observability.batch_writes.enabled:
        return "batch"
    return "async" if observability.async_writes else "sync"
