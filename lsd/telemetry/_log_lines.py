"""How one record of the log becomes text."""

from typing import Any

import orjson
import structlog
from structlog.typing import EventDict, Processor

from lsd.telemetry.clock import rfc3339_us

_LEVELS = ((40, "error"), (30, "warning"), (20, "info"))
"""From which number on a level counts as one of ours; libraries have numbers in between. What is
below them all is `debug`."""


def with_facts(worker: int) -> Processor:
    """Puts what every record has in front of its fields; fields of the same name give way."""

    def processor(_logger: Any, _method: str, event: EventDict) -> EventDict:
        record = event.pop("_record")
        del event["_from_structlog"]
        facts = {
            "timestamp": rfc3339_us(round(record.created * 1_000_000)),
            "level": _level_name(record.levelno),
            "logger": record.name,
            "message": str(event.pop("event")),
            "pid": record.process,
            "worker": worker,
        }
        return {**facts, **event, **facts}

    return processor


def _level_name(level: int) -> str:
    return next((name for least, name in _LEVELS if level >= least), "debug")


def json_line(_logger: Any, _method: str, event: EventDict) -> str:
    """One JSON object without line breaks, whatever the fields hold."""
    try:
        return orjson.dumps(event, default=_text).decode()
    except TypeError:
        return orjson.dumps({key: _encoded(value) for key, value in event.items()}).decode()


def _encoded(value: object) -> orjson.Fragment:
    """A value as JSON, or its text if it is deeper or stranger than JSON can tell."""
    try:
        return orjson.Fragment(orjson.dumps(value, default=_text))
    except TypeError:
        return orjson.Fragment(orjson.dumps(_text(value)))


def _text(value: object) -> str:
    shown = value if isinstance(value, str) else str(value)
    return shown.encode("utf-8", "backslashreplace").decode()


def pretty_line(*, colors: bool) -> Processor:
    """Makes a line for eyes; a traceback follows below it.

    What comes from outside moves no cursor and begins no line of its own.
    """
    render = structlog.dev.ConsoleRenderer(
        colors=colors,
        sort_keys=False,
        event_key="message",
        # The default shows local variables, credentials and inputs among them.
        exception_formatter=structlog.dev.plain_traceback,
    )

    def processor(logger: Any, method: str, event: EventDict) -> str:
        shown = {key: _visible(value) for key, value in event.items() if key != "exception"}
        if "exception" in event:
            shown["exception"] = "\n".join(map(_visible, event["exception"].splitlines()))
        return render(logger, method, shown)

    return processor


def _visible(value: Any) -> Any:
    """Texts with escapes in place of characters that a terminal would act upon."""
    if not isinstance(value, str) or value.isprintable():
        return value
    return "".join(each if each.isprintable() else repr(each)[1:-1] for each in value.rstrip())
