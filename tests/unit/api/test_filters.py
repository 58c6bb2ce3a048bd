"""Filters and orders of a body become those of the store."""

from pathlib import Path
from typing import Any

import attrs
import pytest

from lsd.api.filters import FilterBody, OrderBody, filter_of, order_of, register_filters
from lsd.config import Config, Sources, load
from lsd.conversation import Malformed, Structurer
from lsd.store import (
    AllOf,
    AnyOf,
    ByMetric,
    ByRelevance,
    ByTime,
    Demonstrated,
    MetricIs,
    Not,
    TagIs,
    TimeIs,
)

METRICS = """
[metrics.resolved]
type = "boolean"
optimize = "max"
level = "episode"

[metrics.cost]
type = "float"
optimize = "min"
level = "inference"
"""


@attrs.frozen
class Body:
    """A body that has both."""

    filters: FilterBody | None = None
    order_by: tuple[OrderBody, ...] = ()


@pytest.fixture
def config(tmp_path: Path) -> Config:
    """Two metrics."""
    (tmp_path / "lsd.toml").write_text(METRICS, encoding="utf-8")
    return load(Sources(environment={}, working_directory=tmp_path)).config


def read(body: Any) -> Body:
    """The body, structured."""
    structurer = Structurer()
    register_filters(structurer)
    return structurer.structure(body, Body)


def filter_from(node: Any, config: Config) -> Any:
    """The store's filter for a node of JSON."""
    body = read({"filters": node}).filters
    assert body is not None
    return filter_of(body, config)


def test_each_node_has_its_meaning(config: Config) -> None:
    """A metric's level comes from the configuration."""
    tag = {"type": "tag", "key": "a", "value": "b", "comparison_operator": "!="}
    time = {"type": "time", "time": "1970-01-01T00:00:01.5Z", "comparison_operator": ">="}
    resolved = {"type": "boolean_metric", "metric_name": "resolved", "value": True}
    cost = {"type": "float_metric", "metric_name": "cost", "value": 3, "comparison_operator": "<"}
    shown = {"type": "demonstration_feedback", "has_demonstration": False}
    node = {
        "type": "or",
        "children": [{"type": "and", "children": [tag, time]}, {"type": "not", "child": resolved}],
    }

    assert filter_from(node, config) == AnyOf(
        (
            AllOf(
                (
                    TagIs(key="a", value="b", equal=False),
                    TimeIs(comparison=">=", time_ns=1_500_000_000),
                )
            ),
            Not(MetricIs(metric_name="resolved", level="episode", value=True)),
        )
    )
    assert filter_from(cost, config) == MetricIs(
        metric_name="cost", level="inference", comparison="<", value=3
    )
    assert filter_from(shown, config) == Not(Demonstrated())
    assert filter_from(shown | {"has_demonstration": True}, config) == Demonstrated()


def test_an_unknown_metric_is_told_with_its_place(config: Config) -> None:
    """However deep it lies."""
    ghost = {"type": "boolean_metric", "metric_name": "ghost", "value": True}
    node = {"type": "and", "children": [{"type": "not", "child": ghost}]}

    with pytest.raises(Malformed) as raised:
        filter_from(node, config)

    assert str(raised.value).startswith("filters.children[0].child.metric_name: found")


def test_an_order_is_a_list_of_terms(config: Config) -> None:
    """Newest, greatest and most relevant first, unless told otherwise."""
    body = read(
        {
            "order_by": [
                {"by": "metric", "name": "cost", "direction": "ascending"},
                {"by": "search_relevance"},
                {"by": "timestamp"},
            ]
        }
    )

    assert order_of(body.order_by, config, has_search=True) == (
        ByMetric(metric_name="cost", level="inference", ascending=True),
        ByRelevance(),
        ByTime(),
    )
    with pytest.raises(Malformed, match=r"order_by\[1\]\.by"):
        order_of(body.order_by, config, has_search=False)
