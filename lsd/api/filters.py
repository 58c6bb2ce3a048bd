"""Filters and orders of lists of inferences, from JSON to what the store understands.

A body that has them gives its fields the types `FilterBody` and `OrderBody`, and its structurer to
`register_filters`. What they say of metrics is then looked up in the configuration.
"""

from collections.abc import Sequence
from typing import Any, Literal, NewType, assert_never

import attrs
from cattrs import Converter

from lsd.config import Config
from lsd.conversation import (
    Malformed,
    Mismatch,
    Problem,
    Structurer,
    describe_json,
    join_path,
)
from lsd.feedback import known_metric
from lsd.store import (
    AllOf,
    AnyOf,
    ByMetric,
    ByRelevance,
    ByTime,
    Comparison,
    Demonstrated,
    Filter,
    MetricIs,
    Not,
    OrderTerm,
    TagIs,
    TimeIs,
)
from lsd.telemetry import parse_rfc3339_ns

NESTING_MAX = 64
"""Levels of `and`, `or` and `not` within each other."""

FilterBody = NewType("FilterBody", object)
"""A filter as it was sent, checked as far as that goes without a configuration."""

TimeNs = NewType("TimeNs", int)
"""A time of a body, in nanoseconds since 1970."""

_Node = NewType("_Node", object)


@attrs.frozen(kw_only=True)
class _BooleanMetric:
    metric_name: str
    value: bool


@attrs.frozen(kw_only=True)
class _FloatMetric:
    metric_name: str
    value: float
    comparison_operator: Comparison


@attrs.frozen(kw_only=True)
class _Demonstration:
    has_demonstration: bool


@attrs.frozen(kw_only=True)
class _Tag:
    key: str
    value: str
    comparison_operator: Literal["=", "!="]


@attrs.frozen(kw_only=True)
class _Time:
    time: TimeNs
    comparison_operator: Comparison


@attrs.frozen(kw_only=True)
class _And:
    children: tuple[_Node, ...]


@attrs.frozen(kw_only=True)
class _Or:
    children: tuple[_Node, ...]


@attrs.frozen(kw_only=True)
class _Not:
    child: _Node


_NODES = {
    "boolean_metric": _BooleanMetric,
    "float_metric": _FloatMetric,
    "demonstration_feedback": _Demonstration,
    "tag": _Tag,
    "time": _Time,
    "and": _And,
    "or": _Or,
    "not": _Not,
}


@attrs.frozen(kw_only=True)
class OrderBody:
    """One term of an order as it was sent."""

    by: Literal["timestamp", "metric", "search_relevance"]
    name: str | None = None
    direction: Literal["ascending", "descending"] = "descending"


def register_filters(structurer: Structurer) -> None:
    """Lets a structurer make what this module has."""
    structurer.hook(TimeNs, _time)
    structurer.tagged(_Node, _NODES)
    structurer.converting_hook(FilterBody, _filter_hook)


def register_datapoint_filters(structurer: Structurer) -> None:
    """The same for filters of datapoints, about which there is no feedback."""
    structurer.hook(TimeNs, _time)
    structurer.tagged(_Node, {tag: _NODES[tag] for tag in ("tag", "time", "and", "or", "not")})
    structurer.converting_hook(FilterBody, _filter_hook)


def filter_of(body: FilterBody, config: Config, path: str = "filters") -> Filter:
    """What a filter asks for. Raises Malformed if it names a metric that is not there."""
    match body:
        case _BooleanMetric() | _FloatMetric():
            return _metric_filter(body, config, path)
        case _Demonstration(has_demonstration=wanted):
            return Demonstrated() if wanted else Not(Demonstrated())
        case _Tag(key=key, value=value, comparison_operator=comparison):
            return TagIs(key=key, value=value, equal=comparison == "=")
        case _Time(time=time, comparison_operator=comparison):
            return TimeIs(comparison=comparison, time_ns=time)
        case _And(children=children):
            return AllOf(_filters_of(children, config, path))
        case _Or(children=children):
            return AnyOf(_filters_of(children, config, path))
        case _Not(child=child):
            return Not(filter_of(FilterBody(child), config, f"{path}.child"))
        case _:
            raise AssertionError("a filter of a body was made by no registered structurer")


def order_of(
    bodies: Sequence[OrderBody], config: Config, *, has_search: bool, path: str = "order_by"
) -> tuple[OrderTerm, ...]:
    """The order that is asked for. Raises Malformed."""
    return tuple(
        _term_of(body, config, f"{path}[{place}]", has_search=has_search)
        for place, body in enumerate(bodies)
    )


def _filter_hook(converter: Converter) -> Any:
    def structure(value: Any, _: Any) -> Any:
        if _is_deep(value):
            raise Mismatch("a deep nesting", f"at most {NESTING_MAX} levels of and, or and not")
        return converter.structure(value, _Node)

    return structure


def _is_deep(value: Any) -> bool:
    """Whether filters lie within more levels of others than is allowed."""
    level = [value]
    for _ in range(NESTING_MAX + 1):
        inner = []
        for node in level:
            if isinstance(node, dict):
                children = node.get("children")
                inner += children if isinstance(children, list) else []
                inner += [node["child"]] if "child" in node else []
        if not inner:
            return False
        level = inner
    return True


def _time(value: Any, _: Any) -> int:
    wanted = "a time, such as 2026-02-03T10:15:00Z"
    if type(value) is not str:
        raise Mismatch(describe_json(value), wanted)
    try:
        return parse_rfc3339_ns(value)
    except ValueError:
        raise Mismatch(describe_json(value), wanted) from None


def _filters_of(children: Sequence[_Node], config: Config, path: str) -> tuple[Filter, ...]:
    return tuple(
        filter_of(FilterBody(child), config, f"{path}.children[{place}]")
        for place, child in enumerate(children)
    )


def _metric_filter(body: _BooleanMetric | _FloatMetric, config: Config, path: str) -> Filter:
    wanted = "boolean" if isinstance(body, _BooleanMetric) else "float"
    metric = known_metric(config, body.metric_name)
    if metric is None or metric.type != wanted:
        raise _no_metric(body.metric_name, f"a configured {wanted} metric", path, "metric_name")
    return MetricIs(
        metric_name=body.metric_name,
        level=metric.level,
        comparison="=" if isinstance(body, _BooleanMetric) else body.comparison_operator,
        value=body.value,
    )


def _term_of(body: OrderBody, config: Config, path: str, *, has_search: bool) -> OrderTerm:
    ascending = body.direction == "ascending"
    match body.by:
        case "timestamp":
            return ByTime(ascending=ascending)
        case "search_relevance":
            if not has_search:
                reason = "found 'search_relevance'; wanted it beside search_query_experimental"
                raise Malformed((Problem(join_path(path, "by"), reason),))
            return ByRelevance(ascending=ascending)
        case "metric":
            if body.name is None:
                problem = Problem(join_path(path, "name"), "missing; wanted the name of a metric")
                raise Malformed((problem,))
            metric = known_metric(config, body.name)
            if metric is None:
                raise _no_metric(body.name, "a configured metric", path, "name")
            return ByMetric(metric_name=body.name, level=metric.level, ascending=ascending)
        case never:
            assert_never(never)


def _no_metric(name: str, wanted: str, path: str, field: str) -> Malformed:
    reason = f"found {describe_json(name)}; wanted the name of {wanted}"
    return Malformed((Problem(join_path(path, field), reason),))
