"""What loading has found so far: problems, warnings and notes, each with its file."""

from collections.abc import Iterable

import attrs

from lsd.config.key_path import KeyPath, show_key
from lsd.config.problem import Problem
from lsd.config.reading.document import Document


@attrs.define(eq=False)
class Findings:
    """Collects; whoever looks decides whether to go on."""

    document: Document
    problems: list[Problem] = attrs.field(factory=list, init=False)
    warnings: list[Problem] = attrs.field(factory=list, init=False)

    def refuse(self, path: KeyPath, found: str, wanted: str = "") -> None:
        """The configuration cannot be used, because of what stands at `path`."""
        self.problems.append(self._told(path, found, wanted))

    def warn(self, path: KeyPath, found: str, wanted: str = "") -> None:
        """Something at `path` is probably not what the operator wants."""
        self.warnings.append(self._told(path, found, wanted))

    def _told(self, path: KeyPath, found: str, wanted: str) -> Problem:
        return Problem(file=self.document.file_of(path), path=path, found=found, wanted=wanted)


def listed(names: Iterable[str]) -> str:
    """Names for "wanted one of …", sorted; a word where there are none."""
    return ", ".join(map(show_key, sorted(names))) or "(there are none)"
