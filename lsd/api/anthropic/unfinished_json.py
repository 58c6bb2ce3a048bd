"""Whether a JSON object that arrives in pieces is whole."""

import re

import attrs

_TELLING = re.compile(r'["\\{}\[\]]')
"""The characters that decide; all others are passed over at the speed of the engine."""


@attrs.define(eq=False)
class UnfinishedObject:
    """Looks at every character once, however the text was cut; nothing is kept of it."""

    is_whole: bool = attrs.field(default=False, init=False)
    _depth: int = attrs.field(default=0, init=False)
    _is_in_string: bool = attrs.field(default=False, init=False)
    _is_escaped: bool = attrs.field(default=False, init=False)

    def add(self, piece: str) -> None:
        """The next piece of the text."""
        place = 0
        if self._is_escaped and piece:
            self._is_escaped = False
            place = 1
        while (found := _TELLING.search(piece, place)) is not None:
            place = found.end() + self._take(found.group(), is_last=found.end() == len(piece))

    def _take(self, character: str, *, is_last: bool) -> int:
        """Counts a character; gives how many behind it mean nothing."""
        if self._is_in_string:
            if character == "\\":
                self._is_escaped = is_last
                return 1
            self._is_in_string = character != '"'
        elif character == '"':
            self._is_in_string = True
        elif character in "{[":
            self._depth += 1
        elif character in "}]":
            self._depth -= 1
            self.is_whole = self.is_whole or self._depth == 0
        return 0
