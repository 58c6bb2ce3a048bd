"""Traces in the form in which collectors take them: OTLP, as protobuf or as JSON.

Source: opentelemetry-proto 1.5, `collector/trace/v1` and `trace/v1`; "OTLP/HTTP Request" and "JSON
Protobuf Encoding" of the OTLP specification.
"""

from collections.abc import Iterable, Mapping, Sequence
from struct import Struct
from typing import Any, Final, Literal

import orjson

from lsd import __version__
from lsd.telemetry.traces import AttributeValue, Span, Trace

OtlpEncoding = Literal["http/protobuf", "http/json"]

MEDIA_TYPES: Final[Mapping[OtlpEncoding, str]] = {
    "http/protobuf": "application/x-protobuf",
    "http/json": "application/json",
}

_KINDS: Final = {"internal": 1, "server": 2, "client": 3}
_STATUS_ERROR: Final = 2
_SCOPE: Final = "lsd"

_DOUBLE: Final = Struct("<d")
_VARINT, _FIXED64, _BYTES = 0, 1, 2
"""Wire types of protobuf."""


def encode_otlp(
    traces: Sequence[Trace], resource: Mapping[str, str], encoding: OtlpEncoding
) -> bytes:
    """The body of one export; `resource` describes who exports."""
    if encoding == "http/json":
        spans = [_json_resource_spans(trace, resource) for trace in traces]
        return orjson.dumps({"resourceSpans": spans})
    return b"".join(_message(1, _resource_spans(trace, resource)) for trace in traces)


def _json_resource_spans(trace: Trace, resource: Mapping[str, str]) -> dict[str, Any]:
    return {
        "resource": {"attributes": _json_attributes({**resource, **trace.extras.resource})},
        "scopeSpans": [
            {
                "scope": {"name": _SCOPE, "version": __version__},
                "spans": [_json_span(trace, span) for span in trace.spans],
            }
        ],
    }


def _json_span(trace: Trace, span: Span) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "traceId": trace.trace_id.hex(),
        "spanId": span.span_id.hex(),
        "name": span.name,
        "kind": _KINDS[span.kind],
        "startTimeUnixNano": str(span.start_ns),
        "endTimeUnixNano": str(span.end_ns),
        "attributes": _json_attributes(span.attributes),
    }
    if span.parent_id is not None:
        shown["parentSpanId"] = span.parent_id.hex()
    if trace.state:
        shown["traceState"] = trace.state
    if span.error is not None:
        shown["status"] = {"code": _STATUS_ERROR, "message": span.error}
    return shown


def _json_attributes(attributes: Mapping[str, AttributeValue]) -> list[dict[str, Any]]:
    return [{"key": key, "value": _json_value(value)} for key, value in attributes.items()]


def _json_value(value: AttributeValue) -> dict[str, Any]:
    match value:
        case bool():
            return {"boolValue": value}
        case int():
            return {"intValue": str(value)}
        case float():
            return {"doubleValue": value}
        case str():
            return {"stringValue": value}


def _resource_spans(trace: Trace, resource: Mapping[str, str]) -> bytes:
    scope = _text(1, _SCOPE) + _text(2, __version__)
    spans = (_message(2, _span(trace, span)) for span in trace.spans)
    return _message(1, _attributes(1, {**resource, **trace.extras.resource})) + _message(
        2, _message(1, scope) + b"".join(spans)
    )


def _span(trace: Trace, span: Span) -> bytes:
    parts = [
        _message(1, trace.trace_id),
        _message(2, span.span_id),
        _text(3, trace.state) if trace.state else b"",
        _message(4, span.parent_id) if span.parent_id is not None else b"",
        _text(5, span.name),
        _tag(6, _VARINT) + _varint(_KINDS[span.kind]),
        _tag(7, _FIXED64) + span.start_ns.to_bytes(8, "little"),
        _tag(8, _FIXED64) + span.end_ns.to_bytes(8, "little"),
        _attributes(9, span.attributes),
    ]
    if span.error is not None:
        status = _text(2, span.error) + _tag(3, _VARINT) + _varint(_STATUS_ERROR)
        parts.append(_message(15, status))
    return b"".join(parts)


def _attributes(field: int, attributes: Mapping[str, AttributeValue]) -> bytes:
    pairs: Iterable[bytes] = (
        _text(1, key) + _message(2, _value(value)) for key, value in attributes.items()
    )
    return b"".join(_message(field, pair) for pair in pairs)


def _value(value: AttributeValue) -> bytes:
    match value:
        case bool():
            return _tag(2, _VARINT) + _varint(value)
        case int():
            return _tag(3, _VARINT) + _varint(value & 0xFFFF_FFFF_FFFF_FFFF)
        case float():
            return _tag(4, _FIXED64) + _DOUBLE.pack(value)
        case str():
            return _text(1, value)


def _text(field: int, text: str) -> bytes:
    return _message(field, text.encode("utf-8", "replace"))


def _message(field: int, body: bytes) -> bytes:
    return _tag(field, _BYTES) + _varint(len(body)) + body


def _tag(field: int, wire_type: int) -> bytes:
    return _varint(field << 3 | wire_type)


def _varint(number: int) -> bytes:
    digits = bytearray()
    while number > 0x7F:
        digits.append(number & 0x7F | 0x80)
        number >>= 7
    digits.append(number)
    return bytes(digits)
