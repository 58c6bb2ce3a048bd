"""The body that asks for a list of datapoints, and the query it stands for."""

from typing import Any, Final, Literal, NewType, assert_never

import attrs

from lsd.api.filters import FilterBody, filter_of, register_datapoint_filters
from lsd.config import Config
from lsd.conversation import Malformed, Mismatch, Problem, Structurer, describe_json
from lsd.store import ByRelevance, ByTime, DatapointQuery

LIMIT: Final = 20
"""Datapoints of a page when the caller names no limit."""

_UNSIGNED_32_MAX: Final = 2**32 - 1

Whole32 = NewType("Whole32", int)
"""An integer from 0 to 2^32 - 1."""


@attrs.frozen(kw_only=True)
class _Order:
    by: Literal["timestamp", "search_relevance"]
    direction: Literal["ascending", "descending"] | None = None


@attrs.frozen(kw_only=True)
class _Body:
    function_name: str | None = None
    limit: Whole32 | None = None
    page_size: Whole32 | None = None
    offset: Whole32 | None = None
    filter: FilterBody | None = None
    order_by: tuple[_Order, ...] | None = None
    search_query_experimental: str | None = None


def read_datapoint_query(body: bytes, dataset_name: str, config: Config) -> DatapointQuery:
    """The query that is asked for. Raises Malformed."""
    asked = _STRUCTURER.read(body, _Body)
    limit = asked.page_size if asked.limit is None else asked.limit
    return DatapointQuery(
        dataset_name=dataset_name,
        function_name=asked.function_name,
        filter=None if asked.filter is None else filter_of(asked.filter, config, "filter"),
        search=asked.search_query_experimental,
        order=_order_of(asked),
        offset=asked.offset or 0,
        limit=LIMIT if limit is None else limit,
    )


def _order_of(asked: _Body) -> tuple[ByTime | ByRelevance, ...]:
    has_search = asked.search_query_experimental is not None
    terms = enumerate(asked.order_by or ())
    return tuple(_term_of(term, place, has_search=has_search) for place, term in terms)


def _term_of(term: _Order, place: int, *, has_search: bool) -> ByTime | ByRelevance:
    ascending = term.direction == "ascending"
    match term.by:
        case "timestamp":
            return ByTime(ascending=ascending)
        case "search_relevance":
            if not has_search:
                reason = "found 'search_relevance'; wanted it beside search_query_experimental"
                raise Malformed((Problem(f"order_by[{place}].by", reason),))
            return ByRelevance(ascending=ascending)
        case never:
            assert_never(never)


def _whole(value: Any, _: Any) -> int:
    if type(value) is not int or not 0 <= value <= _UNSIGNED_32_MAX:
        raise Mismatch(describe_json(value), f"an integer from 0 to {_UNSIGNED_32_MAX}")
    return value


def _structurer() -> Structurer:
    structurer = Structurer(unknown_keys="ignored")
    structurer.hook(Whole32, _whole)
    register_datapoint_filters(structurer)
    return structurer


_STRUCTURER: Final = _structurer()
