"""Where usage is counted: rows of each minute, hour and day, and of all time."""

from collections.abc import Iterator
from typing import Final

import attrs

from lsd.store.layout import (
    MODEL_USAGE,
    MODEL_USAGE_BY_DAY,
    MODEL_USAGE_BY_HOUR,
    MODEL_USAGE_BY_MINUTE,
    TIME,
    VARIANT_USAGE,
    VARIANT_USAGE_BY_DAY,
    VARIANT_USAGE_BY_HOUR,
    VARIANT_USAGE_BY_MINUTE,
)
from lsd.store.transaction import Database

MS_PER_MINUTE: Final = 60_000

MINUTES_END: Final = (1 << 32) // 1440 * 1440
"""Behind every minute that fits a key; a whole number of days."""


@attrs.frozen
class UsageRows:
    """The databases of one kind of usage. `by_length` holds the minutes of a row, ascending."""

    of_all: Database
    by_length: tuple[tuple[int, Database], ...]

    @property
    def databases(self) -> tuple[Database, ...]:
        """All of them."""
        return self.of_all, *(database for _, database in self.by_length)

    def places(self, pair: bytes, minute: int) -> Iterator[tuple[Database, bytes]]:
        """The databases and the keys, but for the shard, in which something of a minute counts."""
        yield self.of_all, pair
        for length, database in self.by_length:
            yield database, pair + TIME.pack(minute // length)

    def spans(self, first: int, end: int) -> Iterator[tuple[Database, int, int]]:
        """The rows that make up the minutes from `first` up to `end`: long ones where they fit."""
        return _spans(self.by_length, first, end)


def minute_of(own_id: bytes) -> int:
    """The minutes since 1970 in which an id was made."""
    return int.from_bytes(own_id[:6], "big") // MS_PER_MINUTE


def _spans(
    by_length: tuple[tuple[int, Database], ...], first: int, end: int
) -> Iterator[tuple[Database, int, int]]:
    (length, database), *longer = by_length
    if not longer:
        yield database, first // length, end // length
        return
    next_length = longer[0][0]
    inner_first, inner_end = -(-first // next_length) * next_length, end - end % next_length
    if inner_first >= inner_end:
        yield database, first // length, end // length
        return
    yield database, first // length, inner_first // length
    yield from _spans(tuple(longer), inner_first, inner_end)
    yield database, inner_end // length, end // length


OF_VARIANTS: Final = UsageRows(
    VARIANT_USAGE,
    ((1, VARIANT_USAGE_BY_MINUTE), (60, VARIANT_USAGE_BY_HOUR), (1440, VARIANT_USAGE_BY_DAY)),
)
OF_MODELS: Final = UsageRows(
    MODEL_USAGE,
    ((1, MODEL_USAGE_BY_MINUTE), (60, MODEL_USAGE_BY_HOUR), (1440, MODEL_USAGE_BY_DAY)),
)
