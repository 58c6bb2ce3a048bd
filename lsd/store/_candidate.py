"""One inference that a query looks at, and whether a filter holds for it."""

import operator
from collections.abc import Callable
from typing import Any, Final, assert_never

import attrs

from lsd.conversation import encode_json, reread_json
from lsd.store.filters import (
    AllOf,
    AnyOf,
    Comparison,
    Demonstrated,
    Filter,
    MetricGiven,
    MetricIs,
    Not,
    TagIs,
    TimeIs,
)
from lsd.store.layout import (
    DEMONSTRATED,
    ID_BYTES,
    INFERENCE_BODIES,
    INFERENCES,
    LATEST_FEEDBACK,
    id_key,
)
from lsd.store.names import FUNCTION, METRIC, Names
from lsd.store.records import TargetType
from lsd.store.transaction import Transaction

COMPARE: Final[dict[Comparison, Callable[[Any, Any], bool]]] = {
    "<": operator.lt,
    "<=": operator.le,
    "=": operator.eq,
    ">": operator.gt,
    ">=": operator.ge,
    "!=": operator.ne,
}

_NS_PER_MS: Final = 1_000_000


@attrs.define(eq=False)
class Candidate:
    """An inference; its head is read when it is first asked for, its body each time."""

    transaction: Transaction
    names: Names
    inference: bytes
    _head: dict[str, Any] | None = attrs.field(default=None, init=False)

    def exists(self) -> bool:
        """Whether there is a record."""
        if self._head is not None:
            return True
        return self.transaction.get(INFERENCES, self.inference) is not None

    def head(self) -> dict[str, Any]:
        """The fields of the head; none if there is no record, which feedback does not need."""
        if self._head is None:
            encoded = self.transaction.get(INFERENCES, self.inference)
            self._head = {} if encoded is None else reread_json(encoded)
        return self._head

    def value(self, metric_name: str, level: TargetType) -> bool | float | None:
        """The latest value of a metric."""
        metric = self.names.find(self.transaction, METRIC, metric_name)
        if metric is None:
            return None
        target = self.inference
        if level == "episode":
            if not self.head():
                return None
            target = id_key(self.head()["episode_id"])
        row = self.transaction.get(LATEST_FEEDBACK, target + metric)
        if row is None:
            return None
        value: bool | float = reread_json(row[ID_BYTES:])
        return value

    def is_demonstrated(self) -> bool:
        """Whether there is a demonstration."""
        if not self.head():
            return False
        function = self.names.find(self.transaction, FUNCTION, self.head()["function_name"])
        assert function is not None, "an inference is stored, but not its function's name"
        return self.transaction.get(DEMONSTRATED, function + self.inference) is not None

    def occurrences(self, needle: str) -> int:
        """How often a text occurs in input and output. `needle` is from `searched_text`."""
        encoded = self.transaction.get(INFERENCE_BODIES, self.inference)
        return 0 if encoded is None else occurrences_in(encoded, needle)


def searched_text(search: str) -> str:
    """The form in which a searched text stands in the JSON text of a body, in lower case."""
    return encode_json(search)[1:-1].decode().lower()


def occurrences_in(body: bytes, needle: str) -> int:
    """How often a text occurs in the input and output of a body as it is stored."""
    if not needle:
        return 0
    fields = reread_json(body)
    texts = [encode_json(fields[field]) for field in ("input", "output") if field in fields]
    return sum(text.decode().lower().count(needle) for text in texts)


def holds(condition: Filter, candidate: Candidate) -> bool:
    """Whether a filter holds for an inference."""
    match condition:
        case MetricIs():
            return _metric_is(condition, candidate)
        case MetricGiven():
            return candidate.value(condition.metric_name, condition.level) is not None
        case Demonstrated():
            return candidate.is_demonstrated()
        case TagIs():
            found = candidate.head().get("tags", {}).get(condition.key)
            return found is not None and (found == condition.value) == condition.equal
        case TimeIs():
            time_ms = int.from_bytes(candidate.inference[:6], "big")
            return COMPARE[condition.comparison](time_ms * _NS_PER_MS, condition.time_ns)
        case AllOf(children):
            return all(holds(child, candidate) for child in children)
        case AnyOf(children):
            return any(holds(child, candidate) for child in children)
        case Not(child):
            return not holds(child, candidate)
        case never:
            assert_never(never)


def _metric_is(condition: MetricIs, candidate: Candidate) -> bool:
    value = candidate.value(condition.metric_name, condition.level)
    # True equals 1.0 in Python; a metric may have had another type once.
    if value is None or isinstance(value, bool) is not isinstance(condition.value, bool):
        return False
    return COMPARE[condition.comparison](value, condition.value)
