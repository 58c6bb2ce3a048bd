"""Where traces begin and end."""

import attrs
import pytest

from lsd.api import Tracing
from lsd.api.exchange import Answer, Request, Start
from lsd.telemetry import Trace, Tracer, current_trace
from tests.unit.api.endpoints import endpoint, front_of
from tests.unit.api.in_memory import ask
from tests.unit.store.makers import HandClock

MORE = (
    "/batch_inference/{batch_id}",
    "/batch_inference/{batch_id}/cancel",
    "/batch_inference/{batch_id}/inference/{inference_id}",
    "/openai/v1/models/{path:model}",
)
"""Routes with ids in them, each for one method."""


@attrs.define(eq=False)
class Traced:
    """A front whose traces are kept."""

    traces: list[Trace] = attrs.field(factory=list)

    def front(self, method: str, path: str, status: int = 200, body: bytes = b"{}") -> object:
        async def handle(_request: Request, _start: Start) -> Answer:
            trace = current_trace()
            if trace is not None:
                trace.add("work", trace.clock.now_ns(), {})
            return Answer(status=status, body=body)

        tracer = Tracer(
            format="opentelemetry",
            include_content=False,
            clock=HandClock(),
            export=self.traces.append,
        )
        served = [endpoint(handle, method, path), *(endpoint(handle, "GET", each) for each in MORE)]
        return attrs.evolve(front_of(*served), tracing=Tracing.of(tracer, served))


@pytest.mark.parametrize(
    ("path", "is_traced"),
    [
        ("/inference", True),
        ("/feedback", True),
        ("/batch_inference", True),
        ("/openai/v1/chat/completions", True),
        ("/anthropic/v1/messages", True),
        ("/internal/config", False),
        ("/metrics", False),
    ],
)
async def test_what_calls_models_is_traced(path: str, is_traced: bool) -> None:
    """And what tells about their answers."""
    traced = Traced()

    await ask(traced.front("POST", path), "POST", path)

    names = [[span.name for span in trace.spans] for trace in traced.traces]
    assert names == ([[f"POST {path}", "lsd_auth", "work"]] if is_traced else [])


@pytest.mark.parametrize(
    ("path", "route"),
    [
        ("/batch_inference/0199e3a2", "/batch_inference/{batch_id}"),
        (
            "/batch_inference/0199e3a2/inference/0199e3a3",
            "/batch_inference/{batch_id}/inference/{inference_id}",
        ),
        ("/batch_inference/0199e3a2/cancel", "/batch_inference/{batch_id}/cancel"),
        ("/openai/v1/models/gpt-1", "/openai/v1/models/{model}"),
        ("/openai/v1/models/meta/llama/4", "/openai/v1/models/{model}"),
    ],
)
async def test_ids_have_no_part_in_a_route(path: str, route: str) -> None:
    """A collector groups by it."""
    traced = Traced()

    await ask(traced.front("POST", "/inference"), "GET", path)

    (trace,) = traced.traces
    assert trace.root is not None
    assert trace.root.name == f"GET {route}"
    assert trace.root.attributes["http.route"] == route
    assert trace.root.attributes["url.path"] == path


@pytest.mark.parametrize("path", ["/inferences", "/openai/v2/files", "/batch_inference/a/b"])
async def test_what_is_no_route_is_not_traced(path: str) -> None:
    """A collector would get a name for each path that anybody tries."""
    traced = Traced()

    await ask(traced.front("POST", "/inference"), "GET", path)

    assert traced.traces == []


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (200, b'{"error":"no"}', None),
        (404, b'{"error":"unknown"}', "unknown"),
        (429, b'{"error":{"message":"slow down"}}', "slow down"),
        (502, b"<html>", "HTTP 502"),
        (500, b"[]", "HTTP 500"),
    ],
)
async def test_an_error_is_told_in_the_words_of_the_answer(
    status: int, body: bytes, error: str | None
) -> None:
    """Of any of the APIs."""
    traced = Traced()

    await ask(traced.front("POST", "/inference", status, body), "POST", "/inference")

    (trace,) = traced.traces
    assert trace.root.error == error
    assert trace.root.attributes["http.response.status_code"] == status


async def test_headers_that_mean_nothing_are_refused_where_nothing_is_traced() -> None:
    """With or without a collector."""
    front = front_of(endpoint(lambda *_: None, "GET", "/status"))

    asked = await ask(front, "GET", "/status", headers={"lsd-otlp-traces-extra-attribute-n": "1"})

    assert asked.status == 400
