"""The root of all errors of LSD, and the one way in which a problem is told."""

import attrs


class LsdError(Exception):
    """Whatever LSD raises on purpose. Anything else that comes up is a bug."""


@attrs.frozen(order=True)
class Problem:
    """One thing that is wrong: where it is, and what was found and wanted.

    `path` is a dotted key path with list indexes in brackets
    (`input.messages[0].content[1].type`), empty for the whole document.
    """

    path: str
    reason: str

    def __str__(self) -> str:
        return f"{self.path}: {self.reason}" if self.path else self.reason


@attrs.define(eq=False)
class Malformed(LsdError):
    """A document does not have the shape it must have; all its problems are told at once."""

    problems: tuple[Problem, ...]

    def __str__(self) -> str:
        return "; ".join(str(problem) for problem in self.problems)
