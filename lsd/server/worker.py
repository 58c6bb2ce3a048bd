"""A worker: one of several processes that serve, started and directed by the main process."""

import os
import signal
import socket
import sys
from collections.abc import Mapping
from typing import Any, NoReturn

import attrs
import trio

from lsd.config import take_over
from lsd.server.channel import Channel, ChannelClosed
from lsd.server.daemon import Daemon
from lsd.server.equipment import Equipment
from lsd.server.garbage import spare_the_lasting
from lsd.server.generations import Generations
from lsd.server.kept import Kept, join_kept
from lsd.server.metrics_exchange import MetricsExchange
from lsd.server.refusals import ReloadRefused, StartRefused
from lsd.server.stop_signals import Stop
from lsd.telemetry import LogSettings, Metrics, SystemClock


def run_worker(control: int, listening: int) -> NoReturn:
    """Serves until the main process says otherwise or is no more; ends this process.

    The two numbers are of inherited sockets: the channel to the main process, and the listener.
    """
    # A terminal sends these to all processes; it is the main one that decides.
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    with socket.socket(fileno=listening) as listener:
        sys.exit(trio.run(_live, socket.socket(fileno=control), listener))


async def _live(control: socket.socket, listener: socket.socket) -> int:
    channel = Channel(trio.SocketStream(trio.socket.from_stdlib_socket(control)))
    kept: Kept | None = None
    exchange: MetricsExchange | None = None
    try:
        order = await channel.receive()
        number, clock = order["number"], SystemClock()
        loaded = take_over(order["loaded"], os.environ)
        logs = LogSettings(**order["logs"])
        logs.configure(debug=loaded.config.gateway.debug, worker=number)
        buckets = loaded.config.gateway.metrics.inference_latency_overhead_seconds_buckets
        metrics = Metrics(buckets)
        if order["has_store"]:
            kept, exchange = join_kept(loaded, clock, metrics, worker=number)
            exchange.begin()
        generations = Generations.first(
            loaded,
            Equipment.of(loaded, kept, clock, metrics),
            lambda loaded: logs.configure(debug=loaded.config.gateway.debug, worker=number),
        )
        spare_the_lasting()
        return await Worker(channel, generations, exchange).serve(listener)
    except StartRefused as refused:
        await channel.send({"refused": str(refused)})
        return 1
    except ChannelClosed:
        return 1
    finally:
        if kept is not None:
            kept.store.close()


@attrs.define(eq=False)
class Worker:
    """Carries out the orders of the main process."""

    _channel: Channel
    _generations: Generations
    _exchange: MetricsExchange | None
    _stop: Stop = attrs.field(factory=Stop, init=False)
    _may_serve: trio.Event = attrs.field(factory=trio.Event, init=False)
    _is_serving: trio.Event = attrs.field(factory=trio.Event, init=False)

    async def serve(self, listener: socket.socket) -> int:
        """Tells when it is ready, serves when it may; the exit code. Raises StartRefused."""
        exchange = () if self._exchange is None else (self._exchange.run,)
        daemon = Daemon(
            generations=self._generations,
            stop=self._stop,
            tasks=(self._obey, self._heed_signals, *exchange),
            wait_may_serve=self._wait_may_serve,
            on_serving=self._is_serving.set,
        )
        return await daemon.run(listener)

    async def _wait_may_serve(self) -> None:
        try:
            await self._channel.send({"refused": None})
        except ChannelClosed:
            return
        await self._may_serve.wait()

    async def _obey(self, *, task_status: trio.TaskStatus[None]) -> None:
        task_status.started()
        try:
            while True:
                await self._carry_out(await self._channel.receive())
        except ChannelClosed:  # without the main process, nobody would start the next worker
            if self._exchange is not None:
                self._exchange.fall_silent()
            self._stop.ask(signal.SIGTERM)
            self._may_serve.set()

    async def _carry_out(self, order: Mapping[str, Any]) -> None:
        match order["order"]:
            case "stop":
                self._stop.ask(order["signal"])
                self._may_serve.set()  # nobody will tell a worker that is only just starting
            case "insist":
                self._stop.insist(order["signal"])
                self._may_serve.set()
            case "serve":
                self._may_serve.set()
                await self._is_serving.wait()
                await self._channel.send({"refused": None})
            case "prepare":
                await self._channel.send({"refused": await self._prepare(order["loaded"])})
            case "activate":
                self._generations.activate()
                await self._channel.send({"refused": None})
            case unknown:
                raise AssertionError(f"main and worker are of one version; found {unknown}")

    async def _prepare(self, handed: Mapping[str, Any]) -> str | None:
        """Why the configuration cannot be put in force; None if it can."""
        try:
            await self._generations.prepare(take_over(handed, os.environ))
        except ReloadRefused as refused:
            return str(refused)
        return None

    async def _heed_signals(self, *, task_status: trio.TaskStatus[None]) -> None:
        """A worker that is sent away finishes its work, and another takes its place."""
        with trio.open_signal_receiver(signal.SIGTERM) as received:
            task_status.started()
            async for number in received:
                self._stop.ask(number)
