"""What records of the log tell of their request."""

from collections.abc import Iterator

import pytest

from lsd.telemetry import CURRENT_REQUEST, RequestContext
from lsd.telemetry.request_context import with_request


class Ids:
    """Counts the ids that it gives."""

    def __init__(self) -> None:
        self.given = 0

    def new(self) -> str:
        """The next id."""
        self.given += 1
        return f"id-{self.given}"


@pytest.fixture
def ids() -> Ids:
    """Ids of which none is given yet."""
    return Ids()


@pytest.fixture
def context(ids: Ids) -> Iterator[RequestContext]:
    """The request that is being served."""
    context = RequestContext(method="POST", path="/inference", new_id=ids.new)
    token = CURRENT_REQUEST.set(context)
    yield context
    CURRENT_REQUEST.reset(token)


def test_a_record_inside_of_a_request_names_it(context: RequestContext) -> None:
    """Whoever reads one record finds all others of the same request."""
    record = with_request(None, "", {"event": "client left"})

    assert record == {
        "request_id": context.request_id,
        "method": "POST",
        "path": "/inference",
        "event": "client left",
    }


def test_a_record_outside_of_requests_is_left_alone() -> None:
    """The daemon's own steps belong to no request."""
    assert with_request(None, "", {"event": "serving"}) == {"event": "serving"}


def test_fields_of_the_record_itself_stay(context: RequestContext) -> None:
    """A module that names a path of its own is not overruled."""
    assert with_request(None, "", {"path": "/tmp"})["path"] == "/tmp"
    assert context.path == "/inference"


def test_the_id_is_made_once_and_only_when_it_is_asked_for(
    context: RequestContext, ids: Ids
) -> None:
    """Most requests log nothing, and pay nothing."""
    assert ids.given == 0

    first, second = context.request_id, context.request_id

    assert first == second
    assert ids.given == 1


def test_the_trace_of_a_load_balancer_is_told_if_there_is_one() -> None:
    """Records can be matched with those of what stands in front."""
    context = RequestContext(
        method="GET", path="/status", x_amzn_trace_id="Root=1-67891233", new_id=Ids().new
    )

    assert context.fields()["x_amzn_trace_id"] == "Root=1-67891233"
