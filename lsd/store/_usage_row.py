"""The row of a database that holds a `Usage`: sums, then counts of buckets, ascending.

Every commit changes some of these rows: that costs what is changed, not what a row holds.
"""

import operator
from collections import Counter
from collections.abc import Mapping, Sequence
from struct import Struct
from typing import Final

import attrs

from lsd.store.usage import FIRST_TOKEN, SUMS, AddedUsage, Usage, bucket_of_code

_SUMS: Final = Struct(f">{SUMS}q")
_NOTHING: Final = _SUMS.pack(*[0] * SUMS)
_ENTRY: Final = Struct(">Hq")
"""A bucket's code, and how many fell into it."""

_CODE_BYTES: Final = 2


@attrs.define(eq=False)
class UsageRow:
    """A row that is being changed."""

    _packed: bytes | None
    _sums: list[int] = attrs.field(factory=lambda: [0] * SUMS, init=False)
    _codes: dict[int, int] = attrs.field(factory=dict, init=False)

    def add(self, added: AddedUsage) -> None:
        """Adds inferences, or model inferences, to the row."""
        self.add_all(added.sums, Counter(added.codes))

    def add_all(self, sums: Sequence[int], codes: Mapping[int, int]) -> None:
        """The same, of their sums and of how often they have each code."""
        self._sums = list(map(operator.add, self._sums, sums))
        for code, times in codes.items():
            self._codes[code] = self._codes.get(code, 0) + times

    def take(self, taken: AddedUsage) -> None:
        """Takes one away again."""
        self._sums = list(map(operator.sub, self._sums, taken.sums))
        for code in taken.codes:
            self._codes[code] = self._codes.get(code, 0) - 1

    def add_row(self, packed: bytes) -> None:
        """Adds all that another row holds."""
        self._sums = list(map(operator.add, self._sums, _SUMS.unpack_from(packed)))
        for code, times in _ENTRY.iter_unpack(packed[_SUMS.size :]):
            self._codes[code] = self._codes.get(code, 0) + times

    def encode(self) -> bytes | None:
        """The row as it is stored; None if nothing is left in it."""
        packed = self._packed or _NOTHING
        sums = list(map(operator.add, self._sums, _SUMS.unpack_from(packed)))
        entries = bytearray(packed[_SUMS.size :])
        for code, times in self._codes.items():
            _count(entries, code, times)
        return _SUMS.pack(*sums) + entries if any(sums) or entries else None


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
