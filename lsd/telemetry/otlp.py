"""Traces in the form in which collectors take them: OTLP, as protobuf or as JSON.

A trace is encoded by itself, in some hundred microseconds, so that whoever encodes many can let
others go first in between.

Source: opentelemetry-proto 1.5, `collector/trace/v1` and `trace/v1`; "OTLP/HTTP Request" and "JSON
Protobuf Encoding" of the OTLP specification.
"""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from struct import Struct
from typing import Any, Final, Literal

import orjson

from lsd import __version__
from lsd.telemetry._protobuf import BYTES, EIGHT_BYTES, VARINT, message, tag, text, varint
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
_FIXED64: Final = Struct("<Q")

_FIRST: Final = tag(1, BYTES)
_SECOND: Final = tag(2, BYTES)
"""Fields of several messages: of the pairs and values of attributes among others."""

_STATE: Final = tag(3, BYTES)
_PARENT: Final = tag(4, BYTES)
_NAME: Final = tag(5, BYTES)
_KIND: Final = {kind: tag(6, VARINT) + varint(number) for kind, number in _KINDS.items()}
_START: Final = tag(7, EIGHT_BYTES)
_END: Final = tag(8, EIGHT_BYTES)
_ATTRIBUTE: Final = tag(9, BYTES)
_STATUS: Final = tag(15, BYTES)
_FAILED: Final = tag(3, VARINT) + varint(_STATUS_ERROR)
"""Fields of a span, and of its status."""

_TRUTH: Final = (tag(2, VARINT) + varint(0), tag(2, VARINT) + varint(1))
_NUMBER: Final = tag(3, VARINT)
_FRACTION: Final = tag(4, EIGHT_BYTES)
"""Values of attributes."""

_SCOPE_MESSAGE: Final = message(_FIRST, text(_FIRST, _SCOPE) + text(_SECOND, __version__))

_KEYS_MAX: Final = 512
"""Names of attributes whose encoding is remembered: LSD has some sixty, callers add theirs."""


def encode_trace(trace: Trace, resource: Mapping[str, str], encoding: OtlpEncoding) -> bytes:
    """A piece of an export; `resource` describes who exports."""
    if encoding == "http/json":
        return orjson.dumps(_json_resource_spans(trace, resource))
    return message(_FIRST, _resource_spans(trace, resource))


def otlp_body(pieces: Iterable[bytes], encoding: OtlpEncoding) -> bytes:
    """The body of one export of these traces."""
    if encoding == "http/json":
        return b'{"resourceSpans":[' + b",".join(pieces) + b"]}"
    return b"".join(pieces)


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
    described = _attributes(_FIRST, {**resource, **trace.extras.resource})
    spans = [message(_SECOND, _span(trace, span)) for span in trace.spans]
    return message(_FIRST, described) + message(_SECOND, _SCOPE_MESSAGE + b"".join(spans))


def _span(trace: Trace, span: Span) -> bytes:
    parts = [
        message(_FIRST, trace.trace_id),
        message(_SECOND, span.span_id),
        text(_STATE, trace.state) if trace.state else b"",
        message(_PARENT, span.parent_id) if span.parent_id is not None else b"",
        text(_NAME, span.name),
        _KIND[span.kind],
        _START + _FIXED64.pack(span.start_ns),
        _END + _FIXED64.pack(span.end_ns),
        _attributes(_ATTRIBUTE, span.attributes),
    ]
    if span.error is not None:
        parts.append(message(_STATUS, text(_SECOND, span.error) + _FAILED))
    return b"".join(parts)


def _attributes(field: bytes, attributes: Mapping[str, AttributeValue]) -> bytes:
    pairs = [
        message(field, _key(key) + message(_SECOND, _value(value)))
        for key, value in attributes.items()
    ]
    return b"".join(pairs)


@lru_cache(maxsize=_KEYS_MAX)
def _key(name: str) -> bytes:
    return text(_FIRST, name)


def _value(value: AttributeValue) -> bytes:
    match value:
        case str():
            return text(_FIRST, value)
        case bool():
            return _TRUTH[value]
        case int():
            return _NUMBER + varint(value & 0xFFFF_FFFF_FFFF_FFFF)
        case float():
            return _FRACTION + _DOUBLE.pack(value)
