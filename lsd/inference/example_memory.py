"""The examples of dicl variants as they are searched: in memory, in step with the store."""

import sys
from array import array
from collections.abc import Mapping
from typing import Final

import attrs
import trio

from lsd.conversation import LsdError
from lsd.inference.neighbours import Near, Neighbours
from lsd.store import Example, Examples

MULTIPLICATIONS_MAX: Final = 200_000
"""Of a search in the event loop: below a millisecond. Longer ones are made in a thread."""

_Key = tuple[str, str]
"""Function and variant."""


@attrs.frozen(kw_only=True)
class FoundExample:
    """An example and how far it is from the input."""

    distance: float
    example: Example


@attrs.frozen
class VectorsDiffer(LsdError):
    """The vector of the input cannot be compared with those of the examples."""

    stored: int
    found: int

    def __str__(self) -> str:
        return (
            f"found a vector of {self.found} numbers for the input; the examples have "
            f"{self.stored}: was the embedding model changed?"
        )


@attrs.frozen
class _Known:
    version: int
    neighbours: Neighbours
    ids: frozenset[str]


_NOTHING: Final = _Known(0, Neighbours(), frozenset())


@attrs.define(eq=False)
class ExampleMemory:
    """Searches examples. One serves all requests of a process."""

    _examples: Examples
    _known: dict[_Key, _Known] = attrs.field(factory=dict, init=False)
    _turn: trio.CapacityLimiter = attrs.field(factory=lambda: trio.CapacityLimiter(1), init=False)

    async def nearest(
        self, function_name: str, variant_name: str, query: "array[float] | None", *, count: int
    ) -> list[FoundExample]:
        """The `count` nearest to `query`, nearest first; all that is committed is searched.

        `query` is a unit vector, None that of zeros. Raises VectorsDiffer, StoreFailed.
        """
        key = (function_name, variant_name)
        known = self._known.get(key, _NOTHING)
        is_current = known.version == self._examples.version(*key)
        multiplications = known.neighbours.size * (known.neighbours.dimensions or 0)
        if is_current and multiplications <= MULTIPLICATIONS_MAX:
            near = _search(known, query, count)
        else:
            near = await trio.to_thread.run_sync(
                self._search_in_thread, key, query, count, limiter=self._turn
            )
        distances: Mapping[str, float] = {each.key: each.distance for each in near}
        found = self._examples.get(*key, distances)
        return [FoundExample(distance=distances[each.id], example=each) for each in found]

    def _search_in_thread(self, key: _Key, query: "array[float] | None", count: int) -> list[Near]:
        known = self._known.get(key, _NOTHING)
        if known.version != self._examples.version(*key):
            known = self._known[key] = self._caught_up(key, known)
        return _search(known, query, count)

    def _caught_up(self, key: _Key, known: _Known) -> _Known:
        """What is known, with what has been added; from the start if something was removed."""
        changes = self._examples.changes(*key, known.ids)
        if not known.ids <= changes.ids:
            known = _NOTHING
            changes = self._examples.changes(*key, known.ids)
        added = [(example_id, _numbers(vector)) for example_id, vector in changes.fresh]
        return _Known(changes.version, known.neighbours.with_vectors(added), changes.ids)


def _search(known: _Known, query: "array[float] | None", count: int) -> list[Near]:
    dimensions = known.neighbours.dimensions
    if dimensions is None:
        return []
    if query is not None and len(query) != dimensions:
        raise VectorsDiffer(dimensions, len(query))
    return known.neighbours.nearest(query, count)


def vector_bytes(vector: "array[float]") -> bytes:
    """A vector as it is stored."""
    numbers = vector[:]
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers.tobytes()


def _numbers(stored: bytes) -> "array[float]":
    numbers = array("f", stored)
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers
