"""OTLP: the same spans in both encodings, and bytes that are known to be right."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsd.telemetry import (
    MEDIA_TYPES,
    OtlpEncoding,
    Span,
    Trace,
    TraceExtras,
    encode_trace,
    otlp_body,
)
from tests.fakes.collector import Export
from tests.unit.store.makers import HandClock

RESOURCE = {"service.name": "lsd"}
ATTRIBUTES = {"text": "é", "yes": True, "no": False, "many": 2**62, "less": -5, "part": 0.25}


def trace_of(*attributes: dict[str, str | bool | int | float], error: str | None = None) -> Trace:
    """A trace with one span for each set of attributes, below each other."""
    spans: list[Span] = []
    for number, each in enumerate(attributes):
        spans.append(
            Span(
                name=f"span {number}",
                kind="server" if not number else "client",
                span_id=bytes([number] * 8),
                parent_id=spans[-1].span_id if spans else None,
                start_ns=1_770_000_000_000_000_000 + number,
                end_ns=1_770_000_000_500_000_000,
                attributes=each,
                error=error,
            )
        )
    extras = TraceExtras(resource={"region": "eu"})
    return Trace(
        trace_id=bytes(range(16)),
        state="vendor=1",
        extras=extras,
        clock=HandClock(),
        root=spans[0],
        spans=spans,
    )


def read(encoding: OtlpEncoding, *traces: Trace) -> list[dict[str, object]]:
    """The spans as a collector reads them."""
    body = otlp_body([encode_trace(each, RESOURCE, encoding) for each in traces], encoding)
    headers = {"content-type": MEDIA_TYPES[encoding]}
    return Export(path="/", headers=headers, body=body).spans()


def test_a_span_has_the_bytes_of_the_specification() -> None:
    """Worked out by hand from the numbers of the fields."""
    trace = trace_of({"k": True})
    body = encode_trace(trace, {}, "http/protobuf")

    times = (1_770_000_000_000_000_000, 1_770_000_000_500_000_000)
    start, end = (each.to_bytes(8, "little") for each in times)
    span = b"".join(
        (
            b"\x0a\x10" + bytes(range(16)),
            b"\x12\x08" + bytes(8),
            b"\x1a\x08vendor=1",
            b"\x2a\x06span 0",
            b"\x30\x02",
            b"\x39" + start,
            b"\x41" + end,
            b"\x4a\x07\x0a\x01k\x12\x02\x10\x01",
        )
    )
    assert bytes([0x12, len(span)]) + span in body


@pytest.mark.parametrize("encoding", MEDIA_TYPES)
def test_all_kinds_of_attributes_arrive(encoding: OtlpEncoding) -> None:
    """With ids, times, parents, and what went wrong."""
    outer, inner = read(encoding, trace_of(ATTRIBUTES, {}, error="no answer"))

    assert outer["attributes"] == ATTRIBUTES
    assert inner["attributes"] == {}
    assert outer["resource"] == {"service.name": "lsd", "region": "eu"}
    assert (outer["kind"], inner["kind"]) == (2, 3)
    assert (outer["parent_id"], inner["parent_id"]) == ("", outer["span_id"])
    assert outer["trace_id"] == inner["trace_id"] == bytes(range(16)).hex()
    assert (outer["start_ns"], outer["end_ns"]) == (
        1_770_000_000_000_000_000,
        1_770_000_000_500_000_000,
    )
    assert (outer["error"], outer["state"]) == ("no answer", "vendor=1")


@given(
    attributes=st.dictionaries(
        st.text(max_size=20),
        st.text()
        | st.booleans()
        | st.integers(0, 2**63 - 1)
        | st.floats(allow_nan=False, allow_infinity=False),
        max_size=5,
    )
)
def test_both_encodings_tell_the_same(
    attributes: dict[str, str | bool | int | float],
) -> None:
    """Whatever the attributes hold."""
    traces = [trace_of(attributes), trace_of({}, error="e")]

    assert read("http/protobuf", *traces) == read("http/json", *traces)
