"""A folder with a configuration in it, and what loading makes of it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs
import pytest

from lsd.config import ConfigRefused, Loaded, Sources, load
from lsd.config.unsupported import NOT_YET

BASIS = 'models.m = { routing = ["p"], providers.p = { type = "echo" } }\n'
"""A model to call, for configurations that are about something else."""


@attrs.define(eq=False)
class Folder:
    """Writes files, and loads them as the daemon would that is started in this folder."""

    path: Path
    environment: dict[str, str] = attrs.field(factory=dict)

    def write(self, name: str, text: str) -> Path:
        """A file below the folder, with its own folders."""
        file = self.path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        return file

    def load(self, text: str | None = None, *, basis: bool = False, **sources: Any) -> Loaded:
        """What `lsd.toml` with this text gives, after the basis if asked for."""
        if text is not None:
            self.write("lsd.toml", (BASIS if basis else "") + text)
        return load(self.sources(**sources))

    def refused(self, text: str | None = None, **options: Any) -> list[str]:
        """The problems of a configuration that must not start, without the summary."""
        with pytest.raises(ConfigRefused) as caught:
            self.load(text, **options)
        *lines, summary = str(caught.value).splitlines()
        count = len(lines)
        assert summary == f"configuration refused: {count} problem{'s' if count > 1 else ''}"
        return lines

    def problem(self, text: str | None = None, **options: Any) -> str:
        """The only problem of a configuration, without the file."""
        (line,) = self._lines(text, **options)
        return line

    def problems(self, text: str | None = None, **options: Any) -> Mapping[str, str]:
        """All problems of a configuration by their key paths.

        Several at one path are in one text, on lines of their own.
        """
        problems: dict[str, str] = {}
        for line in self._lines(text, **options):
            path, _, told = line.partition(": ")
            problems[path] = f"{problems[path]}\n{told}" if path in problems else told
        return problems

    def _lines(self, text: str | None, **options: Any) -> list[str]:
        """What is wrong, but for features that are not there yet: those are nobody's mistake."""
        try:
            self.load(text, **options)
        except ConfigRefused as refused:
            told = [str(each) for each in refused.problems if not each.found.endswith(NOT_YET)]
            return [line.removeprefix("lsd.toml: ") for line in told]
        return []

    def sources(self, **changes: Any) -> Sources:
        """The sources of a start in this folder."""
        return Sources(
            **{"environment": self.environment, "working_directory": self.path} | changes
        )
