"""Edits of what is sent to a provider: `extra_body` and `extra_headers`."""

from typing import Annotated, Any

import attrs

from lsd.config.kinds import AnyToml, HeaderName, HeaderValue, Unquoted
from lsd.conversation import BodyEdit, HeaderEdit

UNSET = None
"""TOML has no null, so that None can say that `value` is absent."""


@attrs.frozen(kw_only=True)
class ExtraBodyEntry:
    """Puts `value` at `pointer` of the body, or deletes what is there."""

    pointer: str
    value: Annotated[Any, AnyToml()] = UNSET
    delete: bool | None = None

    @property
    def edit(self) -> BodyEdit:
        """The same in the words of a request."""
        return BodyEdit(pointer=self.pointer, value=self.value, delete=bool(self.delete))


@attrs.frozen(kw_only=True)
class ExtraHeaderEntry:
    """Sets the header `name`, or deletes it."""

    name: Annotated[str, HeaderName()]
    value: Annotated[str, HeaderValue(), Unquoted()] | None = attrs.field(default=None, repr=False)
    delete: bool | None = None

    @property
    def edit(self) -> HeaderEdit:
        """The same in the words of a request."""
        return HeaderEdit(name=self.name, value=self.value or "", delete=bool(self.delete))
