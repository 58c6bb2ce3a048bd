"""Traces: what happened to one request, as spans with a beginning and an end.

A trace exists only while traces are exported; nobody else pays for it. Spans are added when they
are over, so that nothing has to be closed on the way out of a request.
"""

import os
import re
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from typing import Literal

import attrs

from lsd.telemetry.clock import Clock
from lsd.telemetry.trace_headers import NO_EXTRAS, TraceExtras

TraceFormat = Literal["opentelemetry", "openinference"]
SpanKind = Literal["server", "client", "internal"]
AttributeValue = str | bool | int | float

SPANS_MAX = 1000
"""Of one trace: more than any request makes that is worth looking at."""

_TRACEPARENT = re.compile(
    r"(?!ff|00-.{52}-)[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?\Z"
)
"""`ff` is no version, and only those beyond 00 may have more behind. Source: W3C Trace Context."""

_SAMPLED = 1


@attrs.define(eq=False, kw_only=True)
class Span:
    """One step. Times are nanoseconds since 1970; `error` tells what went wrong."""

    name: str
    kind: SpanKind
    span_id: bytes
    parent_id: bytes | None
    start_ns: int
    end_ns: int
    attributes: dict[str, AttributeValue]
    error: str | None = None


def span_id_of(id_: str) -> bytes:
    """The id of the span of what has an id itself: known before that span is there."""
    return bytes.fromhex(id_[-17:].replace("-", ""))


def tag_attributes(tags: Mapping[str, str], place: str = "") -> dict[str, AttributeValue | None]:
    """The attributes of a span for the tags of an inference or a feedback."""
    return {f"{place}tags.{key}": value for key, value in tags.items()}


@attrs.define(eq=False, kw_only=True)
class Trace:
    """The spans of one request, or of what is done apart from any.

    `root` is the span of the server, None without a request. `state` comes from the caller,
    `extras` are what it wants sent along.
    """

    trace_id: bytes
    state: str
    extras: TraceExtras
    clock: Clock
    root: Span | None
    spans: list[Span] = attrs.field(factory=list)

    def add(
        self,
        name: str,
        start_ns: int,
        attributes: Mapping[str, AttributeValue | None],
        *,
        end_ns: int | None = None,
        parent_id: bytes | None = None,
        span_id: bytes | None = None,
        kind: SpanKind = "internal",
        error: str | None = None,
    ) -> Span:
        """A step that is over; it ends now unless told otherwise. None attributes are left out.

        It lies below the root, unless `parent_id` says below what.
        """
        if parent_id is None and self.root is not None:
            parent_id = self.root.span_id
        span = Span(
            name=name,
            kind=kind,
            span_id=span_id or os.urandom(8),
            parent_id=parent_id,
            start_ns=start_ns,
            end_ns=self.clock.now_ns() if end_ns is None else end_ns,
            attributes={key: each for key, each in attributes.items() if each is not None},
            error=error,
        )
        if len(self.spans) < SPANS_MAX:
            self.spans.append(span)
        return span


@attrs.frozen(kw_only=True)
class Tracer:
    """Begins traces, and passes on those that are over.

    `export` must not block. With `include_content`, spans of the format `opentelemetry` show what
    was said.
    """

    format: TraceFormat
    include_content: bool
    clock: Clock
    export: Callable[[Trace], None]

    def begin(
        self, method: str, route: str, path: str, headers: Mapping[str, str], extras: TraceExtras
    ) -> Trace | None:
        """The trace of a request; None if its caller wants none."""
        trace_id, parent_id = os.urandom(16), None
        caller = _TRACEPARENT.match(headers.get("traceparent", ""))
        if caller is not None and int(caller[1], 16) and int(caller[2], 16):
            if not int(caller[3], 16) & _SAMPLED:
                return None
            trace_id, parent_id = bytes.fromhex(caller[1]), bytes.fromhex(caller[2])
        attributes: dict[str, AttributeValue] = {
            "http.request.method": method,
            "http.route": route,
            "url.path": path,
        }
        if "user-agent" in headers:
            attributes["user_agent.original"] = headers["user-agent"]
        now_ns = self.clock.now_ns()
        root = Span(
            name=f"{method} {route}",
            kind="server",
            span_id=os.urandom(8),
            parent_id=parent_id,
            start_ns=now_ns,
            end_ns=now_ns,
            attributes=attributes,
        )
        state = headers.get("tracestate", "") if parent_id is not None else ""
        return Trace(
            trace_id=trace_id,
            state=state,
            extras=extras,
            clock=self.clock,
            root=root,
            spans=[root],
        )

    def begin_apart(self) -> Trace:
        """The trace of what no request waits for."""
        trace_id = os.urandom(16)
        return Trace(trace_id=trace_id, state="", extras=NO_EXTRAS, clock=self.clock, root=None)

    def end_request(self, trace: Trace, status: int | None, error: str | None) -> None:
        """The request is over; a status of None means that nobody was left to be answered."""
        root = trace.root
        assert root is not None, "the trace of a request begins with its span"
        root.end_ns = self.clock.now_ns()
        if status is not None:
            root.attributes["http.response.status_code"] = status
        root.error = error or root.error
        self.end(trace)

    def end(self, trace: Trace) -> None:
        """Nothing will be added any more."""
        if self.format == "openinference":
            for span in trace.spans:
                span.attributes.setdefault("openinference.span.kind", "CHAIN")
        for span in trace.spans:
            span.attributes.update(trace.extras.attributes)
        self.export(trace)


CURRENT_TRACE: ContextVar[Trace | None] = ContextVar("current_trace", default=None)
"""The trace of what this task, or the one that started it, is doing, if that is traced."""


def current_trace() -> Trace | None:
    """The trace of what this task is doing, if there is one."""
    return CURRENT_TRACE.get()
