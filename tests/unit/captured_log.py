"""The log of a test, as records."""

from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from typing import Any

import structlog
from structlog.testing import capture_logs

Log = list[MutableMapping[str, Any]]


@contextmanager
def captured_log() -> Iterator[Log]:
    """What is logged inside of this, but for what is only for debugging."""
    with capture_logs(processors=[_without_debugging]) as entries:
        yield entries


def _without_debugging(_logger: Any, method: str, event: Any) -> Any:
    if method == "debug":
        raise structlog.DropEvent
    return event
