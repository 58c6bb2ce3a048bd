"""A serving process's life: listen, serve, drain, close."""

import socket
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any

import attrs
import trio

from lsd.batches import NativeJobs
from lsd.conversation import AttemptFailed
from lsd.server.equipment import Equipment
from lsd.server.generations import Generations
from lsd.server.http import serve_http
from lsd.server.refusals import StartRefused
from lsd.server.stop_signals import Stop
from lsd.server.sweeper import sweep_forever
from lsd.store import work_alone
from lsd.telemetry import logger

log = logger(__name__)

REPORT_EVERY_S = 5.0
"""While draining, this often the log tells what is still in flight."""

ORPHANS_EVERY_S = 30.0
"""So often it is looked whether somebody has left jobs behind; mostly that is one get."""

POLLING_OFF_S = 60.0
"""Without polling, so often it is looked whether a new configuration wants it."""

LAST_WORDS_S = 2.0
"""After requests were cut off, so long their clients may take to hear of it."""


async def _nothing_to_wait_for() -> None:
    pass


@attrs.define(eq=False, kw_only=True)
class Daemon:
    """One process that serves. The nesting of its nurseries is the order in which it stops.

    `tasks` run from the start, before anything is served, to the end. `wait_may_serve` is awaited
    when all is ready for the first request, `on_serving` called when requests are accepted.
    """

    generations: Generations
    stop: Stop
    tasks: Sequence[Callable[..., Awaitable[Any]]] = ()
    wait_may_serve: Callable[[], Awaitable[None]] = _nothing_to_wait_for
    on_serving: Callable[[], None]
    _stop_listening: trio.Event = attrs.field(factory=trio.Event, init=False)

    @property
    def equipment(self) -> Equipment:
        """What the process has."""
        return self.generations.equipment

    async def run(self, listener: socket.socket) -> int:
        """Serves on `listener`; the exit code. Raises StartRefused."""
        kept, transport = self.equipment.kept, self.equipment.transport
        await self._find_region()
        async with trio.open_nursery() as outermost:
            if kept is not None:
                await outermost.start(kept.writer.run)
                await outermost.start(kept.state_writer.run)
            await outermost.start(transport.run)
            traces = self.equipment.traces
            if traces is not None:
                await outermost.start(traces.run)
            for task in self.tasks:
                await outermost.start(task)
            try:
                await self.wait_may_serve()
                code = await self._serve(listener)
            finally:
                with trio.CancelScope(shield=True):
                    if traces is not None:
                        await traces.close()
                    await transport.aclose()
                    if kept is not None:
                        await kept.writer.close()
                        await kept.state_writer.close()
            outermost.cancel_scope.cancel()
        return code

    async def _find_region(self) -> None:
        try:
            await self.generations.find_region(self.generations.config)
        except AttemptFailed as failure:
            await self.equipment.transport.aclose()
            raise StartRefused(str(failure)) from None

    async def _serve(self, listener: socket.socket) -> int:
        finished = trio.Event()

        async def serving(*, task_status: trio.TaskStatus[None]) -> None:
            await serve_http(
                self.generations.app,
                listener,
                self._stop_listening.wait,
                gateway=self.generations.config.gateway,
                clock=self.equipment.clock,
                tls=self.generations.tls,
                poller=self.equipment.transport.poller,
                task_status=task_status,
            )
            finished.set()

        await self.generations.current.experiments.update()
        async with trio.open_nursery() as nursery:
            await nursery.start(serving)
            nursery.start_soon(self.generations.keep_up)
            nursery.start_soon(self._sweep)
            nursery.start_soon(self._poll_jobs)
            nursery.start_soon(self._refresh_jobs, NativeJobs.refresh_held)
            if (queue := self.equipment.batch_queue) is not None:
                nursery.start_soon(queue.run, lambda: self.generations.current.queue_work)
            self.on_serving()
            await self.stop.wait_asked()
            code = await self._drain(finished, listener)
            nursery.cancel_scope.cancel()
        return code

    async def _sweep(self) -> None:
        """Sweeps the store, in one of the processes that share it."""
        kept, clock = self.equipment.kept, self.equipment.clock
        if kept is None:
            return
        interval_s = float(self.generations.config.storage.sweep_interval_s)
        sweep = partial(sweep_forever, lambda: self.generations.current.swept, clock, interval_s)
        await work_alone(kept.store.leases(clock), "sweep", sweep)

    async def _poll_jobs(self) -> None:
        """Asks providers for the jobs that they run, in one of the processes that share them."""
        kept, clock = self.equipment.kept, self.equipment.clock
        if kept is not None:
            await work_alone(kept.store.leases(clock), "native batches", self._keep_polling)

    async def _keep_polling(self) -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._refresh_jobs, NativeJobs.refresh_all)
            nursery.start_soon(self._end_orphaned_jobs)

    async def _refresh_jobs(self, refresh: Callable[[NativeJobs], Awaitable[None]]) -> None:
        while True:
            table = self.generations.config.gateway.batch_inference
            await trio.sleep(table.poll_interval_s or POLLING_OFF_S)
            native = self.generations.current.native_work
            if table.poll_interval_s and native is not None:
                await refresh(native.jobs)

    async def _end_orphaned_jobs(self) -> None:
        while True:
            native = self.generations.current.native_work
            if native is not None:
                await native.orphans.end_all()
            await trio.sleep(ORPHANS_EVERY_S)

    async def _drain(self, finished: trio.Event, listener: socket.socket) -> int:
        """Lets requests finish, as long as nobody insists and there is time."""
        gateway, in_flight = self.generations.config.gateway, self.equipment.in_flight
        queue = self.equipment.batch_queue
        in_flight.is_draining = True
        if queue is not None:
            queue.stop()
        log.info("draining", in_flight=sum(in_flight.by_route().values()))
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._report)
            nursery.start_soon(_cancel_after, self.stop.wait_insisted, nursery.cancel_scope)
            await trio.sleep(gateway.shutdown_delay_ms / 1000)
            self._refuse_connections(listener)
            with trio.move_on_after(gateway.shutdown_timeout_ms / 1000):
                await finished.wait()
                if queue is not None:
                    await queue.wait_ended()
            nursery.cancel_scope.cancel()
        if finished.is_set():
            return 0
        log.warning("requests are cut off", by_route=in_flight.by_route())
        self._refuse_connections(listener)
        in_flight.cut_off()
        with trio.move_on_after(LAST_WORDS_S):
            await finished.wait()
        return self.stop.forced_exit_code

    def _refuse_connections(self, listener: socket.socket) -> None:
        self._stop_listening.set()
        # The server has closed its handle by now or soon; as long as there is one more, the
        # system goes on to accept connections that nobody will ever serve.
        listener.close()

    async def _report(self) -> None:
        while True:
            await trio.sleep(REPORT_EVERY_S)
            by_route = self.equipment.in_flight.by_route()
            log.info("waiting for requests", total=sum(by_route.values()), by_route=by_route)


async def _cancel_after(wait: Callable[[], Awaitable[None]], scope: trio.CancelScope) -> None:
    await wait()
    scope.cancel()
