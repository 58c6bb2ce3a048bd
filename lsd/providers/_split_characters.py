"""Events whose JSON holds half a character, the other half of which comes with the next event.

Characters beyond 16 bits are two escapes in JSON, and some servers cut their text between them.
"""

import re

import attrs

from lsd.conversation import JsonValue, NotJson, decode_json

_ESCAPE = re.compile(
    r"\\(?:u(?P<high>[dD][89abAB][0-9a-fA-F]{2})(?:\\u(?P<low>[dD][c-fC-F][0-9a-fA-F]{2}))?"
    r"|u(?P<lone>[dD][c-fC-F][0-9a-fA-F]{2})|.)"
)
"""A character's two halves together, a first half alone, a second half alone, or any other escape,
so that an escaped backslash before a `u` is none of these."""


@attrs.define(eq=False)
class EventDecoder:
    """Decodes the data of one event after another.

    A first half waits for the second one, and goes if that does not come; a second half without
    a first one becomes U+FFFD.
    """

    _held: str = attrs.field(default="", init=False)

    def decode(self, data: str) -> JsonValue:
        """The value in the data of an event. Raises NotJson."""
        try:
            return decode_json(data)
        except NotJson:
            mended = _ESCAPE.sub(self._mend, data)
            if mended == data:
                raise
            return decode_json(mended)

    def _mend(self, escape: re.Match[str]) -> str:
        if escape["high"] and not escape["low"]:
            self._held = escape[0]
            return ""
        if escape["lone"]:
            held, self._held = self._held, ""
            return held + escape[0] if held else "\\ufffd"
        return escape[0]
