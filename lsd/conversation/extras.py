"""Edits that operators and callers make to a request just before it is sent."""

import attrs

from lsd.conversation.json import JsonValue


@attrs.frozen(kw_only=True)
class BodyEdit:
    """Puts `value` at `pointer` (RFC 6901) of the body, or deletes what is there."""

    pointer: str
    value: JsonValue = None
    delete: bool = False


@attrs.frozen(kw_only=True)
class HeaderEdit:
    """Sets the header `name`, or deletes it."""

    name: str
    value: str = ""
    delete: bool = False


@attrs.frozen(kw_only=True)
class Edits:
    """Edits in the order in which they are made: variant, provider, request."""

    body: tuple[BodyEdit, ...] = ()
    headers: tuple[HeaderEdit, ...] = ()


NO_EDITS = Edits()
