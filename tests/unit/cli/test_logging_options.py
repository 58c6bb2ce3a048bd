"""How the log is set up: by options, by the environment, by the configuration."""

import logging
from typing import Any

import click
import pytest

from lsd.cli.logging_options import LoggingOptions, logging_from


def options(
    form: str | None = None, level: str | None = None, **environment: str
) -> LoggingOptions:
    """What command line and environment ask for."""
    return logging_from(form, level, environment)


@pytest.mark.parametrize(
    ("form", "environment", "shown"),
    [
        (None, {}, "pretty"),
        ("json", {}, "json"),
        (None, {"LSD_LOG_FORMAT": "json"}, "json"),
        (None, {"LSD_LOG_FORMAT": ""}, "pretty"),
        ("pretty", {"LSD_LOG_FORMAT": "json"}, "pretty"),
        ("json", {"LSD_LOG_FORMAT": "nonsense"}, "json"),
    ],
)
def test_the_form_is_that_of_the_line_or_else_of_the_environment(
    form: str | None, environment: dict[str, str], shown: str
) -> None:
    """For eyes, unless anybody asks for JSON."""
    assert options(form, **environment).form == shown


def test_a_form_that_is_none_is_told() -> None:
    """With the ones that there are."""
    with pytest.raises(
        click.UsageError, match="LSD_LOG_FORMAT: found 'xml'; wanted pretty or json"
    ):
        options(LSD_LOG_FORMAT="xml")


@pytest.mark.parametrize(
    ("level", "variable", "expected"),
    [
        (None, "", (None, {})),
        ("warn", "", ("warn", {})),
        (None, "debug", ("debug", {})),
        ("warn", "debug", ("debug", {})),
        ("warn", "lsd.store=debug", ("warn", {"lsd.store": "debug"})),
        (
            None,
            "error,lsd.store=debug,httpx=info",
            ("error", {"lsd.store": "debug", "httpx": "info"}),
        ),
        (None, "lsd.store=debug,error", ("error", {"lsd.store": "debug"})),
        (None, " error , lsd.store = debug ,, ", ("error", {"lsd.store": "debug"})),
        (None, " , ", (None, {})),
    ],
)
def test_the_environment_beats_the_line(level: str | None, variable: str, expected: Any) -> None:
    """`LSD_LOG` is a level, or levels by logger, or both."""
    asked = options(None, level, LSD_LOG=variable)

    assert (asked.level, asked.levels) == expected


@pytest.mark.parametrize(
    ("level", "variable", "debug", "effective"),
    [
        (None, "", False, logging.INFO),
        (None, "", True, logging.DEBUG),
        ("warn", "", True, logging.WARNING),
        ("warn", "", False, logging.WARNING),
        ("warn", "error", True, logging.ERROR),
        (None, "Info", True, logging.INFO),
    ],
)
def test_the_configuration_counts_where_nothing_else_is_said(
    level: str | None, variable: str, debug: bool, effective: int
) -> None:
    """`gateway.debug` shows more, unless line or environment name a level."""
    options(None, level, LSD_LOG=variable).configure(debug=debug)

    assert logging.getLogger("lsd.api").getEffectiveLevel() == effective


def test_a_logger_may_have_a_level_of_its_own() -> None:
    """And all below it."""
    options(LSD_LOG="error,lsd.store=debug").configure(debug=False)

    assert logging.getLogger("lsd.api").getEffectiveLevel() == logging.ERROR
    assert logging.getLogger("lsd.store.writer").getEffectiveLevel() == logging.DEBUG


@pytest.mark.parametrize(
    ("level", "variable", "found"),
    [("loud", "", "loud"), (None, "loud", "loud"), (None, "lsd=loud", "loud"), (None, "lsd=", "")],
)
def test_an_unknown_level_is_told(level: str | None, variable: str, found: str) -> None:
    """As a mistake of the command line, with the levels that there are."""
    with pytest.raises(click.UsageError) as refused:
        options(None, level, LSD_LOG=variable).configure(debug=False)

    told = f"--log-level, LSD_LOG: found log level {found!r}; wanted one of debug, info, warn"
    assert refused.value.message.startswith(told)
