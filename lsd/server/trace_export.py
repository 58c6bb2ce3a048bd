"""Traces on their way to a collector: in the background, bounded, and never in a request's way."""

from collections.abc import Mapping
from typing import Final
from urllib.parse import unquote

import attrs
import trio

from lsd.conversation import LsdError, WireRequest
from lsd.network import Transport, TransportFailed
from lsd.telemetry import MEDIA_TYPES, OtlpEncoding, Trace, encode_otlp, logger

log = logger(__name__)

WAITING_MAX: Final = 2048
"""Traces that wait, some 20 MB at most. With a collector that is down, more are dropped."""

GATHER_S: Final = 0.5
"""A trace waits so long for others to be sent with."""

BATCH_MAX: Final = 256

SEND_S_MAX: Final = 10.0
"""The default of OpenTelemetry's exporters."""

ATTEMPTS: Final = 3
PAUSE_S: Final = 1.0

FLUSH_S_MAX: Final = 5.0
"""A stop waits no longer for a collector."""

_WORTH_RETRYING: Final = frozenset({429, 502, 503, 504})
"""Source: OTLP specification, "OTLP/HTTP Response", retryable codes."""

_ANSWER_BYTES_MAX: Final = 64 * 1024

_Headers = tuple[tuple[str, str], ...]
_Waiting = tuple[_Headers, Trace]


@attrs.frozen
class _NotTaken(LsdError):
    reason: str
    is_worth_retrying: bool

    def __str__(self) -> str:
        return self.reason


@attrs.frozen(kw_only=True)
class Collector:
    """Where traces go, as the environment says. `headers` are sent with every export."""

    url: str
    encoding: OtlpEncoding
    service_name: str
    headers: Mapping[str, str] = attrs.field(repr=False)

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> "Collector":
        """By the variables of OpenTelemetry's specification, those for traces first."""
        prefix = "OTEL_EXPORTER_OTLP"

        def get(name: str) -> str:
            return environment.get(f"{prefix}_TRACES_{name}") or environment.get(
                f"{prefix}_{name}", ""
            )

        own = environment.get(f"{prefix}_TRACES_ENDPOINT")
        shared = environment.get(f"{prefix}_ENDPOINT", "").rstrip("/")
        return cls(
            url=own or f"{shared}/v1/traces",
            encoding="http/json" if get("PROTOCOL") == "http/json" else "http/protobuf",
            service_name=environment.get("OTEL_SERVICE_NAME") or "lsd",
            headers=_pairs(get("HEADERS")),
        )


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
            request = self._request(traces, dict(headers))
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

    def _request(self, traces: list[Trace], own_headers: Mapping[str, str]) -> WireRequest:
        collector = self._collector
        headers = {name.lower(): value for name, value in collector.headers.items()}
        headers |= own_headers
        headers["content-type"] = MEDIA_TYPES[collector.encoding]
        body = encode_otlp(traces, {"service.name": collector.service_name}, collector.encoding)
        return WireRequest(method="POST", url=collector.url, headers=headers, body=body)

    async def _post(self, request: WireRequest) -> None:
        """Raises _NotTaken."""
        status = None
        with trio.move_on_after(SEND_S_MAX):
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
            raise _NotTaken(f"no answer within {SEND_S_MAX:g} s", is_worth_retrying=True)
        if status >= 300:
            raise _NotTaken(f"HTTP {status}", is_worth_retrying=status in _WORTH_RETRYING)

    def _warn(self, reason: str) -> None:
        """Once until it is well again."""
        if not self._is_ill:
            log.warning("traces not exported", collector=self._collector.url, reason=reason)
        self._is_ill = True


def _pairs(text: str) -> dict[str, str]:
    """`name=value,name=value`, as the specification encodes headers in a variable."""
    pairs = (each.partition("=") for each in text.split(",") if "=" in each)
    return {name.strip(): unquote(value.strip()) for name, _, value in pairs}
