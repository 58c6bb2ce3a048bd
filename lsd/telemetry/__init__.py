"""What LSD tells about itself: the clock that everything shares, the log, the metrics.

Loggers come from `logger(__name__)`; `configure_logging` is called once by the command line.
"""

from lsd.telemetry.clock import Clock, SystemClock, parse_rfc3339_ns, rfc3339_ms, rfc3339_us
from lsd.telemetry.log_settings import LogSettings
from lsd.telemetry.logs import LogFormat, Logger, configure_logging, logger
from lsd.telemetry.metrics import (
    CONTENT_TYPE,
    Metrics,
    MetricsSnapshot,
    StoreCounts,
    StoreReadings,
)
from lsd.telemetry.otlp import MEDIA_TYPES, OtlpEncoding, encode_trace, otlp_body
from lsd.telemetry.request_context import CURRENT_REQUEST, RequestContext
from lsd.telemetry.trace_headers import NO_EXTRAS, TraceExtras, has_trace_extras, read_trace_extras
from lsd.telemetry.traces import (
    CURRENT_TRACE,
    AttributeValue,
    Span,
    Trace,
    Tracer,
    current_trace,
    span_id_of,
    tag_attributes,
)

__all__ = [
    "CONTENT_TYPE",
    "CURRENT_REQUEST",
    "CURRENT_TRACE",
    "MEDIA_TYPES",
    "NO_EXTRAS",
    "AttributeValue",
    "Clock",
    "LogFormat",
    "LogSettings",
    "Logger",
    "Metrics",
    "MetricsSnapshot",
    "OtlpEncoding",
    "RequestContext",
    "Span",
    "StoreCounts",
    "StoreReadings",
    "SystemClock",
    "Trace",
    "TraceExtras",
    "Tracer",
    "configure_logging",
    "current_trace",
    "encode_trace",
    "has_trace_extras",
    "logger",
    "otlp_body",
    "parse_rfc3339_ns",
    "read_trace_extras",
    "rfc3339_ms",
    "rfc3339_us",
    "span_id_of",
    "tag_attributes",
]
