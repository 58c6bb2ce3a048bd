"""How the log of a daemon is set up, in each of its processes."""

from collections.abc import Mapping

import attrs

from lsd.telemetry.logs import LogFormat, configure_logging


@attrs.frozen(kw_only=True)
class LogSettings:
    """What was asked of the log; `level` None leaves it to the configuration."""

    form: LogFormat = "pretty"
    level: str | None = None
    levels: Mapping[str, str] = attrs.field(factory=dict)

    def configure(self, *, debug: bool, worker: int = 0) -> None:
        """Sets the log of this process up. Raises ValueError for an unknown level."""
        level = self.level or ("debug" if debug else "info")
        configure_logging(form=self.form, level=level, levels=self.levels, worker=worker)
