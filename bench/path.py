"""What one request costs between the server's messages and a canned provider, in one thread.

    PYTHONPATH=. .venv/bin/python bench/path.py [--only inference chat] [--rounds 7] [--calls]

No sockets: the application is handed ASGI messages, the provider is an object. For each endpoint,
with and without records, the table shows the time of the event loop's thread per request (the
least of several rounds, in microseconds, and in units of a yardstick that is run beside it), the
same with the writer's thread, and how many Python functions are entered on the way, which is the
same on every machine and whatever else it does. `--calls` tells them by their file.
"""

import argparse
import collections
import gc
import json
import logging
import os
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from math import inf
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple

import trio
from systems import CHAT, LSD_CONFIG, TASK
from upstream import PLAIN

from lsd.config import Sources, load
from lsd.conversation import WireRequest
from lsd.server import equipment
from lsd.server.assembly import assemble
from lsd.server.garbage import spare_the_lasting
from lsd.server.kept import Kept, open_kept
from lsd.telemetry import Metrics, SystemClock

ENDPOINTS: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "inference": ("/inference", TASK),
    "chat": ("/openai/v1/chat/completions", CHAT),
}

WARM_UP, ROUND, ROUNDS = 500, 2_000, 7
"""Requests, requests, and how often these."""


class CannedResponse:
    """The answer of a provider, whole."""

    status = 200
    headers: Mapping[str, str] = {"content-type": "application/json"}

    async def read(self, _: int) -> bytes:
        """All of it."""
        return PLAIN

    async def aclose(self) -> None:
        """There is nothing to close."""


class CannedTransport:
    """Every request gets the same answer at once."""

    async def send(self, _: WireRequest, _deadline: float = inf) -> CannedResponse:
        """The answer."""
        return CannedResponse()

    async def run(self) -> None:
        """There is nothing to watch."""

    async def aclose(self) -> None:
        """There is nothing to close."""


class Cost(NamedTuple):
    """Microseconds per request: of the loop's thread, and of the process; and calls."""

    loop_us: float
    process_us: float
    calls: collections.Counter[str]


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--only", nargs="+", choices=ENDPOINTS, default=list(ENDPOINTS))
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"of {ROUND} requests")
    parser.add_argument("--calls", action="store_true", help="by file")
    options = parser.parse_args()
    logging.disable(logging.INFO)
    print(f"{'':26}{'loop us':>9}{'all us':>9}{'yardsticks':>12}{'calls':>7}")
    for name in options.only:
        for records in (False, True):
            cost = _cost(name, options.rounds, records=records)
            label = f"{name}, {'records' if records else 'no records'}"
            yardsticks = cost.loop_us / _yardstick_us()
            figures = f"{cost.loop_us:>9.1f}{cost.process_us:>9.1f}{yardsticks:>12.2f}"
            print(f"{label:26}{figures}{cost.calls.total():>7}", flush=True)
            for file, count in cost.calls.most_common() if options.calls else ():
                print(f"{count:>10} {file}")


def _cost(endpoint: str, rounds: int, *, records: bool) -> Cost:
    path, task = ENDPOINTS[endpoint]
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "lsd.toml"
        records_key = "true" if records else "false"
        config.write_text(
            LSD_CONFIG.format(port=0, server="auto", upstream_port=9, records=records_key)
        )
        sources = Sources(
            environment=os.environ, working_directory=Path(folder), config=(str(config),)
        )
        loaded = load(sources)
        clock = SystemClock()
        buckets = loaded.config.gateway.metrics.inference_latency_overhead_seconds_buckets
        metrics = Metrics(buckets)
        kept = open_kept(loaded, clock, metrics)
        vars(equipment)["OutboundTransport"] = CannedTransport
        front = assemble(loaded, equipment.Equipment.of(loaded, kept, clock, metrics)).front
        try:
            return trio.run(_measured, front, kept, path, json.dumps(task).encode(), rounds)
        finally:
            if kept is not None:
                kept.store.close()


async def _measured(front: Any, kept: Kept | None, path: str, body: bytes, times: int) -> Cost:
    async with trio.open_nursery() as nursery:
        client = _Client(front, path, body, nursery.cancel_scope)
        if kept is not None:
            await nursery.start(kept.writer.run)
        await client.ask(WARM_UP)
        spare_the_lasting()
        rounds = [await _round(client, kept) for _ in range(times)]
        calls = await client.count_calls()
        if kept is not None:
            await kept.writer.close()
        nursery.cancel_scope.cancel()
    gc.unfreeze()
    return Cost(min(loop for loop, _ in rounds), min(whole for _, whole in rounds), calls)


async def _round(client: "_Client", kept: Kept | None) -> tuple[float, float]:
    thread_s, process_s = time.thread_time(), time.process_time()
    await client.ask(ROUND)
    loop_s = time.thread_time() - thread_s
    if kept is not None:
        await kept.writer.settle()
    return loop_s / ROUND * 1e6, (time.process_time() - process_s) / ROUND * 1e6


class _Client:
    """Asks one thing again and again, as LSD's own server would hand it on."""

    def __init__(self, front: Any, path: str, body: bytes, scope: trio.CancelScope) -> None:
        self._front = front
        self._scope: dict[str, Any] = {
            "type": "http",
            "method": "POST",
            "path": path,
            "raw_path": path.encode(),
            "scheme": "http",
            "query_string": b"",
            "headers": [
                (b"host", b"127.0.0.1:3000"),
                (b"content-type", b"application/json"),
                (b"content-length", str(len(body)).encode()),
            ],
            "extensions": {"lsd.exchange": self},
        }
        self._statuses: set[int] = set()
        self.request_headers = {
            name.decode(): value.decode() for name, value in self._scope["headers"]
        }
        self.whole_body, self.cancel_scope = body, scope
        self.request_headers = {
            name.decode(): value.decode() for name, value in self._scope["headers"]
        }

    async def ask(self, times: int) -> None:
        """Asks so many times; others have a turn now and then."""
        for number in range(times):
            await self._front(dict(self._scope), self._receive, self._send)
            if number % 32 == 0:
                await trio.lowlevel.checkpoint()
        assert self._statuses == {200}, f"found the statuses {self._statuses}; wanted 200"

    async def count_calls(self) -> collections.Counter[str]:
        """The Python functions that one request enters, by their file."""
        counted: collections.Counter[str] = collections.Counter()

        def note(frame: FrameType, event: str, _: object) -> None:
            if event == "call":
                counted[_short(frame.f_code.co_filename)] += 1

        _with_profile(note)
        await self._front(dict(self._scope), self._receive, self._send)
        _with_profile(None)
        return counted

    def when_gone(self, _: Callable[[], None]) -> None:
        """It stays to the end."""

    async def answer(self, status: int, _headers: object, _body: bytes) -> None:
        """Takes a whole answer."""
        self._statuses.add(status)

    async def _receive(self) -> dict[str, Any]:
        return {"type": "http.request", "body": self.whole_body, "more_body": False}

    async def _send(self, message: Mapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self._statuses.add(message["status"])


def _with_profile(note: Callable[[FrameType, str, Any], object] | None) -> None:
    sys.setprofile(note)


def _short(path: str) -> str:
    for mark in ("/lsd/", "site-packages/"):
        if mark in path:
            return path.rsplit(mark, 1)[1]
    return path.rsplit("/", 1)[-1]


def _yardstick_us() -> float:
    """What this machine needs just now for a hundred small calls: the unit of the table."""

    def step(number: int) -> dict[str, int]:
        return {"number": number}

    best = float("inf")
    for _ in range(20):
        started = time.thread_time()
        for _ in range(100):
            for number in range(100):
                step(number)
        best = min(best, time.thread_time() - started)
    return best / 100 * 1e6


if __name__ == "__main__":
    main()
