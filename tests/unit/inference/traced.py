"""A gateway whose inferences are traced, and the tree of their spans."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import attrs

from lsd.telemetry import CURRENT_TRACE, NO_EXTRAS, Span, Trace, Tracer
from tests.unit.inference.gateway import Gateway

Tree = dict[str, Any]
"""The spans below one, by name; several of a name have numbers behind it."""


@attrs.define(eq=False)
class Traced:
    """Traces what a gateway does: within `request`, or apart from any."""

    gateway: Gateway
    traces: list[Trace] = attrs.field(factory=list, init=False)
    tracer: Tracer = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.tracer = Tracer(
            format="opentelemetry",
            include_content=False,
            clock=self.gateway.clock,
            export=self.traces.append,
        )
        self.gateway.service.tracer = self.gateway.embeddings.tracer = self.tracer

    @contextmanager
    def request(self) -> Iterator[Trace]:
        """What is done inside belongs to one request."""
        trace = self.tracer.begin("POST", "/inference", "/inference", {}, NO_EXTRAS)
        assert trace is not None
        token = CURRENT_TRACE.set(trace)
        try:
            yield trace
        finally:
            CURRENT_TRACE.reset(token)
            self.tracer.end_request(trace, 200, None)


def named(trace: Trace, name: str) -> list[Span]:
    """The spans of a name, in the order of their beginning."""
    return sorted((each for each in trace.spans if each.name == name), key=lambda it: it.start_ns)


def one(trace: Trace, name: str) -> Span:
    """The only span of a name."""
    (span,) = named(trace, name)
    return span


def tree(trace: Trace, parent_id: bytes | None) -> Tree:
    """What lies below a span, as nested dictionaries."""
    below = [each for each in trace.spans if each.parent_id == parent_id]
    names = [each.name for each in below]
    found: Tree = {}
    for number, each in enumerate(below):
        name = each.name if names.count(each.name) == 1 else f"{each.name} {number + 1}"
        found[name] = tree(trace, each.span_id)
    return found


def starting_with(prefix: str, attributes: Mapping[str, Any]) -> dict[str, Any]:
    """The attributes whose names begin so, without that."""
    return {
        name.removeprefix(prefix): value
        for name, value in attributes.items()
        if name.startswith(prefix)
    }
