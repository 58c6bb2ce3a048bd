"""How the log is set up: by options, by the environment, by `gateway.debug`."""

from collections.abc import Mapping
from typing import get_args

import attrs
import click

from lsd.telemetry import LogFormat, LogSettings

DEFAULT_FORMAT: LogFormat = "pretty"


@attrs.frozen(kw_only=True)
class LoggingOptions(LogSettings):
    """What the command line and the environment ask of the log."""

    def configure(self, *, debug: bool, worker: int = 0) -> None:
        """Sets the log up. Raises click.UsageError for an unknown level."""
        try:
            super().configure(debug=debug, worker=worker)
        except ValueError as error:
            raise click.UsageError(f"--log-level, LSD_LOG: {error}") from None


def logging_from(
    form: str | None, level: str | None, environment: Mapping[str, str]
) -> LoggingOptions:
    """The options of the command line, and what the environment says.

    `LSD_LOG` is a level or a list `logger=level,…`, perhaps with a level among them; it beats
    `--log-level`. `LSD_LOG_FORMAT` stands in where there is no `--log-format`.
    """
    shown = form or environment.get("LSD_LOG_FORMAT") or DEFAULT_FORMAT
    if shown not in get_args(LogFormat):
        raise click.UsageError(f"LSD_LOG_FORMAT: found {shown!r}; wanted pretty or json")
    levels: dict[str, str] = {}
    for part in environment.get("LSD_LOG", "").split(","):
        name, equals, each = (word.strip() for word in part.partition("="))
        if equals:
            levels[name] = each
        else:
            level = name or level
    return LoggingOptions(form=shown, level=level, levels=levels)  # type: ignore[arg-type]
