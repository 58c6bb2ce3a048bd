"""The row of a database that holds a `Usage`: sums, then counts of buckets, ascending."""

from struct import Struct
from typing import Final

import attrs

from lsd.store.usage import SUMS, Usage

_SUMS: Final = Struct(f">{SUMS}q")
_ENTRY: Final = Struct(">Hq")
_OF_FIRST_TOKEN: Final = 1 << 15
"""Set in the code of a bucket of `first_tokens`. No duration of a process that lives a thousand
years reaches the bucket of this number."""


@attrs.define(eq=False)
class UsageRow:
    """A row that is being changed; costs what the changes cost, not what the row holds."""

    _packed: bytes | None
    _change: Usage = attrs.field(factory=Usage, init=False)

    def add(self, change: Usage) -> None:
        """Adds to the row."""
        self._change.merge(change)

    def encode(self) -> bytes | None:
        """The row as it is stored; None if nothing is left in it."""
        packed = self._packed or bytes(_SUMS.size)
        sums = [
            own + more
            for own, more in zip(_SUMS.unpack_from(packed), self._change.sums, strict=True)
        ]
        entries = bytearray(packed[_SUMS.size :])
        for bucket, times in self._change.durations.items():
            _count(entries, bucket + 1, times)
        for bucket, times in self._change.first_tokens.items():
            _count(entries, (bucket + 1) | _OF_FIRST_TOKEN, times)
        return _SUMS.pack(*sums) + entries if any(sums) or entries else None


def usage_of(packed: bytes) -> Usage:
    """What a row holds."""
    usage = Usage(list(_SUMS.unpack_from(packed)))
    for code, times in _ENTRY.iter_unpack(packed[_SUMS.size :]):
        if code & _OF_FIRST_TOKEN:
            usage.first_tokens[(code ^ _OF_FIRST_TOKEN) - 1] = times
        else:
            usage.durations[code - 1] = times
    return usage


def count_of(packed: bytes) -> int:
    """How many a row is about, which is all that some ask for."""
    return int.from_bytes(packed[:8], "big", signed=True)


def _count(entries: bytearray, code: int, times: int) -> None:
    """Adds to the count of one bucket; a count of 0 has no entry."""
    low, high = 0, len(entries) // _ENTRY.size
    while low < high:
        middle = (low + high) // 2
        start = middle * _ENTRY.size
        if int.from_bytes(entries[start : start + 2], "big") < code:
            low = middle + 1
        else:
            high = middle
    place = low * _ENTRY.size
    is_there = entries[place : place + 2] == code.to_bytes(2, "big")
    if is_there:
        times += _ENTRY.unpack_from(entries, place)[1]
    end = place + _ENTRY.size * is_there
    entries[place:end] = _ENTRY.pack(code, times) if times else b""
