"""A log of its own for each test; the log of the test run is as before when a test is over."""

import io
import logging
from collections.abc import Callable, Iterator
from typing import Any

import orjson
import pytest
import structlog

from lsd.telemetry import configure_logging

Configure = Callable[..., io.StringIO]


@pytest.fixture
def configure() -> Iterator[Configure]:
    """Sets up the log as `configure_logging` is asked to, and gives what is written to it."""
    root = logging.getLogger()
    handlers, settings, levels = root.handlers, structlog.get_config(), levels_of_loggers()

    def set_up(**wanted: Any) -> io.StringIO:
        logging.captureWarnings(capture=False)
        stream = io.StringIO()
        configure_logging(**{"form": "json", "level": "info", "stream": stream, **wanted})
        return stream

    yield set_up
    logging.captureWarnings(capture=False)
    root.handlers = handlers
    structlog.configure(**settings)
    for each in levels_of_loggers():
        each.setLevel(levels.get(each, logging.NOTSET))


def levels_of_loggers() -> dict[logging.Logger, int]:
    """The level that each logger has of its own."""
    root = logging.getLogger()
    known = (each for each in root.manager.loggerDict.values() if isinstance(each, logging.Logger))
    return {each: each.level for each in (root, *known)}


def records(written: io.StringIO) -> list[dict[str, Any]]:
    """The log's records, one for each line."""
    return [orjson.loads(line) for line in written.getvalue().splitlines()]
