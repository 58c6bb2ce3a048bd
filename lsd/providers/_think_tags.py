"""`<think>…</think>` in the text of models whose servers leave reasoning there."""

from typing import Literal

import attrs

OPENING = "<think>"
CLOSING = "</think>"

Part = Literal["before", "thought", "after"]
"""Where a piece of text lies; the values are in the order in which they come."""


@attrs.define(eq=False)
class ThinkTags:
    """Separates the first thought from the text around it, however the text was cut.

    Later tags are text. A thought that is never closed goes on to the end. White space before the
    opening tag is dropped if nothing else stands there.
    """

    _part: Part = attrs.field(default="before", init=False)
    _held: str = attrs.field(default="", init=False)
    _spoken: bool = attrs.field(default=False, init=False)

    def feed(self, text: str) -> list[tuple[Part, str]]:
        """The pieces that `text` completes; what may be the beginning of a tag is held back."""
        if self._part == "after":
            return [("after", text)] if text else []
        pieces: list[tuple[Part, str]] = []
        self._held += text
        if self._part == "before" and self._pass(OPENING, pieces):
            self._part = "thought"
        if self._part == "thought" and self._pass(CLOSING, pieces):
            self._part = "after"
        if self._part == "after":
            pieces += self.end()
        return pieces

    def end(self) -> list[tuple[Part, str]]:
        """What was held back."""
        held, self._held = self._held, ""
        return [(self._part, held)] if held else []

    def _pass(self, tag: str, pieces: list[tuple[Part, str]]) -> bool:
        """Tells what stands before `tag`; whether the tag was found and is now behind."""
        head, found, rest = self._held.partition(tag)
        if found:
            self._held = rest
        else:
            kept = _beginning_of(tag, head)
            self._held = head[len(head) - kept :]
            head = head[: len(head) - kept]
        if self._part == "before" and not self._spoken and (not head or head.isspace()):
            # White space is dropped before a thought and kept before any other text.
            if not found:
                self._held = head + self._held
            return bool(found)
        if head:
            self._spoken = True
            pieces.append((self._part, head))
        return bool(found)


def _beginning_of(tag: str, text: str) -> int:
    """The length of the longest end of `text` that `tag` could go on from."""
    for length in range(min(len(tag) - 1, len(text)), 0, -1):
        if text.endswith(tag[:length]):
            return length
    return 0
