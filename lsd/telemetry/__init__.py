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
from lsd.telemetry.request_context import CURRENT_REQUEST, RequestContext

__all__ = [
    "CONTENT_TYPE",
    "CURRENT_REQUEST",
    "Clock",
    "LogFormat",
    "LogSettings",
    "Logger",
    "Metrics",
    "MetricsSnapshot",
    "RequestContext",
    "StoreCounts",
    "StoreReadings",
    "SystemClock",
    "configure_logging",
    "logger",
    "parse_rfc3339_ns",
    "rfc3339_ms",
    "rfc3339_us",
]
