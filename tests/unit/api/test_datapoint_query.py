"""The body of a list of datapoints becomes a query of the store."""

from pathlib import Path
from typing import Any

import pytest

from lsd.api.datapoint_query import read_datapoint_query
from lsd.config import Config, Sources, load
from lsd.conversation import Malformed, encode_json
from lsd.store import AllOf, ByRelevance, ByTime, DatapointQuery, Not, TagIs, TimeIs

TAG = {"type": "tag", "key": "k", "value": "v", "comparison_operator": "!="}
TIME = {"type": "time", "time": "1970-01-01T00:00:01Z", "comparison_operator": "<"}


@pytest.fixture
def config(tmp_path: Path) -> Config:
    """The one without a file."""
    return load(Sources(environment={}, working_directory=tmp_path)).config


def query(config: Config, **body: Any) -> DatapointQuery:
    """The query of a body."""
    return read_datapoint_query(encode_json(body), "gold", config)


def test_what_is_not_given_does_not_matter(config: Config) -> None:
    """Null is not given, and unknown keys are passed over."""
    plain = DatapointQuery(dataset_name="gold", limit=20)

    assert query(config, unknown=1) == plain
    nothing = ("function_name", "limit", "page_size", "offset", "filter", "order_by")
    assert query(config, **dict.fromkeys(nothing), search_query_experimental=None) == plain


def test_everything_has_its_place(config: Config) -> None:
    """The newer name of the limit counts."""
    found = query(
        config,
        function_name="f",
        limit=3,
        page_size=4,
        offset=5,
        filter={"type": "and", "children": [TAG, {"type": "not", "child": TIME}]},
        order_by=[
            {"by": "search_relevance"},
            {"by": "timestamp", "direction": "ascending"},
            {"by": "timestamp", "direction": None},
        ],
        search_query_experimental="x",
    )

    tag = TagIs(key="k", value="v", equal=False)
    time = TimeIs(comparison="<", time_ns=1_000_000_000)
    assert found == DatapointQuery(
        dataset_name="gold",
        function_name="f",
        filter=AllOf((tag, Not(time))),
        search="x",
        order=(ByRelevance(), ByTime(ascending=True), ByTime()),
        offset=5,
        limit=3,
    )


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ({"limit": True}, "limit: found true; wanted an integer from 0 to 4294967295"),
        ({"offset": -1}, "offset: found -1; wanted"),
        ({"order_by": [{"by": "search_relevance"}]}, "order_by[0].by: found 'search_relevance'"),
        ({"filter": {"type": "boolean_metric"}}, 'filter.type: found "boolean_metric"'),
    ],
)
def test_a_refusal_names_the_place(config: Config, body: dict[str, Any], problem: str) -> None:
    """And what would be right."""
    with pytest.raises(Malformed) as malformed:
        query(config, **body)

    assert str(malformed.value).startswith(problem)
