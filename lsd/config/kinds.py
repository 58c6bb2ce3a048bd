"""What a key may hold beyond its Python type: marks on the annotations of the tables.

The classes in `tables` say with a type what TOML a key takes, and with one of these marks what
else there is to know: a bound, a size with a unit, a file, a text with a form of its own. Reading,
checking, the snapshot and the reference of keys all go by the same annotations.
"""

import math
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from itertools import pairwise
from typing import Annotated, Any, Protocol
from urllib.parse import urlsplit

import attrs

UINT32_MAX = 2**32 - 1


class Check(Protocol):
    """A demand on a value that already has the right type."""

    wanted: str

    def fits(self, value: Any) -> bool:
        """Whether the value may stand."""


@attrs.frozen(kw_only=True)
class Bounds:
    """The range of a number."""

    minimum: float | None = None
    maximum: float | None = None
    above: float | None = None

    def fits(self, value: float | Decimal) -> bool:
        return (
            (self.minimum is None or value >= self.minimum)
            and (self.maximum is None or value <= self.maximum)
            and (self.above is None or value > self.above)
        )

    @property
    def wanted(self) -> str:
        """The range in words: `at least 1`, `0 to 4294967295`, `more than 0`."""
        if self.above is not None:
            return f"more than {self.above}"
        if self.minimum is not None and self.maximum is not None:
            return f"{self.minimum} to {self.maximum}"
        return f"at least {self.minimum}" if self.minimum is not None else f"at most {self.maximum}"


@attrs.frozen
class HttpUrl:
    """An absolute address, so that a mistyped one is found before the first call."""

    wanted: str = "an absolute http:// or https:// URL"

    def fits(self, value: str) -> bool:
        try:
            parts = urlsplit(value)
            _ = parts.port
        except ValueError:
            return False
        return (
            parts.scheme in ("http", "https")
            and bool(parts.hostname)
            and not re.search(r"[\s\x00-\x1f\x7f]", value)
        )


@attrs.frozen
class BucketUri:
    """A place in Google's Cloud Storage: a bucket, and the beginning of names in it."""

    wanted: str = "gs://bucket or gs://bucket/folder"

    def fits(self, value: str) -> bool:
        return re.fullmatch(r"gs://[a-z0-9][a-z0-9._-]+(/[^/\x00-\x1f\x7f]+)*/?", value) is not None


@attrs.frozen
class HeaderName:
    """A token of RFC 9110, section 5.6.2."""

    wanted: str = "a legal header name: letters, digits and !#$%&'*+-.^_`|~"

    def fits(self, value: str) -> bool:
        return re.fullmatch(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", value) is not None


@attrs.frozen
class HeaderValue:
    """A field value of RFC 9110, section 5.5; beyond ASCII it could not be sent unambiguously."""

    wanted: str = "visible ASCII characters, spaces and tabs, no space at either end"

    def fits(self, value: str) -> bool:
        return re.fullmatch(r"[\t\x20-\x7e]*", value) is not None and value == value.strip(" \t")


@attrs.frozen
class NotEmpty:
    """A text or list with something in it."""

    wanted: str = "not empty"

    def fits(self, value: Any) -> bool:
        return bool(value)


@attrs.frozen
class Ascending:
    """The bounds of a histogram."""

    wanted: str = "numbers of at least 0 in strictly ascending order"

    def fits(self, value: tuple[float, ...]) -> bool:
        return all(math.isfinite(each) and each >= 0 for each in value) and all(
            low < high for low, high in pairwise(value)
        )


@attrs.frozen
class EchoStatuses:
    """The script of an `echo` provider."""

    wanted: str = "a list of 200 (answers), 400 to 599 (fails) and 0 (drops the connection)"

    def fits(self, value: tuple[int, ...]) -> bool:
        return all(each in (0, 200) or 400 <= each <= 599 for each in value)


@attrs.frozen
class SizeInBytes:
    """An integer, or a text with `KiB`, `MiB`, `GiB` or `TiB`."""


@attrs.frozen
class Money:
    """A decimal number, taken exactly as it is written."""


@attrs.frozen
class Unquoted:
    """What stands here may be secret: no message ever shows it."""


@attrs.frozen
class KeptAsWritten:
    """A path; relative ones start at the folder of the file that holds the key."""


@attrs.frozen
class JsonFile:
    """The path of a file that holds a JSON Schema."""


@attrs.frozen
class TextFileKey:
    """The path of a file whose text is taken as it is."""


@attrs.frozen
class AnyToml:
    """Any value at all; dates become RFC 3339 texts, since they travel as JSON."""


@attrs.frozen
class OneOrMany:
    """A list, or a single entry without the brackets."""


@attrs.frozen
class NameOfTable:
    """A text whose default is the name of the table it stands in."""


@attrs.frozen
class Within:
    """The keys of this value stand in the same table as those of its owner."""


@attrs.frozen
class Deprecated:
    """Still taken, with a warning that says what to write instead."""

    instead: str


@attrs.frozen
class SchemaKeys:
    """`schemas.N.path`, and `system_schema`, `user_schema`, `assistant_schema`."""


@attrs.frozen
class TemplateKeys:
    """`templates.N.path`, `X_template` and `input_wrappers.X` of the three roles."""


@attrs.frozen
class LimitKeys:
    """`limits`, and the short keys such as `tokens_per_minute`."""


@attrs.frozen
class WeightKeys:
    """A list of names, each of weight 1, or a table of weights by name."""


@attrs.frozen
class TextForm:
    """A text with a form of its own.

    `parse` raises ValueError saying what is wrong with the text and what would be right, `show` is
    its inverse, `warn` says what to warn of. `placeholder` stands in for a text that does not
    parse, so that the other checks can go on.
    """

    kind: str
    parse: Callable[[str], Any]
    show: Callable[[Any], str]
    placeholder: Any
    warn: Callable[[str], str | None] = lambda _: None
    secret: bool = False


Milliseconds = Annotated[int, Bounds(minimum=1)]
Count = Annotated[int, Bounds(minimum=1)]
Natural = Annotated[int, Bounds(minimum=0)]
UInt32 = Annotated[int, Bounds(minimum=0, maximum=UINT32_MAX)]
Int32 = Annotated[int, Bounds(minimum=-(2**31), maximum=2**31 - 1)]
ByteSize = Annotated[int, SizeInBytes(), Bounds(minimum=1)]
Url = Annotated[str, HttpUrl()]
JsonTable = Annotated[Mapping[str, Any], AnyToml()]
