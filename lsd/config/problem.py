"""What is wrong with a configuration, told so that it can be mended."""

import attrs

from lsd.config.key_path import KeyPath, show_path, sort_key
from lsd.conversation import LsdError


@attrs.frozen(kw_only=True)
class Problem:
    """One thing that is wrong.

    `file` is the one that holds the key, or for a missing key the one that opens its table; it is
    empty where no file is to blame. `path` is empty for a whole file.
    """

    file: str = ""
    path: KeyPath = ()
    found: str
    wanted: str = ""

    def __str__(self) -> str:
        told = f"{self.found}; {self.wanted}" if self.wanted else self.found
        return ": ".join(part for part in (self.file, show_path(self.path), told) if part)


@attrs.define(eq=False)
class ConfigRefused(LsdError):
    """The configuration cannot be used; all problems that could be found are told at once."""

    problems: tuple[Problem, ...]

    def __str__(self) -> str:
        count = len(self.problems)
        summary = f"configuration refused: {count} problem{'' if count == 1 else 's'}"
        return "\n".join([*map(str, self.problems), summary])


def in_order(problems: list[Problem]) -> tuple[Problem, ...]:
    """Each problem once, sorted by path."""
    return tuple(sorted(dict.fromkeys(problems), key=lambda each: (sort_key(each.path), str(each))))
