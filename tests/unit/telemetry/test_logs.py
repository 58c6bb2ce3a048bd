"""The log: which records are written, and what each of them holds."""

import io
import logging
import os
import warnings
from datetime import UTC, datetime

import pytest
import structlog
from structlog.testing import capture_logs

from lsd.telemetry import logger
from tests.unit.telemetry.conftest import Configure, records


def messages(written: io.StringIO) -> list[str]:
    """What the records of a log say."""
    return [each["message"] for each in records(written)]


def test_a_record_says_when_how_grave_who_what_and_which_process(configure: Configure) -> None:
    """Every record has the same six keys in front; fields follow flat beside them."""
    written = configure(worker=2)
    before = datetime.now(UTC)

    logger("lsd.store.writer").warning("the disk is slow", seconds=2.5, path="/var/lib/lsd")

    (record,) = records(written)
    time = record.pop("timestamp")
    assert before <= datetime.fromisoformat(time) <= datetime.now(UTC)
    assert len(time) == len("2026-02-03T10:15:00.123456Z")
    assert time.endswith("Z")
    assert list(record.items()) == [
        ("level", "warning"),
        ("logger", "lsd.store.writer"),
        ("message", "the disk is slow"),
        ("pid", os.getpid()),
        ("worker", 2),
        ("seconds", 2.5),
        ("path", "/var/lib/lsd"),
    ]


def test_levels_are_named_in_four_ways(configure: Configure) -> None:
    """Our four levels are the ones that are shown."""
    written = configure(level="debug")
    log = logger("lsd.server")

    log.debug("a")
    log.info("b")
    log.warning("c")
    log.error("d")

    assert [each["level"] for each in records(written)] == ["debug", "info", "warning", "error"]


@pytest.mark.parametrize(
    ("level", "shown"),
    [
        ("debug", ["d", "i", "w", "e"]),
        ("info", ["i", "w", "e"]),
        ("warn", ["w", "e"]),
        ("warning", ["w", "e"]),
        ("ERROR", ["e"]),
        ("critical", []),
    ],
)
def test_less_than_the_level_is_not_written(
    configure: Configure, level: str, shown: list[str]
) -> None:
    """The level is the least that is written, in any letter case."""
    written = configure(level=level)
    log = logger("lsd.server")

    log.debug("d")
    log.info("i")
    log.warning("w")
    log.error("e")

    assert messages(written) == shown


def test_a_logger_may_have_a_level_of_its_own(configure: Configure) -> None:
    """An exception holds for the named logger and all below it, also for loggers made before."""
    made_before = logger("lsd.store.writer")
    written = configure(level="warning", levels={"lsd.store": "debug", "lsd.api": "error"})

    made_before.debug("below")
    logger("lsd.store").debug("named")
    logger("lsd.storehouse").debug("a name that only begins alike")
    logger("lsd.api.front").warning("raised")
    logger("lsd.server").warning("all others")

    assert messages(written) == ["below", "named", "all others"]


@pytest.mark.parametrize("wanted", [{"level": "loud"}, {"levels": {"lsd.store": "loud"}}])
def test_an_unknown_level_changes_nothing(configure: Configure, wanted: dict[str, object]) -> None:
    """A slip in a level is refused before anything is set up."""
    before = logging.getLogger().handlers

    with pytest.raises(ValueError, match=r"found log level 'loud'; wanted one of debug, info, "):
        configure(**wanted)

    assert logging.getLogger().handlers is before


def test_the_log_of_libraries_is_part_of_the_log(configure: Configure) -> None:
    """A record of the standard library's logging looks like one of ours."""
    written = configure()

    logging.getLogger("libs.tls").info("%s of %d", "certificate", 3)
    logging.getLogger("libs").log(25, "between two levels")
    logging.getLogger("libs").critical("beyond all levels")

    assert [(each["level"], each["logger"], each["message"]) for each in records(written)] == [
        ("info", "libs.tls", "certificate of 3"),
        ("info", "libs", "between two levels"),
        ("error", "libs", "beyond all levels"),
    ]


def test_a_warning_of_python_is_a_record(configure: Configure) -> None:
    """Nothing but records comes out, so that a reader of JSON lines meets nothing else."""
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        written = configure()

        warnings.warn("this will go away", DeprecationWarning, stacklevel=1)

    (record,) = records(written)
    assert record["level"] == "warning"
    assert record["logger"] == "py.warnings"
    assert "this will go away" in record["message"]


@pytest.mark.parametrize("form", ["json", "pretty"])
def test_libraries_that_tell_of_each_request_are_quiet(configure: Configure, form: str) -> None:
    """Below a warning they are heard only when they are named, whatever the level is."""
    by_level = configure(form=form, level="debug")
    logging.getLogger("httpcore.http11").debug("connect")
    by_name = configure(form=form, level="info", levels={"httpcore": "debug"})
    logging.getLogger("httpcore.http11").debug("connect")

    assert by_level.getvalue() == ""
    assert "connect" in by_name.getvalue()


@pytest.mark.parametrize("name", ["hpack", "hpack.hpack", "httpx"])
def test_no_setting_makes_a_library_write_credentials(configure: Configure, name: str) -> None:
    """Whoever writes headers or whole URLs at a low level never gets that level."""
    written = configure(level="debug", levels={name: "debug"})

    logging.getLogger(name).debug("Adding (b'authorization', b'Bearer secret')")
    logging.getLogger("httpx").info("HTTP Request: GET https://files.example/a?signature=secret")

    assert written.getvalue() == ""


def test_what_is_known_of_the_request_is_in_every_record(configure: Configure) -> None:
    """The context that a task has bound is on its records and on those of libraries."""
    written = configure()

    with structlog.contextvars.bound_contextvars(request_id="r-1", path="/inference"):
        logger("lsd.api").info("ours")
        logging.getLogger("libs").info("theirs")
    logger("lsd.api").info("outside")

    assert [each.get("request_id") for each in records(written)] == ["r-1", "r-1", None]
    assert [each.get("path") for each in records(written)] == ["/inference", "/inference", None]


@pytest.mark.parametrize("is_ours", [True, False])
def test_an_exception_is_one_field(configure: Configure, is_ours: bool) -> None:
    """A traceback makes no lines of its own in JSON."""
    written = configure()

    try:
        raise OSError("no space left")
    except OSError as error:
        if is_ours:
            logger("lsd.store").error("not stored", exc_info=error)
        else:
            logging.getLogger("libs").exception("not stored")

    (record,) = records(written)
    first, *_, last = record["exception"].splitlines()
    assert first == "Traceback (most recent call last):"
    assert last == "OSError: no space left"
    assert "exc_info" not in record


def test_the_log_goes_to_stderr(configure: Configure, capsys: pytest.CaptureFixture[str]) -> None:
    """What a command answers on stdout is never mixed with the log."""
    configure(stream=None)

    logger("lsd.cli").info("hello")

    out, err = capsys.readouterr()
    assert out == ""
    assert '"message":"hello"' in err


def test_for_eyes_the_facts_are_the_same(configure: Configure) -> None:
    """The pretty form shows time, level, logger, message, process and fields in one line."""
    written = configure(form="pretty", level="debug")

    logger("lsd.store").debug("committed", rows=3)

    (line,) = written.getvalue().splitlines()
    assert line.startswith("20")
    for shown in ("Z [debug", "[lsd.store]", "committed", f"pid={os.getpid()}", "worker=0"):
        assert shown in line
    assert line.endswith("rows=3")


def test_before_the_log_is_set_up_tests_see_everything() -> None:
    """A room's tests need no set-up to look at what it logs, at any level."""
    with capture_logs() as logs:
        logger("lsd.store.writer").debug("committed", rows=3)
        logger("lsd.store.writer").info("again")

    assert logs == [
        {"event": "committed", "log_level": "debug", "rows": 3},
        {"event": "again", "log_level": "info"},
    ]
