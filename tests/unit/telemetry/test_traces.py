"""Traces: spans below each other, with ids of their own or of the caller."""

from typing import Any

import pytest

from lsd.telemetry import NO_EXTRAS, Trace, TraceExtras, Tracer, span_id_of, tag_attributes
from lsd.telemetry import traces as traces_module
from tests.unit.store.makers import HandClock

PARENT = "0af7651916cd43dd8448eb211c80319c"
CALLER = "b7ad6b7169203331"


def begun(
    clock: HandClock | None = None,
    extras: TraceExtras = NO_EXTRAS,
    exported: list[Trace] | None = None,
    **headers: str,
) -> tuple[Tracer, Trace | None]:
    """A trace of a request with these headers."""
    clock = clock or HandClock()
    tracer = Tracer(
        format="opentelemetry",
        include_content=False,
        clock=clock,
        export=[].append if exported is None else exported.append,
    )
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return tracer, tracer.begin("POST", "/inference", "/llm/inference", named, extras)


def test_a_trace_begins_with_the_span_of_the_request() -> None:
    """Named for its route."""
    _, trace = begun(user_agent="curl")

    assert trace is not None
    assert (trace.root.name, trace.root.kind, trace.root.parent_id) == (
        "POST /inference",
        "server",
        None,
    )
    assert trace.root.attributes == {
        "http.request.method": "POST",
        "http.route": "/inference",
        "url.path": "/llm/inference",
        "user_agent.original": "curl",
    }


def test_ids_are_never_the_same() -> None:
    """Of traces as of spans."""
    traces = [begun()[1] for _ in range(100)]

    assert len({each.trace_id for each in traces if each}) == 100
    assert len({each.root.span_id for each in traces if each}) == 100


@pytest.mark.parametrize(
    ("traceparent", "is_followed"),
    [
        (f"00-{PARENT}-{CALLER}-01", True),
        (f"00-{PARENT}-{CALLER}-03", True),
        (f"cc-{PARENT}-{CALLER}-01-more", True),
        (f"cc-{PARENT}-{CALLER}-01", True),
        (f"00-{PARENT}-{CALLER}-01-more", False),
        (f"ff-{PARENT}-{CALLER}-01", False),
        (f"00-{'0' * 32}-{CALLER}-01", False),
        (f"00-{PARENT}-{'0' * 16}-01", False),
        (f"00-{PARENT.upper()}-{CALLER}-01", False),
        (f"00-{PARENT}-{CALLER}", False),
        ("nonsense", False),
    ],
)
def test_a_trace_of_the_caller_is_followed(traceparent: str, is_followed: bool) -> None:
    """Unless it is none: then a new one begins. Source: W3C Trace Context."""
    _, trace = begun(traceparent=traceparent, tracestate="vendor=1")

    assert trace is not None
    assert (trace.trace_id.hex() == PARENT) is is_followed
    assert trace.root.parent_id == (bytes.fromhex(CALLER) if is_followed else None)
    assert trace.state == ("vendor=1" if is_followed else "")


def test_a_caller_may_want_no_trace() -> None:
    """Its flag says that nobody looks at it."""
    assert begun(traceparent=f"00-{PARENT}-{CALLER}-00")[1] is None


def test_spans_lie_below_each_other() -> None:
    """Below the request unless told otherwise; what is unknown has no attribute."""
    clock = HandClock()
    _, trace = begun(clock)
    assert trace is not None
    started_ns = clock.now_ns()
    clock.advance_s(1)

    outer = trace.add("outer", started_ns, {"a": 1, "b": None})
    inner = trace.add("inner", started_ns, {}, parent_id=outer.span_id, end_ns=started_ns + 5)

    assert (outer.parent_id, inner.parent_id) == (trace.root.span_id, outer.span_id)
    assert (outer.end_ns - outer.start_ns, inner.end_ns - inner.start_ns) == (1_000_000_000, 5)
    assert outer.attributes == {"a": 1}


def test_a_trace_has_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a request does."""
    monkeypatch.setattr(traces_module, "SPANS_MAX", 3)
    _, trace = begun()
    assert trace is not None

    for _ in range(10):
        trace.add("more", 0, {})

    assert len(trace.spans) == 3


def test_a_trace_that_is_over_is_exported() -> None:
    """With its status, and with what the caller wants on each span."""
    exported: list[Trace] = []
    extras = TraceExtras(attributes={"flag": True})
    tracer, trace = begun(extras=extras, exported=exported)
    assert trace is not None
    trace.add("step", 0, {})

    tracer.end_request(trace, 429, "too many")

    assert exported == [trace]
    found: dict[str, Any] = trace.root.attributes
    assert (found["http.response.status_code"], trace.root.error) == (429, "too many")
    assert all(span.attributes["flag"] is True for span in trace.spans)


def test_what_has_an_id_has_a_span_of_a_known_id() -> None:
    """So that steps can lie below it before it is over."""
    span_id = span_id_of("0199e3a2-7c11-7d30-9a51-2f6d0c1b7e44")

    assert span_id == bytes.fromhex("9a512f6d0c1b7e44")


def test_what_belongs_to_no_request_has_no_server() -> None:
    """Its first step is at the root."""
    exported: list[Trace] = []
    tracer, _ = begun(exported=exported)

    trace = tracer.begin_apart()
    whole = trace.add("whole", 0, {})
    tracer.end(trace)

    assert (whole.parent_id, trace.root, exported) == (None, None, [trace])


def test_tags_are_attributes() -> None:
    """Of what they are the tags of, or of the scope of a limit."""
    assert tag_attributes({"k": "v"}) == {"tags.k": "v"}
    assert tag_attributes({"k": "v"}, "scope_info.") == {"scope_info.tags.k": "v"}
