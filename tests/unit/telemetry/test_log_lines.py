"""Whatever a record holds, it is one line that can be read."""

import logging
from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsd.telemetry._log_lines import json_line, pretty_line, with_facts

ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.binary()
    | st.characters(categories=["Cs"])
    | st.decimals(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.integers(), inner),
    max_leaves=8,
)


def line_of(event: dict[str, Any]) -> dict[str, Any]:
    """A record as JSON, read again."""
    line = json_line(None, "info", event)
    assert "\n" not in line
    read: dict[str, Any] = orjson.loads(line)
    return read


@given(st.dictionaries(st.text(min_size=1), ANYTHING))
def test_any_field_can_be_written(event: dict[str, Any]) -> None:
    """No value breaks the log: one object on one line, with all its keys."""
    assert line_of(event).keys() == event.keys()


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (Decimal("0.0000231"), "0.0000231"),
        (Path("/var/lib/lsd"), "/var/lib/lsd"),
        (OSError("no space left"), "no space left"),
        (float("nan"), None),
        ("\udcff.toml", "\\udcff.toml"),
        (2**70, str(2**70)),
        ({1: "x"}, "{1: 'x'}"),
    ],
)
def test_what_json_does_not_know_is_written_as_text(value: object, shown: object) -> None:
    """One strange field leaves the others as they are."""
    assert line_of({"pid": 7, "value": value}) == {"pid": 7, "value": shown}


def test_a_field_cannot_pass_for_a_fact() -> None:
    """Time, level, logger, message and process are the record's own, whatever fields are called."""
    record = logging.LogRecord("lsd.api", logging.INFO, "", 1, "said", (), None)
    event = {"_record": record, "_from_structlog": True, "event": "said", "level": 9, "message": 8}

    shown = with_facts(0)(None, "info", {**event, "worker": 7, "logger": 6, "more": 5})

    assert list(shown) == ["timestamp", "level", "logger", "message", "pid", "worker", "more"]
    assert (shown["level"], shown["message"], shown["worker"]) == ("info", "said", 0)


def test_a_time_without_a_fraction_has_six_digits_all_the_same() -> None:
    """A reader with a fixed format meets no exception once in a million records."""
    record = logging.LogRecord("lsd", logging.INFO, "", 1, "said", (), None)
    record.created = 1_770_113_700.0

    shown = with_facts(0)(
        None, "info", {"_record": record, "_from_structlog": True, "event": "said"}
    )

    assert shown["timestamp"] == "2026-02-03T10:15:00.000000Z"


@pytest.mark.parametrize("level", [-1, 0, 5, 10, 19])
def test_what_is_below_all_levels_is_debug(level: int) -> None:
    """Libraries may have levels that we have no name for."""
    record = logging.LogRecord("lsd", level, "", 1, "said", (), None)

    shown = with_facts(0)(
        None, "info", {"_record": record, "_from_structlog": False, "event": "said"}
    )

    assert shown["level"] == "debug"


def test_a_request_cannot_draw_on_the_terminal() -> None:
    """Control characters from outside are shown as escapes, in messages, fields and tracebacks."""
    event = {
        "level": "info",
        "message": "one\ntwo\x1b[2J",
        "path": "/\x1b]0;title\x07",
        "exception": "Traceback:\nOSError: \x1b[31mred",
    }

    line, *traceback = pretty_line(colors=False)(None, "info", event).splitlines()

    assert r"one\ntwo\x1b[2J" in line
    assert r"path=/\x1b]0;title\x07" in line
    assert traceback == ["Traceback:", r"OSError: \x1b[31mred"]


def test_colours_are_for_terminals() -> None:
    """The same line is coloured on a terminal and plain in a file."""
    event = {"level": "info", "message": "said"}

    assert "\x1b[" in pretty_line(colors=True)(None, "info", dict(event))
    assert "\x1b[" not in pretty_line(colors=False)(None, "info", dict(event))
