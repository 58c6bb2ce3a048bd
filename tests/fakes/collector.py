"""A collector of OpenTelemetry traces on loopback: keeps what it is sent, and reads protobuf."""

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import attrs
import orjson


@attrs.frozen(kw_only=True)
class Export:
    """One request."""

    path: str
    headers: dict[str, str]
    body: bytes

    def spans(self) -> list[dict[str, Any]]:
        """The spans, each with its attributes and those of its resource."""
        if self.headers["content-type"] == "application/json":
            return _spans_of_json(orjson.loads(self.body))
        return _spans_of_protobuf(self.body)


class FakeCollector:
    """Takes exports; answers with `status`."""

    def __init__(self) -> None:
        self.exports: list[Export] = []
        self.status = 200
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def spans(self) -> list[dict[str, Any]]:
        """All spans so far."""
        return [span for export in self.exports for span in export.spans()]

    def named(self, name: str) -> list[dict[str, Any]]:
        """The spans of a name."""
        return [span for span in self.spans() if span["name"] == name]

    @contextmanager
    def running(self) -> Iterator["FakeCollector"]:
        """Takes exports while this goes on."""
        thread = Thread(target=self._server.serve_forever, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            self._server.server_close()
            thread.join()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        collector = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                collector.exports.append(Export(path=self.path, headers=headers, body=body))
                self.send_response(collector.status)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        return Handler


def _spans_of_json(body: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {**_json_span(span), "resource": _json_attributes(each["resource"]["attributes"])}
        for each in body["resourceSpans"]
        for scope in each["scopeSpans"]
        for span in scope["spans"]
    ]


def _json_span(span: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": span["name"],
        "trace_id": span["traceId"],
        "span_id": span["spanId"],
        "parent_id": span.get("parentSpanId", ""),
        "state": span.get("traceState", ""),
        "kind": span["kind"],
        "start_ns": int(span["startTimeUnixNano"]),
        "end_ns": int(span["endTimeUnixNano"]),
        "attributes": _json_attributes(span["attributes"]),
        "error": span.get("status", {}).get("message"),
    }


def _json_attributes(pairs: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        pair["key"]: int(value) if kind == "intValue" else value
        for pair in pairs
        for kind, value in pair["value"].items()
    }


def _spans_of_protobuf(body: bytes) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for resource_spans in _fields(body).get(1, []):
        parts = _fields(resource_spans)
        resource = _attributes(_fields(parts[1][0]).get(1, []))
        spans = [span for scope in parts[2] for span in _fields(scope).get(2, [])]
        found += [{**_span(_fields(span)), "resource": resource} for span in spans]
    return found


def _span(fields: dict[int, list[Any]]) -> dict[str, Any]:
    def one(number: int, default: Any = b"") -> Any:
        return fields.get(number, [default])[0]

    status = _fields(one(15))
    return {
        "name": one(5).decode(),
        "trace_id": one(1).hex(),
        "span_id": one(2).hex(),
        "parent_id": one(4).hex(),
        "state": one(3).decode(),
        "kind": one(6, 0),
        "start_ns": struct.unpack("<Q", one(7))[0],
        "end_ns": struct.unpack("<Q", one(8))[0],
        "attributes": _attributes(fields.get(9, [])),
        "error": status[2][0].decode() if status.get(3) == [2] else None,
    }


def _attributes(pairs: list[bytes]) -> dict[str, Any]:
    found = {}
    for pair in pairs:
        fields = _fields(pair)
        (number, values), *_ = _fields(fields[2][0]).items()
        found[fields[1][0].decode()] = {
            1: lambda value: value.decode(),
            2: bool,
            3: lambda value: value - (1 << 64) if value >> 63 else value,
            4: lambda value: struct.unpack("<d", value)[0],
        }[number](values[0])
    return found


def _fields(body: bytes) -> dict[int, list[Any]]:
    """The fields of a message by number."""
    found: dict[int, list[Any]] = {}
    at = 0

    def varint() -> int:
        nonlocal at
        number = shift = 0
        while True:
            byte = body[at]
            at += 1
            number |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return number

    while at < len(body):
        tag = varint()
        value: Any
        match tag & 7:
            case 0:
                value = varint()
            case 1:
                value, at = body[at : at + 8], at + 8
            case 2:
                length = varint()
                value, at = body[at : at + length], at + length
            case kind:
                raise AssertionError(f"wire type {kind}")
        found.setdefault(tag >> 3, []).append(value)
    return found
