"""Which inferences are meant: a selection by names, filters and a search; and in which order."""

from typing import Literal

import attrs

from lsd.store.records import TargetType

Comparison = Literal["<", "<=", "=", ">", ">=", "!="]


@attrs.frozen(kw_only=True)
class MetricIs:
    """There is a value of the metric, and the latest one compares so.

    `level` says whose value counts: the inference's own, or its episode's. Values of the other
    type than `value`'s compare as nothing does.
    """

    metric_name: str
    level: TargetType
    comparison: Comparison = "="
    value: bool | float


@attrs.frozen(kw_only=True)
class MetricGiven:
    """There is a value of the metric."""

    metric_name: str
    level: TargetType


@attrs.frozen
class Demonstrated:
    """There is a demonstration of the inference."""


@attrs.frozen(kw_only=True)
class TagIs:
    """The tag is there, and its value is this one, or with `equal=False` another."""

    key: str
    value: str
    equal: bool = True


@attrs.frozen(kw_only=True)
class TimeIs:
    """The time compares so: of an inference the one in its id, of a datapoint its last change.

    `time_ns` are nanoseconds since 1970.
    """

    comparison: Comparison
    time_ns: int

    def span(self, unit_ns: int) -> tuple[int, int | None]:
        """The times that compare so, in whole units: the first, and the first behind them.

        None: there is no end. Not for `!=`, which holds on both sides of a gap.
        """
        assert self.comparison != "!=", "what is unequal has a gap"
        floor, rest = divmod(self.time_ns, unit_ns)
        ceiling = floor + bool(rest)
        spans: dict[Comparison, tuple[int, int | None]] = {
            "<": (0, ceiling),
            "<=": (0, floor + 1),
            "=": (ceiling, floor + 1),
            ">=": (ceiling, None),
            ">": (floor + 1, None),
        }
        return spans[self.comparison]


@attrs.frozen
class AllOf:
    """All of the children hold; so without any it holds."""

    children: "tuple[Filter, ...]"


@attrs.frozen
class AnyOf:
    """One of the children holds; so without any it does not hold."""

    children: "tuple[Filter, ...]"


@attrs.frozen
class Not:
    """The child does not hold."""

    child: "Filter"


Filter = MetricIs | MetricGiven | Demonstrated | TagIs | TimeIs | AllOf | AnyOf | Not


@attrs.frozen(kw_only=True)
class Selection:
    """Which inferences are meant. What is None does not matter."""

    function_name: str | None = None
    variant_name: str | None = None
    episode_id: str | None = None
    filter: Filter | None = None
    search: str | None = None
    """Text in input or output, in any letter case."""

    def also(self, condition: Filter) -> "Selection":
        """Those of the selection of which `condition` holds, too."""
        both = condition if self.filter is None else AllOf((self.filter, condition))
        return attrs.evolve(self, filter=both)


@attrs.frozen(kw_only=True)
class ByTime:
    """In the order of ids."""

    ascending: bool = False


@attrs.frozen(kw_only=True)
class ByMetric:
    """By the latest value of a metric, false before true; those without a value always last."""

    metric_name: str
    level: TargetType
    ascending: bool = False


@attrs.frozen(kw_only=True)
class ByRelevance:
    """By how often the searched text occurs."""

    ascending: bool = False


OrderTerm = ByTime | ByMetric | ByRelevance


@attrs.frozen(kw_only=True)
class InferenceQuery:
    """A list of inferences.

    With a cursor, `before` or `after`, which is an id that need not exist, the inferences next to
    it are meant; `order` is by time then, if it is not empty, and there is no `offset`. `order`'s
    terms apply in turn, and at last newer ones come first. A `limit` of None is none.
    """

    selection: Selection = Selection()
    order: tuple[OrderTerm, ...] = ()
    before: str | None = None
    after: str | None = None
    offset: int = 0
    limit: int | None = None

    @property
    def has_cursor(self) -> bool:
        """Whether a page next to a cursor is meant."""
        return self.before is not None or self.after is not None


def conditions_of(filter: Filter | None) -> list[Filter]:  # noqa: A002 - the word of the API
    """What must hold all at once for `filter` to hold: nested `AllOf` laid flat."""
    match filter:
        case None:
            return []
        case AllOf(children):
            return [each for child in children for each in conditions_of(child)]
        case _:
            return [filter]
