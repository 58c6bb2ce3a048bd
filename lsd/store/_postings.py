"""Streams of ids in their order, and what is in all of several streams.

An index of the layout is a prefix with ids behind it, or with ids behind times; each is such a
stream, and the one serves as well as the other. What several
conditions have in common is found by letting the streams leap over each other: a step costs a
seek per stream, and no more steps are made than the shortest stream has ids.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from typing import Protocol

import attrs

from lsd.store.layout import end_of
from lsd.store.transaction import Database, Transaction

_STEPS_BEFORE_SEEK = 8
"""Ids that are stepped over one by one before a seek, which costs as much as these."""


class Postings(Protocol):
    """Ids in one direction."""

    def seek(self, bound: bytes) -> bytes | None:
        """The first id at `bound` or behind it, in the direction of the stream; None: no more.

        From call to call, `bound` only moves on.
        """


@attrs.define(eq=False, kw_only=True)
class IndexPostings:
    """The ids behind a prefix of an index."""

    _transaction: Transaction
    _database: Database
    _prefix: bytes
    _descending: bool
    _keys: Iterator[bytes] = attrs.field(factory=lambda: iter(()), init=False)
    _current: bytes | None = attrs.field(default=None, init=False)

    def seek(self, bound: bytes) -> bytes | None:
        """See Postings."""
        if self._current is not None:
            for _ in range(_STEPS_BEFORE_SEEK):
                if self._is_behind(self._current, bound):
                    return self._current
                self._current = next(self._keys, None)
                if self._current is None:
                    return None
        self._keys = self._keys_from(bound)
        self._current = next(self._keys, None)
        return self._current

    def _is_behind(self, found: bytes, bound: bytes) -> bool:
        return found <= bound if self._descending else found >= bound

    def _keys_from(self, bound: bytes) -> Iterator[bytes]:
        prefix = self._prefix
        if self._descending:
            entries = self._transaction.range(
                self._database, prefix, prefix + bound + b"\0", reverse=True
            )
        else:
            entries = self._transaction.range(self._database, prefix + bound, end_of(prefix))
        return (key[len(prefix) :] for key, _ in entries)


@attrs.define(eq=False)
class ListedPostings:
    """Ids that were collected before; `ids` ascend."""

    _ids: Sequence[bytes]
    _descending: bool

    def seek(self, bound: bytes) -> bytes | None:
        """See Postings."""
        if self._descending:
            place = bisect_right(self._ids, bound) - 1
            return self._ids[place] if place >= 0 else None
        place = bisect_left(self._ids, bound)
        return self._ids[place] if place < len(self._ids) else None


def meet(streams: Sequence[Postings], bound: bytes) -> tuple[bytes, bool] | None:
    """One step towards the next id, at `bound` or behind it, that is in all `streams`.

    Gives the id up to which nothing is in all of them, and whether this one is; None: there is no
    more.
    """
    first = streams[0].seek(bound)
    if first is None:
        return None
    candidate = first
    for stream in streams[1:]:
        found = stream.seek(candidate)
        if found is None:
            return None
        candidate = found
    return candidate, candidate == first


def next_id(found: bytes, *, descending: bool) -> bytes | None:
    """The id right behind another one; None at the end of all ids of its length."""
    if not found.strip(b"\0" if descending else b"\xff"):
        return None
    number = int.from_bytes(found, "big") + (-1 if descending else 1)
    return number.to_bytes(len(found), "big")
