"""The body of a list of inferences becomes a query of the store."""

from pathlib import Path
from typing import Any

import pytest

from lsd.api.inference_query import QueryBody, query_of, register_queries
from lsd.config import Config, Sources, load
from lsd.conversation import Malformed, Structurer
from lsd.store import ByTime, Demonstrated, InferenceQuery, Selection

OWN = "0199e3a2-7c11-7d30-9a51-2f6d0c1b7e44"


@pytest.fixture
def config(tmp_path: Path) -> Config:
    """The one without a file."""
    return load(Sources(environment={}, working_directory=tmp_path)).config


def query(config: Config, **body: Any) -> InferenceQuery:
    """The query of a body."""
    structurer = Structurer()
    register_queries(structurer)
    return query_of(structurer.structure(body, QueryBody), config, default_limit=20)


def test_what_is_not_given_does_not_matter(config: Config) -> None:
    """`null` is not given, either."""
    plain = InferenceQuery(limit=20)

    assert query(config) == plain
    nothing = dict.fromkeys(("function_name", "episode_id", "filters", "before", "offset", "limit"))
    assert query(config, **nothing) == plain


def test_a_cursor_may_have_any_form(config: Config) -> None:
    """And an order by time beside it."""
    found = query(
        config,
        before=f"msg_{OWN.replace('-', '')}",
        episode_id=OWN.upper(),
        order_by=[{"by": "timestamp"}],
        output_source="demonstration",
    )

    assert found == InferenceQuery(
        selection=Selection(episode_id=OWN, filter=Demonstrated()),
        order=(ByTime(),),
        before=OWN,
        limit=20,
    )


@pytest.mark.parametrize(
    "body",
    [
        {"before": OWN, "after": OWN},
        {"after": OWN, "offset": 0},
        {"after": f"msg_{'0' * 31}"},
        {"limit": True},
        {"limit": -1},
    ],
)
def test_what_contradicts_itself_is_refused(config: Config, body: dict[str, Any]) -> None:
    """Cursors exclude each other and offsets."""
    with pytest.raises(Malformed):
        query(config, **body)
