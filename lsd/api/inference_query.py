"""The body that asks for a list of inferences, and the query it stands for.

Whoever takes inferences by such a query gives its body these fields, too.
"""

from typing import Any, Literal, NewType

import attrs

from lsd.api.filters import FilterBody, OrderBody, filter_of, order_of, register_filters
from lsd.config import Config
from lsd.conversation import (
    Id,
    Malformed,
    Mismatch,
    Problem,
    Structurer,
    describe_json,
    register_ids,
)
from lsd.store import ByTime, Demonstrated, InferenceQuery, Selection

OutputSource = Literal["inference", "demonstration", "none"]
"""What stands in the place of an inference's output."""

Whole = NewType("Whole", int)
"""An integer that is not negative."""

_LIMIT_MAX = 10**18
"""Greater limits mean the same, everything; but not all code takes their numbers."""


@attrs.frozen(kw_only=True)
class SelectionBody:
    """Which inferences are meant."""

    function_name: str | None = None
    variant_name: str | None = None
    episode_id: Id | None = None
    output_source: OutputSource = "inference"
    filters: FilterBody | None = None
    search_query_experimental: str | None = None


@attrs.frozen(kw_only=True)
class QueryBody(SelectionBody):
    """Which inferences, in which order, how many."""

    limit: Whole | None = None
    offset: Whole | None = None
    before: Id | None = None
    after: Id | None = None
    order_by: tuple[OrderBody, ...] | None = None


def register_queries(structurer: Structurer) -> None:
    """Lets a structurer make what this module has."""
    register_filters(structurer)
    register_ids(structurer)
    structurer.hook(Whole, _whole)


def selection_of(body: SelectionBody, config: Config) -> Selection:
    """The selection that is asked for. Raises Malformed."""
    selection = Selection(
        function_name=body.function_name,
        variant_name=body.variant_name,
        episode_id=body.episode_id,
        filter=None if body.filters is None else filter_of(body.filters, config),
        search=body.search_query_experimental,
    )
    return selection.also(Demonstrated()) if body.output_source == "demonstration" else selection


def query_of(body: QueryBody, config: Config, *, default_limit: int | None) -> InferenceQuery:
    """The query that is asked for. Raises Malformed."""
    _check_cursor(body)
    has_search = body.search_query_experimental is not None
    order = order_of(body.order_by or (), config, has_search=has_search)
    query = InferenceQuery(
        selection=selection_of(body, config),
        order=order,
        before=body.before,
        after=body.after,
        offset=body.offset or 0,
        limit=default_limit if body.limit is None else body.limit,
    )
    if query.has_cursor and not all(isinstance(term, ByTime) for term in order):
        reason = "found an order beside a cursor; wanted timestamp, or no cursor"
        raise Malformed((Problem("order_by", reason),))
    return query


def _check_cursor(body: QueryBody) -> None:
    if body.before is not None and body.after is not None:
        raise Malformed((Problem("before, after", "found both; wanted at most one of them"),))
    has_cursor = body.before is not None or body.after is not None
    if has_cursor and body.offset is not None:
        reason = "found one beside a cursor; wanted either before or after, or an offset"
        raise Malformed((Problem("offset", reason),))


def _whole(value: Any, _: Any) -> int:
    if type(value) is not int or value < 0:
        raise Mismatch(describe_json(value), "an integer ≥ 0")
    return min(value, _LIMIT_MAX)
