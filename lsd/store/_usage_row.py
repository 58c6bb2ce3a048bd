"""The row of a database that holds a `Usage`: sums, then counts of buckets, ascending.

Every commit changes some of these rows: that costs what is changed, not what a row holds.
"""

import operator
from collections.abc import Iterable, Sequence
from struct import Struct
from typing import Final

import attrs

from lsd.store.usage import FIRST_TOKEN, SUMS, AddedUsage, Usage, bucket_of_code

_SUMS: Final = Struct(f">{SUMS}q")
_ENTRY: Final = Struct(">Hq")
"""A bucket's code, and how many fell into it."""

_CODE_BYTES: Final = 2


@attrs.define(eq=False)
class UsageRow:
    """A row that is being changed."""

    _sums: Sequence[int]
    _entries: bytearray

    @classmethod
    def read(cls, packed: bytes | None) -> "UsageRow":
        """The inverse of `encode`."""
        if packed is None:
            return cls((0,) * SUMS, bytearray())
        return cls(_SUMS.unpack_from(packed), bytearray(packed[_SUMS.size :]))

    def add(self, added: AddedUsage) -> None:
        """Adds inferences, or model inferences, to the row."""
        self._add(added.sums, added.codes.items())

    def take(self, taken: AddedUsage) -> None:
        """Takes one away again."""
        self._sums = tuple(map(operator.sub, self._sums, taken.sums))
        for code, times in taken.codes.items():
            _count(self._entries, code, -times)

    def add_row(self, packed: bytes) -> None:
        """Adds all that another row holds."""
        self._add(_SUMS.unpack_from(packed), _ENTRY.iter_unpack(packed[_SUMS.size :]))

    def encode(self) -> bytes | None:
        """The row as it is stored; None if nothing is left in it."""
        if self._entries or any(self._sums):
            return _SUMS.pack(*self._sums) + self._entries
        return None

    def _add(self, sums: Iterable[int], codes: Iterable[tuple[int, int]]) -> None:
        self._sums = tuple(map(operator.add, self._sums, sums))
        for code, times in codes:
            _count(self._entries, code, times)


def usage_of(packed: bytes) -> Usage:
    """What a row holds."""
    usage = Usage(list(_SUMS.unpack_from(packed)))
    for code, times in _ENTRY.iter_unpack(packed[_SUMS.size :]):
        histogram = usage.first_tokens if code & FIRST_TOKEN else usage.durations
        histogram[bucket_of_code(code)] = times
    return usage


def count_of(packed: bytes) -> int:
    """How many a row is about, which is all that some ask for."""
    return int.from_bytes(packed[:8], "big", signed=True)


def _count(entries: bytearray, code: int, times: int) -> None:
    """Adds to the count of one bucket; a count of 0 has no entry."""
    place = _find(entries, code.to_bytes(_CODE_BYTES, "big"))
    if place is None:
        if times:
            place = _place_for(entries, code)
            entries[place:place] = _ENTRY.pack(code, times)
        return
    times += _ENTRY.unpack_from(entries, place)[1]
    if times:
        _ENTRY.pack_into(entries, place, code, times)
    else:
        del entries[place : place + _ENTRY.size]


def _find(entries: bytearray, code: bytes) -> int | None:
    """Where the entry of a code is. To search bytes is quicker than to look at entries."""
    place = entries.find(code)
    while place >= 0:
        if place % _ENTRY.size == 0:
            return place
        place = entries.find(code, place + 1)
    return None


def _place_for(entries: bytearray, code: int) -> int:
    """Where the entry of a new code belongs."""
    low, high = 0, len(entries) // _ENTRY.size
    while low < high:
        middle = (low + high) // 2
        if _ENTRY.unpack_from(entries, middle * _ENTRY.size)[0] < code:
            low = middle + 1
        else:
            high = middle
    return low * _ENTRY.size
