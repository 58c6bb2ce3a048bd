"""How a selection is read: the streams of ids that its inferences are in, and what is checked.

Of what must hold all at once, whatever an index answers becomes a stream; times become bounds; the
rest is checked inference by inference. Plans belong to one transaction.
"""

from collections.abc import Callable
from typing import Final

import attrs

from lsd.store._candidate import Candidate, holds, searched_text
from lsd.store._postings import (
    IndexPostings,
    ListedPostings,
    Postings,
    UnitedPostings,
    meet,
    next_id,
)
from lsd.store.filters import (
    Comparison,
    Demonstrated,
    Filter,
    MetricGiven,
    MetricIs,
    Selection,
    TagIs,
    TimeIs,
    conditions_of,
)
from lsd.store.layout import (
    BY_EPISODE,
    BY_FUNCTION,
    BY_METRIC,
    BY_TAG,
    BY_VALUE,
    BY_VARIANT,
    DEMONSTRATED,
    ID_BYTES,
    ID_MAX,
    ID_MIN,
    INFERENCES,
    LATEST_BY_VARIANT,
    VARIANT_COUNTS,
    end_of,
    id_key,
    tag_key,
    value_key,
)
from lsd.store.names import FUNCTION, METRIC, VARIANT, Names
from lsd.store.transaction import Database, Transaction

_COLLECTED_MAX: Final = 2_000
"""Targets in a range of values that are collected and sorted by id: about a millisecond. With more
of them, every so many-th inference that has a value has one in the range."""

_UNITED_MAX: Final = 30
"""Variants whose values are looked at side by side; a function without a configuration has one for
each model that anybody has named."""

_STEPS_PER_READ_MAX: Final = 2_000
"""Steps that one snapshot is held for, some 20 ms: an open snapshot keeps old pages in the file."""

_ID_RANDOM_BITS: Final = 80
"""Below the 48 bits of milliseconds."""

_NS_PER_MS: Final = 1_000_000


@attrs.frozen(kw_only=True)
class Bounds:
    """The ids that come into question, both included."""

    low: bytes = ID_MIN
    high: bytes = ID_MAX

    def start(self, *, descending: bool) -> bytes:
        """The end to begin at."""
        return self.high if descending else self.low

    def meets(self, other: "Bounds") -> "Bounds":
        """The ids in both."""
        return Bounds(low=max(self.low, other.low), high=min(self.high, other.high))

    def holds(self, inference: bytes) -> bool:
        """Whether an id is one of them."""
        return self.low <= inference <= self.high


EVERYTHING: Final = Bounds()
NOTHING: Final = Bounds(low=ID_MAX, high=ID_MIN)


@attrs.define(eq=False, kw_only=True)
class Plan:
    """The streams, bounds and checks of one selection. All streams go the same way."""

    transaction: Transaction
    names: Names
    descending: bool
    bounds: Bounds
    streams: list[Postings] = attrs.field(factory=list)
    checks: list[Callable[[Candidate], bool]] = attrs.field(factory=list)
    is_empty: bool = False

    def take(self, bound: bytes, want: int) -> tuple[list[bytes], bytes | None]:
        """The next ids at `bound` or behind it, and where to go on; None: there are no more.

        At most `want`, and fewer when many had to be passed over.
        """
        found: list[bytes] = []
        following: bytes | None = bound
        for _ in range(_STEPS_PER_READ_MAX):
            if following is None or len(found) == want:
                break
            step = meet(self.streams, following)
            if step is None or not self.bounds.holds(step[0]):
                return found, None
            following, is_common = step
            if is_common:
                if self._is_meant(following):
                    found.append(following)
                following = next_id(following, descending=self.descending)
        return found, following

    def _is_meant(self, inference: bytes) -> bool:
        candidate = Candidate(self.transaction, self.names, inference)
        # Feedback may be about an inference that is not there.
        return candidate.exists() and all(check(candidate) for check in self.checks)


def plan_for(
    transaction: Transaction,
    names: Names,
    selection: Selection,
    bounds: Bounds,
    *,
    descending: bool,
) -> Plan | None:
    """The plan of a selection within `bounds`; None: nothing can be in it."""
    plan = Plan(transaction=transaction, names=names, descending=descending, bounds=bounds)
    _plan_names(plan, selection)
    conditions = conditions_of(selection.filter)
    if selection.function_name is not None and Demonstrated() in conditions:
        conditions.remove(Demonstrated())
        _stream_of_name(plan, DEMONSTRATED, FUNCTION, selection.function_name)
    for condition in conditions:
        _plan_condition(plan, condition, selection)
    needle = searched_text(selection.search or "")
    if needle:
        plan.checks.append(lambda candidate: candidate.occurrences(needle) > 0)
    if plan.is_empty:
        return None
    if not plan.streams:
        _stream(plan, INFERENCES, b"")
    return plan


def _plan_names(plan: Plan, selection: Selection) -> None:
    if selection.episode_id is not None:
        _stream(plan, BY_EPISODE, id_key(selection.episode_id))
    if selection.function_name is None:
        if selection.variant_name is not None:
            plan.checks.append(lambda one: one.head()["variant_name"] == selection.variant_name)
    elif selection.variant_name is None:
        _stream_of_name(plan, BY_FUNCTION, FUNCTION, selection.function_name)
    else:
        function = plan.names.find(plan.transaction, FUNCTION, selection.function_name)
        variant = plan.names.find(plan.transaction, VARIANT, selection.variant_name)
        if function is None or variant is None:
            plan.is_empty = True
        else:
            _stream(plan, BY_VARIANT, function + variant)


def _plan_condition(plan: Plan, condition: Filter, selection: Selection) -> None:
    match condition:
        case TagIs(equal=True):
            _stream(plan, BY_TAG, tag_key(condition.key, condition.value))
        case TimeIs() if condition.comparison != "!=":
            plan.bounds = plan.bounds.meets(_ids_between(*condition.span(_NS_PER_MS)))
        case MetricGiven(level="inference"):
            _stream_of_targets(plan, condition.metric_name, selection)
        case MetricIs():
            _plan_metric(plan, condition, selection)
        case _:
            _check(plan, condition)


def _plan_metric(plan: Plan, condition: MetricIs, selection: Selection) -> None:
    metric = plan.names.find(plan.transaction, METRIC, condition.metric_name)
    if metric is None:
        plan.is_empty = True
        return
    if condition.comparison == "=" and condition.level == "inference":
        _stream(plan, BY_VALUE, metric + value_key(condition.value))
        return
    targets = _targets_with(plan.transaction, metric, condition)
    if targets is not None and condition.level == "episode":
        targets = _inferences_of(plan.transaction, targets)
    if targets is not None:
        plan.streams.append(ListedPostings(sorted(targets), plan.descending))
        return
    if condition.level == "inference":
        _stream_of_targets(plan, condition.metric_name, selection)
    _check(plan, condition)


def _stream_of_targets(plan: Plan, metric_name: str, selection: Selection) -> None:
    """The inferences that have a value: of the function, if there is one, or all."""
    metric = plan.names.find(plan.transaction, METRIC, metric_name)
    function = None
    if selection.function_name is not None:
        function = plan.names.find(plan.transaction, FUNCTION, selection.function_name)
    if metric is None:
        plan.is_empty = True
        return
    variants = [] if function is None else _variants_of(plan.transaction, function)
    if function is None or len(variants) > _UNITED_MAX:
        _stream(plan, BY_METRIC, metric)
        return
    prefixes = [function + metric + variant for variant in variants]
    streams = [_postings(plan, LATEST_BY_VARIANT, prefix) for prefix in prefixes]
    plan.streams.append(UnitedPostings(streams, plan.descending))


def _variants_of(transaction: Transaction, function: bytes) -> list[bytes]:
    """The numbers of the variants that have served a function."""
    keys = transaction.range(VARIANT_COUNTS, function, end_of(function))
    return list(dict.fromkeys(key[4:8] for key, _ in keys))


def _targets_with(
    transaction: Transaction, metric: bytes, condition: MetricIs
) -> list[bytes] | None:
    """The targets whose latest value compares so; None: there are many."""
    key = value_key(condition.value)
    whole = metric + key[:1]
    place = metric + key
    ranges: dict[Comparison, list[tuple[bytes, bytes | None]]] = {
        "<": [(whole, place)],
        "<=": [(whole, end_of(place))],
        "=": [(place, end_of(place))],
        ">=": [(place, end_of(whole))],
        ">": [(end_of(place) or place, end_of(whole))],
        "!=": [(whole, place), (end_of(place) or place, end_of(whole))],
    }
    targets: list[bytes] = []
    for start, stop in ranges[condition.comparison]:
        room = _COLLECTED_MAX + 1 - len(targets)
        entries = transaction.range(BY_VALUE, start, stop, limit=room)
        targets += [found[-ID_BYTES:] for found, _ in entries]
    return targets if len(targets) <= _COLLECTED_MAX else None


def _inferences_of(transaction: Transaction, episodes: list[bytes]) -> list[bytes] | None:
    """The inferences of episodes; None: there are many."""
    inferences: list[bytes] = []
    for episode in episodes:
        room = _COLLECTED_MAX + 1 - len(inferences)
        entries = transaction.range(BY_EPISODE, episode, end_of(episode), limit=room)
        inferences += [key[ID_BYTES:] for key, _ in entries]
        if len(inferences) > _COLLECTED_MAX:
            return None
    return inferences


def _ids_between(from_ms: int, below_ms: int | None) -> Bounds:
    low = max(from_ms, 0) << _ID_RANDOM_BITS
    high = (1 << 128) if below_ms is None else max(below_ms, 0) << _ID_RANDOM_BITS
    if low >= 1 << 128 or high <= low:
        return NOTHING
    last = min(high, 1 << 128) - 1
    return Bounds(low=low.to_bytes(ID_BYTES, "big"), high=last.to_bytes(ID_BYTES, "big"))


def _stream_of_name(plan: Plan, database: Database, kind: bytes, name: str) -> None:
    number = plan.names.find(plan.transaction, kind, name)
    if number is None:
        plan.is_empty = True
    else:
        _stream(plan, database, number)


def _stream(plan: Plan, database: Database, prefix: bytes) -> None:
    plan.streams.append(_postings(plan, database, prefix))


def _postings(plan: Plan, database: Database, prefix: bytes) -> Postings:
    return IndexPostings(plan.transaction.seeker(database), prefix, plan.descending)


def _check(plan: Plan, condition: Filter) -> None:
    plan.checks.append(lambda candidate: holds(condition, candidate))
