"""Streams of ids in their order, and what is in all of several streams.

An index of the layout is a prefix with ids behind it, or with ids behind times; each is such a
stream, and the one serves as well as the other. What several conditions have in common is found by
letting the streams leap over each other: a step costs a seek per stream, and no more steps are made
than the shortest stream has ids.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from typing import Protocol

import attrs

from lsd.store.transaction import Seeker

_STEPS_BEFORE_SEEK = 2
"""Ids that are stepped over one by one before a seek, which costs about as much as these."""


class Postings(Protocol):
    """Ids in one direction."""

    def seek(self, bound: bytes) -> bytes | None:
        """The first id at `bound` or behind it, in the direction of the stream; None: no more.

        From call to call, `bound` only moves on.
        """


@attrs.define(eq=False)
class IndexPostings:
    """The ids behind a prefix of an index."""

    _seeker: Seeker
    _prefix: bytes
    _descending: bool
    _current: bytes | None = attrs.field(default=None, init=False)

    def seek(self, bound: bytes) -> bytes | None:
        """See Postings."""
        wanted = self._prefix + bound
        current = self._current
        if current is None:
            current = self._found(wanted)
        else:
            step = self._seeker.previous if self._descending else self._seeker.next
            steps = 0
            while current is not None and not self._is_behind(current, wanted):
                if steps == _STEPS_BEFORE_SEEK:
                    current = self._found(wanted)
                    break
                current = step()
                steps += 1
        self._current = current
        if current is None or not current.startswith(self._prefix):
            return None
        return current[len(self._prefix) :]

    def _is_behind(self, key: bytes, wanted: bytes) -> bool:
        return key <= wanted if self._descending else key >= wanted

    def _found(self, wanted: bytes) -> bytes | None:
        if self._descending:
            return self._seeker.last_to(wanted)
        return self._seeker.first_from(wanted)


@attrs.frozen(eq=False)
class UnitedPostings:
    """The ids that are in any of several streams."""

    _streams: Sequence[Postings]
    _descending: bool

    def seek(self, bound: bytes) -> bytes | None:
        """See Postings."""
        found = [each for stream in self._streams if (each := stream.seek(bound)) is not None]
        if not found:
            return None
        return max(found) if self._descending else min(found)


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
