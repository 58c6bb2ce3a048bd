"""The main process of several: it serves nothing, and keeps those alive that do."""

import signal
import socket
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from typing import Final, TypeVar

import attrs
import trio

from lsd.config import Loaded, hand_over
from lsd.conversation import LsdError
from lsd.server.channel import ChannelClosed
from lsd.server.kept import Kept
from lsd.server.recovery import recover_batches
from lsd.server.refusals import ReloadRefused
from lsd.server.stop_signals import Stop
from lsd.server.worker_process import WorkerProcess
from lsd.store import Leases, WorkerTable
from lsd.telemetry import LogSettings, SystemClock, logger

T = TypeVar("T")

log = logger(__name__)

RESTART_DELAYS_S: Final = (0.0, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0)
"""Before a worker is started anew, by how often it has died without living long in between."""

LONG_LIFE_S: Final = 60.0

DEATHS_MAX: Final = 5
DEATHS_WITHIN_S: Final = 60.0
"""So many deaths in so short a time are no accident: another start would not help."""

TOO_MANY_DEATHS_CODE: Final = 3

KILL_AFTER_S: Final = 15.0
"""Beyond all the time that a worker may take to stop: one that has not, hangs."""


@attrs.define(eq=False, kw_only=True)
class Supervisor:
    """Starts the workers, replaces the dead, and passes on what the operator wants.

    `kept`, `table` and `leases` are None without a store.
    """

    loaded: Loaded
    logs: LogSettings
    workers: int
    listener: socket.socket
    stop: Stop
    kept: Kept | None = None
    table: WorkerTable | None = None
    leases: Leases | None = None
    _crew: dict[int, WorkerProcess] = attrs.field(factory=dict, init=False)
    _codes: dict[int, int] = attrs.field(factory=dict, init=False)
    _deaths: deque[float] = attrs.field(factory=deque, init=False)
    _has_given_up: bool = attrs.field(default=False, init=False)
    _has_killed: bool = attrs.field(default=False, init=False)
    _changing: trio.Lock = attrs.field(factory=trio.Lock, init=False)
    """Held while a worker starts or a configuration changes, so that all have the same one."""

    async def start(self) -> str | None:
        """Starts all workers; None when each of them serves, else why none does."""
        refusals: dict[int, str | None] = {}

        async def start_one(number: int) -> None:
            refusals[number] = await self._start(number)

        await _for_each(range(1, self.workers + 1), start_one)
        refused = next((each for each in refusals.values() if each is not None), None)
        if refused is None:
            await _for_each(self._crew.values(), self._let_serve)
        else:
            for worker in self._crew.values():
                worker.kill()
            await _for_each(self._crew.values(), WorkerProcess.wait)
        return refused

    async def run(self) -> int:
        """Keeps them alive until the stop is asked for and done; the exit code."""
        async with trio.open_nursery() as nursery:
            ended = trio.Event()

            async def keep_all() -> None:
                await _for_each(tuple(self._crew), self._keep)
                ended.set()

            nursery.start_soon(keep_all)
            await self.stop.wait_asked()
            nursery.start_soon(self._drain)
            await ended.wait()
            nursery.cancel_scope.cancel()
        return self._exit_code()

    async def put_in_force(self, loaded: Loaded) -> None:
        """Has all workers build a configuration, then all use it. Raises ReloadRefused."""
        async with self._changing:
            refusals: list[str] = []
            handed = hand_over(loaded)

            async def prepare(worker: WorkerProcess) -> None:
                try:
                    refused = await worker.ask("prepare", loaded=handed)
                except ChannelClosed:  # it has died; the next one begins with what is in force
                    return
                if refused is not None:
                    refusals.append(refused)

            async def activate(worker: WorkerProcess) -> None:
                try:
                    await worker.ask("activate")
                except ChannelClosed:
                    return

            await _for_each(self._crew.values(), prepare)
            if refusals:
                raise ReloadRefused(refusals[0])
            self.loaded = loaded
            await _for_each(self._crew.values(), activate)

    async def _start(self, number: int) -> str | None:
        """Starts a worker and waits until it is ready; None, or why it is not."""
        worker = await WorkerProcess.spawn(number, self.listener)
        self._crew[number] = worker
        try:
            return await worker.ask(
                "start",
                number=number,
                loaded=hand_over(self.loaded),
                logs=attrs.asdict(self.logs),
                has_store=self.kept is not None,
            )
        except ChannelClosed:
            return f"worker {number} ended before it was ready; its log tells more"

    async def _let_serve(self, worker: WorkerProcess) -> None:
        try:
            await worker.ask("serve")
        except ChannelClosed:  # it has died, and will be replaced
            return

    async def _keep(self, number: int) -> None:
        """Replaces the worker of this number as often as it dies, until the stop."""
        early_deaths = 0
        while True:
            began = trio.current_time()
            worker = self._crew[number]
            code = await worker.wait()
            await self._bury(number)
            self._codes[number] = code
            if self.stop.is_asked():
                return
            log.error("worker died", worker_number=number, worker_pid=worker.pid, exit_code=code)
            if self._is_one_death_too_many():
                self._give_up()
                return
            lived_s = trio.current_time() - began
            early_deaths = 0 if lived_s > LONG_LIFE_S else early_deaths
            delay_s = RESTART_DELAYS_S[min(early_deaths, len(RESTART_DELAYS_S) - 1)]
            early_deaths += 1
            with trio.move_on_after(delay_s):
                await self.stop.wait_asked()
            if self.stop.is_asked():
                return
            await self._replace(number)

    async def _bury(self, number: int) -> None:
        """Nobody is to wait for a dead worker, or for what it alone did."""
        if self.table is not None:
            self.table.strike_out(number)
        if self.leases is not None:
            try:
                await trio.to_thread.run_sync(self.leases.forget, number)
            except LsdError as error:
                log.warning("leases of a dead worker not ended", reason=str(error))
        if self.kept is not None:
            await self._recover_batches(self.kept, number)

    async def _recover_batches(self, kept: Kept, number: int) -> None:
        crash_limit = self.loaded.config.gateway.batch_inference.crash_limit
        try:
            await trio.to_thread.run_sync(
                recover_batches, kept.store, crash_limit, SystemClock(), number
            )
        except LsdError as error:
            log.error(  # noqa: TRY400 (a full disk is no bug; its traceback tells nothing)
                "batch items of a dead worker wait for the next start", reason=str(error)
            )

    async def _replace(self, number: int) -> None:
        async with self._changing:
            refused = await self._start(number)
            worker = self._crew[number]
            if refused is not None:
                log.error("worker not started", worker_number=number, reason=refused)
                worker.kill()
            elif self.stop.is_asked():
                await worker.tell_to_stop(self.stop.last_signal, insists=False)
            else:
                await self._let_serve(worker)
                log.info("worker replaced", worker_number=number, worker_pid=worker.pid)

    def _is_one_death_too_many(self) -> bool:
        now = trio.current_time()
        self._deaths.append(now)
        while self._deaths[0] < now - DEATHS_WITHIN_S:
            self._deaths.popleft()
        return len(self._deaths) >= DEATHS_MAX

    def _give_up(self) -> None:
        log.error("workers die too often", deaths=len(self._deaths), within_s=DEATHS_WITHIN_S)
        self._has_given_up = True
        self.stop.insist(signal.SIGTERM)

    async def _drain(self) -> None:
        """Has the workers finish, or, when it is insisted on, stop; kills who does neither."""
        gateway = self.loaded.config.gateway
        log.info("draining", workers=self.workers)
        self.listener.close()
        await self._tell_all(insists=False)
        with trio.move_on_after((gateway.shutdown_delay_ms + gateway.shutdown_timeout_ms) / 1000):
            await self.stop.wait_insisted()
        if self.stop.is_insisted():
            await self._tell_all(insists=True)
        await trio.sleep(KILL_AFTER_S)
        self._has_killed = True
        for worker in self._crew.values():
            log.error("worker does not stop", worker_number=worker.number)
            worker.kill()

    async def _tell_all(self, *, insists: bool) -> None:
        async def tell(worker: WorkerProcess) -> None:
            await worker.tell_to_stop(self.stop.last_signal, insists=insists)

        await _for_each(self._crew.values(), tell)

    def _exit_code(self) -> int:
        codes = set(self._codes.values())
        if self._has_given_up:
            return TOO_MANY_DEATHS_CODE
        if codes <= {0}:
            return 0
        forced = self.stop.forced_exit_code
        is_forced = self.stop.is_insisted() or self._has_killed or forced in codes
        return forced if is_forced else 1


async def _for_each(those: Iterable[T], act: Callable[[T], Awaitable[object]]) -> None:
    """Does it for all of them at the same time."""
    async with trio.open_nursery() as nursery:
        for each in tuple(those):
            nursery.start_soon(act, each)
