"""Messages of AWS's event streams, made byte by byte."""

import struct
from collections.abc import Mapping
from typing import Any
from zlib import crc32

import orjson


def frame(headers: Mapping[str, str], payload: bytes) -> bytes:
    """One message whose headers are all texts."""
    packed = b"".join(_header(name, value) for name, value in headers.items())
    return packed_frame(packed, payload)


def packed_frame(headers: bytes, payload: bytes) -> bytes:
    """One message with these bytes for headers, its lengths and checksums right."""
    lengths = struct.pack(">II", 16 + len(headers) + len(payload), len(headers))
    prelude = lengths + struct.pack(">I", crc32(lengths))
    message = prelude + headers + payload
    return message + struct.pack(">I", crc32(message))


def event(kind: str, payload: Any) -> bytes:
    """An event of this kind; a payload that is no bytes is sent as JSON."""
    return _message("event", "event-type", kind, payload)


def exception(kind: str, payload: Any) -> bytes:
    """An exception of this kind."""
    return _message("exception", "exception-type", kind, payload)


def error(code: str, message: str) -> bytes:
    """An error that is told in headers alone."""
    headers = {":message-type": "error", ":error-code": code, ":error-message": message}
    return frame(headers, b"")


def _message(kind: str, name: str, value: str, payload: Any) -> bytes:
    headers = {
        f":{name}": value,
        ":content-type": "application/json",
        ":message-type": kind,
    }
    data = payload if isinstance(payload, bytes) else orjson.dumps(payload)
    return frame(headers, data)


def _header(name: str, value: str) -> bytes:
    return (
        struct.pack(">B", len(name))
        + name.encode()
        + struct.pack(">BH", 7, len(value.encode()))
        + value.encode()
    )
