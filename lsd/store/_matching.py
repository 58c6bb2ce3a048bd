"""The ids of the inferences that a selection holds, in the order of ids."""

from collections.abc import Iterator
from typing import Final

from lsd.store._query_plan import EVERYTHING, Bounds, plan_for
from lsd.store.engine import Environment
from lsd.store.filters import Selection
from lsd.store.names import Names

_PER_READ_MAX: Final = 1_000
"""Ids that are taken from one snapshot by a reader who goes on and on."""


def matching(
    data: Environment,
    names: Names,
    selection: Selection,
    bounds: Bounds = EVERYTHING,
    *,
    descending: bool = True,
    expected: int = _PER_READ_MAX,
) -> Iterator[bytes]:
    """The ids within `bounds`, each from a snapshot that is no longer open when it comes.

    `expected` is how many the reader is going to take, as far as he knows.
    """
    bound: bytes | None = bounds.start(descending=descending)
    want = max(1, min(expected, _PER_READ_MAX))
    while bound is not None:
        with data.read() as transaction:
            plan = plan_for(transaction, names, selection, bounds, descending=descending)
            if plan is None:
                return
            found, bound = plan.take(_nearest(plan.bounds, bound, descending=descending), want)
        yield from found
        want = _PER_READ_MAX


def _nearest(bounds: Bounds, bound: bytes, *, descending: bool) -> bytes:
    """`bound`, or the end of the bounds that lies behind it."""
    return min(bound, bounds.high) if descending else max(bound, bounds.low)
