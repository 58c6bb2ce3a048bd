"""The log: on stderr, as JSON lines or for eyes; never a credential, never an input."""

import logging
import os
import sys
from typing import Any, Literal, TextIO, cast

import structlog

LogFormat = Literal["pretty", "json"]

_LEVELS = {"debug": 10, "info": 20, "warn": 30, "warning": 30, "error": 40, "critical": 50}


def logger(name: str) -> structlog.stdlib.BoundLogger:
    """The logger of a module: `logger(__name__)`. Key words become fields of the record."""
    return cast(structlog.stdlib.BoundLogger, structlog.get_logger(name))


def configure_logging(
    *,
    form: LogFormat,
    level: str,
    levels: dict[str, str] | None = None,
    stream: TextIO = sys.stderr,
) -> None:
    """Sets up the log of this process.

    `level` is the least level that is written, `levels` exceptions by logger (and all below it).
    Raises ValueError for an unknown level.
    """
    root = logging.getLogger()
    root.handlers = [logging.StreamHandler(stream)]
    root.setLevel(_level(level))
    for name, each in (levels or {}).items():
        logging.getLogger(name).setLevel(_level(each))
    # These tell of each request at a level that would drown ours.
    for noisy in ("httpx", "httpcore", "hypercorn.error", "hypercorn.access", "asyncio", "quart"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.contextvars.merge_contextvars,
            structlog.stdlib.add_log_level,
            structlog.stdlib.add_logger_name,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="timestamp"),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            *_rendering(form, stream),
        ],
        foreign_pre_chain=[
            structlog.stdlib.add_log_level,
            structlog.stdlib.add_logger_name,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="timestamp"),
        ],
    )
    root.handlers[0].setFormatter(formatter)


def _level(name: str) -> int:
    level = _LEVELS.get(name.lower())
    if level is None:
        raise ValueError(f"found log level {name!r}; wanted one of {', '.join(_LEVELS)}")
    return level


def _rendering(form: LogFormat, stream: TextIO) -> list[Any]:
    if form == "pretty":
        return [structlog.dev.ConsoleRenderer(colors=stream.isatty())]
    return [
        structlog.processors.EventRenamer("message"),
        _add_process,
        structlog.processors.JSONRenderer(),
    ]


def _add_process(_: Any, __: str, event: Any) -> Any:
    event.setdefault("pid", os.getpid())
    event.setdefault("worker", 0)
    return event
