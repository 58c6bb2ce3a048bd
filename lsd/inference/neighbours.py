"""The nearest among many vectors: an exact search in plain Python, at a few ns per number.

A whole column of codes (small integers, one per vector, in a lane of its own) is one large integer,
so that a single multiplication by a small number works on all vectors at once; Python does this
twenty times as fast as a loop over the numbers. The codes are rounded, but how wrong a distance can
be because of that is known, so the first pass only rules out what cannot be among the nearest. The
rest is measured exactly.

Vectors have length 1, so that their distance 1 - cos is half the square of the straight one.
"""

import math
import sys
from array import array
from collections.abc import Iterator, Sequence
from heapq import nsmallest
from typing import Final

import attrs

LANE: Final = array("I").itemsize
"""Bytes of a lane."""

VECTORS_PER_BLOCK: Final = 1024
"""Of columns that are made anew when a vector is added to them."""

ROUNDING: Final = 1e-6
"""More than what numbers of 4 bytes can make the length of a vector differ from 1, squared."""


DIGITS: Final = 12
"""Of a distance behind the point: many more than the numbers can carry, and enough to make a right
angle exactly 1 away."""


@attrs.frozen
class Near:
    """A vector that was found."""

    distance: float
    key: str


def unit_vector(numbers: Sequence[float]) -> "array[float] | None":
    """The numbers scaled to length 1, rounded to 4 bytes each; None if all are 0."""
    length = math.hypot(*numbers)
    if not 0 < length < math.inf:
        return None
    return array("f", [number / length for number in numbers])


def code_max(dimensions: int) -> int:
    """Codes are from minus this to this: as fine as lanes can be that do not run over.

    In the columns they are counted from 0 up, so each product can be twice the square of it.
    """
    return math.isqrt(2 ** (8 * LANE) // (2 * dimensions) - 1)


@attrs.define(eq=False)
class Neighbours:
    """Unit vectors of one length under keys; vectors are added, never removed."""

    _blocks: list["_Block"] = attrs.field(factory=list, init=False)

    @property
    def size(self) -> int:
        """How many vectors there are."""
        return sum(len(block.keys) for block in self._blocks)

    @property
    def dimensions(self) -> int | None:
        """How many numbers each has; None without any vector."""
        return len(self._blocks[0].vectors[0]) if self._blocks else None

    def with_vectors(self, added: Sequence[tuple[str, "array[float]"]]) -> "Neighbours":
        """These and more; what is there is shared, not copied."""
        made = Neighbours()
        made._blocks = list(self._blocks)
        waiting = list(added)
        if made._blocks and waiting and len(made._blocks[-1].keys) < VECTORS_PER_BLOCK:
            last = made._blocks.pop()
            waiting = [*zip(last.keys, last.vectors, strict=True), *waiting]
        for start in range(0, len(waiting), VECTORS_PER_BLOCK):
            made._blocks.append(_Block.of(waiting[start : start + VECTORS_PER_BLOCK]))
        return made

    def nearest(self, query: "array[float] | None", count: int) -> list[Near]:
        """The `count` nearest, ascending by distance, then by key. None is 1 away from all."""
        if count == 0:
            return []
        if query is None:
            keys = (key for block in self._blocks for key in block.keys)
            return [Near(1.0, key) for key in nsmallest(count, keys)]
        coded = _Coded.of(query)
        rough = [each for block in self._blocks for each in block.rough_distances(coded)]
        # Nothing whose least possible distance is beyond this can be among the nearest.
        reach = max(nsmallest(count, (distance + error for distance, error, _, _ in rough)))
        exact = tuple(query)
        found = (
            Near(round(math.dist(exact, vector) ** 2 / 2, DIGITS), key)
            for distance, error, key, vector in rough
            if distance - error <= reach
        )
        return nsmallest(count, found, key=lambda near: (near.distance, near.key))


@attrs.frozen
class _Coded:
    """A vector in codes: `scale` times these is the vector, but for an error of this length."""

    codes: list[int]
    scale: float
    error: float

    @classmethod
    def of(cls, vector: "array[float]") -> "_Coded":
        numbers = vector.tolist()
        scale = max(map(abs, numbers)) / code_max(len(numbers))
        codes = [round(number / scale) for number in numbers]
        return cls(codes, scale, math.dist(numbers, [scale * code for code in codes]))


@attrs.frozen
class _Block:
    keys: list[str]
    vectors: list["array[float]"]
    scales: list[float]
    errors: list[float]
    columns: list[int]

    @classmethod
    def of(cls, entries: Sequence[tuple[str, "array[float]"]]) -> "_Block":
        coded = [_Coded.of(vector) for _, vector in entries]
        rows = (each.codes for each in coded)
        offset = code_max(len(entries[0][1]))
        return cls(
            keys=[key for key, _ in entries],
            vectors=[vector for _, vector in entries],
            scales=[each.scale for each in coded],
            errors=[each.error for each in coded],
            columns=[
                int.from_bytes(array("I", [code + offset for code in column]), sys.byteorder)
                for column in zip(*rows, strict=True)
            ],
        )

    def rough_distances(self, query: _Coded) -> Iterator[tuple[float, float, str, "array[float]"]]:
        """Distance, how wrong it may be, key and vector of each."""
        above = below = 0
        for code, column in zip(query.codes, self.columns, strict=True):
            if code > 0:
                above += code * column
            elif code < 0:
                below -= code * column
        offset = code_max(len(self.columns)) * sum(query.codes)
        lanes = zip(self._lanes(above), self._lanes(below), strict=True)
        for place, (plus, minus) in enumerate(lanes):
            product = (plus - minus - offset) * query.scale * self.scales[place]
            # By the inequality of Cauchy and Schwarz, for q·x against its coded form.
            error = self.errors[place] + query.error * (1 + self.errors[place]) + ROUNDING
            yield 1 - product, error, self.keys[place], self.vectors[place]

    def _lanes(self, total: int) -> memoryview:
        return memoryview(total.to_bytes(LANE * len(self.keys), sys.byteorder)).cast("I")
