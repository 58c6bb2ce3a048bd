"""The log: on stderr, as JSON lines or for eyes; never a credential, never an input."""

import logging
import sys
from collections.abc import Mapping
from typing import Any, Literal, TextIO

import attrs
import structlog
from structlog.stdlib import ProcessorFormatter

from lsd.telemetry._log_lines import json_line, pretty_line, with_facts
from lsd.telemetry.request_context import with_request

LogFormat = Literal["pretty", "json"]

_LEVELS = {"debug": 10, "info": 20, "warn": 30, "warning": 30, "error": 40, "critical": 50}

_NOISY = ("httpx", "httpcore", "hpack", "hypercorn.error", "hypercorn.access", "asyncio", "quart")
"""They tell of each request at a level that would drown ours: warnings only, unless named."""

_TELLTALES = {"hpack": logging.INFO, "httpx": logging.WARNING}
"""Below these levels they write credentials: hpack each header that is sent, httpx each URL with
its query. No setting reaches further down."""

_OURS = logging.getLogger("lsd")
# Until the log is set up, structlog's own defaults decide what to do with everything.
_OURS.setLevel(logging.DEBUG)


@attrs.frozen(eq=False)
class Logger:
    """Writes the records of one module; key words become their fields.

    A record below the logger's level costs a fraction of a microsecond. `exc_info`, an exception
    or True, adds the traceback as the field `exception`.
    """

    _gate: logging.Logger

    @property
    def is_debug(self) -> bool:
        """Whether `debug` writes anything."""
        return self._gate.isEnabledFor(logging.DEBUG)

    def debug(self, event: str, **fields: Any) -> None:
        """What helps to find out why; hidden unless asked for."""
        if self._gate.isEnabledFor(logging.DEBUG):
            self._writer().debug(event, **fields)

    def info(self, event: str, **fields: Any) -> None:
        """A step in the life of the daemon."""
        if self._gate.isEnabledFor(logging.INFO):
            self._writer().info(event, **fields)

    def warning(self, event: str, **fields: Any) -> None:
        """Something is amiss, and LSD goes on; a client's fault, too."""
        if self._gate.isEnabledFor(logging.WARNING):
            self._writer().warning(event, **fields)

    def error(self, event: str, **fields: Any) -> None:
        """A provider, the store or LSD itself failed."""
        if self._gate.isEnabledFor(logging.ERROR):
            self._writer().error(event, **fields)

    def _writer(self) -> structlog.typing.FilteringBoundLogger:
        # Made anew each time, so that what was set up last counts.
        writer: structlog.typing.FilteringBoundLogger = structlog.get_logger(self._gate.name)
        return writer


def logger(name: str) -> Logger:
    """The logger of a module: `logger(__name__)`."""
    return Logger(logging.getLogger(name))


def configure_logging(
    *,
    form: LogFormat,
    level: str,
    levels: Mapping[str, str] | None = None,
    stream: TextIO | None = None,
    worker: int = 0,
) -> None:
    """Sets up the log of this process; records and warnings of libraries go to it, too.

    `level` is the least level that is written, `levels` exceptions by logger (and all below it),
    `stream` stderr unless given, `worker` the number of this process among the workers. Raises
    ValueError for an unknown level.
    """
    root_level = _level(level)
    by_name = {name: _level(each) for name, each in (levels or {}).items()}
    handler = logging.StreamHandler(stream or sys.stderr)
    line = json_line if form == "json" else pretty_line(colors=handler.stream.isatty())
    handler.setFormatter(
        ProcessorFormatter(
            processors=[
                structlog.contextvars.merge_contextvars,
                with_request,
                with_facts(worker),
                structlog.processors.format_exc_info,
                line,
            ]
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(root_level)
    _OURS.setLevel(logging.NOTSET)
    _set_levels(by_name)
    logging.captureWarnings(capture=True)
    structlog.configure(
        processors=[ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )


def _level(name: str) -> int:
    level = _LEVELS.get(name.lower())
    if level is None:
        raise ValueError(f"found log level {name!r}; wanted one of {', '.join(_LEVELS)}")
    return level


def _set_levels(by_name: Mapping[str, int]) -> None:
    for name in _NOISY:
        logging.getLogger(name).setLevel(logging.WARNING)
    for name, level in by_name.items():
        least = _TELLTALES.get(name.partition(".")[0], logging.NOTSET)
        logging.getLogger(name).setLevel(max(level, least))
