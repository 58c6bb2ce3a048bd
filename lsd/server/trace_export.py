"""Traces on their way to a collector: in the background, bounded, and never in a request's way."""

from collections.abc import Mapping
from functools import partial
from gzip import compress
from typing import Final

import attrs
import trio

from lsd.conversation import LsdError, WireRequest
from lsd.network import Transport, TransportFailed
from lsd.server.trace_collector import Collector
from lsd.telemetry import MEDIA_TYPES, Trace, encode_trace, logger, otlp_body

log = logger(__name__)

WAITING_MAX: Final = 2048
"""Traces that wait, some 20 MB at most. With a collector that is down, more are dropped."""

GATHER_S: Final = 0.5
"""A trace waits so long for others to be sent with."""

BATCH_MAX: Final = 256
"""Of one export. When so many wait, they are sent at once: a busy gateway has more in a second."""

ATTEMPTS: Final = 3
PAUSE_S: Final = 1.0

FLUSH_S_MAX: Final = 5.0
"""A stop waits no longer for a collector."""

_WORTH_RETRYING: Final = frozenset({429, 502, 503, 504})
"""Source: OTLP specification, "OTLP/HTTP Response", retryable codes."""

_ANSWER_BYTES_MAX: Final = 64 * 1024

_GZIP: Final = 1
"""Fast: names of attributes come again and again, so that any level makes a tenth of them."""

_Headers = tuple[tuple[str, str], ...]
_Waiting = tuple[_Headers, Trace]


@attrs.frozen
class _NotTaken(LsdError):
    reason: str
    is_worth_retrying: bool

    def __str__(self) -> str:
        return self.reason


@attrs.define(eq=False)
class TraceExport:
    """Takes traces from requests, and sends them when there is time."""

    _collector: Collector
    _transport: Transport
    _waiting: list[_Waiting] = attrs.field(factory=list, init=False)
    _arrived: trio.Event = attrs.field(factory=trio.Event, init=False)
    _is_closing: trio.Event = attrs.field(factory=trio.Event, init=False)
    _ended: trio.Event = attrs.field(factory=trio.Event, init=False)
    _is_ill: bool = attrs.field(default=False, init=False)

    def put_nowait(self, trace: Trace, *, extra_headers: Mapping[str, str]) -> None:
        """Sends a trace soon, with these headers of the configuration beside its caller's.

        Drops it if too many wait.
        """
        if len(self._waiting) >= WAITING_MAX:
            self._warn("too many traces wait; further ones are dropped")
            return
        headers = {name.lower(): value for name, value in extra_headers.items()}
        headers |= trace.extras.headers
        self._waiting.append((tuple(headers.items()), trace))
        self._arrived.set()

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Sends until it is closed, or cancelled."""
        task_status.started()
        while not (self._is_closing.is_set() and not self._waiting):
            await self._arrived.wait()
            if len(self._waiting) < BATCH_MAX:
                with trio.move_on_after(GATHER_S):
                    await self._is_closing.wait()
            batch, self._waiting = self._waiting[:BATCH_MAX], self._waiting[BATCH_MAX:]
            if not self._waiting and not self._is_closing.is_set():
                self._arrived = trio.Event()
            await self._send(batch)
        self._ended.set()

    async def close(self) -> None:
        """Returns when what waited is sent, or cannot be sent in time."""
        self._is_closing.set()
        self._arrived.set()
        with trio.move_on_after(FLUSH_S_MAX):
            await self._ended.wait()

    async def _send(self, batch: list[_Waiting]) -> None:
        """One request for all traces that go with the same headers."""
        by_headers: dict[_Headers, list[Trace]] = {}
        for own, trace in batch:
            by_headers.setdefault(own, []).append(trace)
        for headers, traces in by_headers.items():
            request = await self._request(traces, dict(headers))
            for attempt in range(1, ATTEMPTS + 1):
                try:
                    await self._post(request)
                except _NotTaken as failure:
                    self._warn(str(failure))
                    if attempt == ATTEMPTS or not failure.is_worth_retrying:
                        break
                    await trio.sleep(PAUSE_S)
                else:
                    self._is_ill = False
                    break

    async def _request(self, traces: list[Trace], own_headers: Mapping[str, str]) -> WireRequest:
        collector = self._collector
        headers = {name.lower(): value for name, value in collector.headers.items()}
        headers |= own_headers
        headers["content-type"] = MEDIA_TYPES[collector.encoding]
        pieces = []
        for trace in traces:
            pieces.append(encode_trace(trace, collector.resource, collector.encoding))
            await trio.lowlevel.checkpoint()  # requests go first
        body = otlp_body(pieces, collector.encoding)
        if collector.is_compressed:
            headers["content-encoding"] = "gzip"
            body = await trio.to_thread.run_sync(partial(compress, compresslevel=_GZIP), body)
        return WireRequest(method="POST", url=collector.url, headers=headers, body=body)

    async def _post(self, request: WireRequest) -> None:
        """Raises _NotTaken."""
        status = None
        seconds = self._collector.send_s_max
        with trio.move_on_after(seconds):
            try:
                response = await self._transport.send(request)
                try:
                    await response.read(_ANSWER_BYTES_MAX)
                finally:
                    await response.aclose()
                status = response.status
            except TransportFailed as failure:
                raise _NotTaken(str(failure), is_worth_retrying=True) from None
            except LsdError as failure:
                raise _NotTaken(str(failure), is_worth_retrying=False) from None
        if status is None:
            raise _NotTaken(f"no answer within {seconds:g} s", is_worth_retrying=True)
        if status >= 300:
            raise _NotTaken(f"HTTP {status}", is_worth_retrying=status in _WORTH_RETRYING)

    def _warn(self, reason: str) -> None:
        """Once until it is well again."""
        if not self._is_ill:
            log.warning("traces not exported", collector=self._collector.url, reason=reason)
        self._is_ill = True
