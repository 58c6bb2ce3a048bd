"""Messages of AWS's event streams out of bytes, however the network cut them.

Source: the Smithy documentation, "Amazon Event Stream Specification", autumn 2026.
"""

import struct
from collections.abc import Iterator, Mapping
from uuid import UUID
from zlib import crc32

import attrs

FRAME_BYTES_MAX = 24 * 1024 * 1024
HEADERS_BYTES_MAX = 128 * 1024
"""The bounds of the specification for a message and for its headers."""

PRELUDE_BYTES = 12
"""Two lengths and their checksum; the checksum of all stands at the end, in 4 bytes."""

OVERHEAD_BYTES = PRELUDE_BYTES + 4

FrameValue = bool | int | bytes | str | UUID

_NUMBERS = {2: struct.Struct(">b"), 3: struct.Struct(">h"), 4: struct.Struct(">i")}
_LONG = struct.Struct(">q")
_LENGTH = struct.Struct(">H")
_PRELUDE = struct.Struct(">III")


@attrs.define
class Frame:
    """One message. A timestamp among its headers is in milliseconds since 1970."""

    headers: Mapping[str, FrameValue]
    payload: bytes

    def text(self, name: str) -> str:
        """The text in a header; empty without one."""
        value = self.headers.get(name)
        return value if isinstance(value, str) else ""


@attrs.define
class BrokenFrame:
    """Bytes that are no message; nothing can be read behind them."""

    reason: str


@attrs.define(eq=False)
class FrameReader:
    """Cuts bytes into messages, up to the first that is broken."""

    _rest: bytearray = attrs.field(factory=bytearray, init=False)
    _needed: int = attrs.field(default=PRELUDE_BYTES, init=False)
    _is_broken: bool = attrs.field(default=False, init=False)

    @property
    def has_rest(self) -> bool:
        """Whether a message has begun that is not complete."""
        return bool(self._rest)

    def feed(self, data: bytes) -> list[Frame | BrokenFrame]:
        """The messages that `data` completes; often none."""
        if self._is_broken:
            return []
        self._rest += data
        # Before it is needed, not even the length is looked at again.
        if len(self._rest) < self._needed:
            return []
        found: list[Frame | BrokenFrame] = []
        try:
            self._complete(found)
        except _Malformed as error:
            self._is_broken = True
            self._rest.clear()
            found.append(BrokenFrame(f"found a broken frame: {error}"))
        return found

    def _complete(self, found: list[Frame | BrokenFrame]) -> None:
        """Appends to `found`, so that what came before a broken message is not lost."""
        while len(self._rest) >= PRELUDE_BYTES:
            total, headers_length, checksum = _PRELUDE.unpack_from(self._rest)
            _check_prelude(total, headers_length, checksum, self._rest)
            self._needed = total
            if len(self._rest) < total:
                return
            frame = bytes(self._rest[:total])
            del self._rest[:total]
            self._needed = PRELUDE_BYTES
            found.append(_read(frame, headers_length))


class _Malformed(Exception):
    """Bytes are not what the specification says."""


def _check_prelude(total: int, headers_length: int, checksum: int, data: bytearray) -> None:
    """No length is believed before its checksum is right."""
    if crc32(data[:8]) != checksum:
        raise _Malformed("the checksum of its lengths is wrong")
    if not OVERHEAD_BYTES <= total <= FRAME_BYTES_MAX:
        raise _Malformed(f"it has {total} bytes; wanted {OVERHEAD_BYTES} to {FRAME_BYTES_MAX}")
    if headers_length > min(total - OVERHEAD_BYTES, HEADERS_BYTES_MAX):
        raise _Malformed(f"its headers have {headers_length} of {total} bytes")


def _read(frame: bytes, headers_length: int) -> Frame:
    (checksum,) = struct.unpack_from(">I", frame, len(frame) - 4)
    if crc32(memoryview(frame)[:-4]) != checksum:
        raise _Malformed("its checksum is wrong")
    end = PRELUDE_BYTES + headers_length
    return Frame(dict(_headers(frame[PRELUDE_BYTES:end])), frame[end:-4])


def _headers(data: bytes) -> Iterator[tuple[str, FrameValue]]:
    place = 0
    try:
        while place < len(data):
            name, place = _text(data, place + 1, data[place])
            if not name:
                raise _Malformed("a header has no name")
            value, place = _value(data, place + 1, data[place])
            yield name, value
    except (IndexError, struct.error):
        raise _Malformed("a header goes beyond its place") from None


def _value(data: bytes, place: int, kind: int) -> tuple[FrameValue, int]:
    """The value of this kind that begins here, and where the next header begins."""
    match kind:
        case 0 | 1:
            return kind == 0, place
        case 2 | 3 | 4:
            number = _NUMBERS[kind]
            return number.unpack_from(data, place)[0], place + number.size
        case 5 | 8:
            return _LONG.unpack_from(data, place)[0], place + _LONG.size
        case 6:
            return _bytes(data, place + 2, _LENGTH.unpack_from(data, place)[0])
        case 7:
            return _text(data, place + 2, _LENGTH.unpack_from(data, place)[0])
        case 9:
            value, place = _bytes(data, place, 16)
            return UUID(bytes=value), place
        case _:
            raise _Malformed(f"a header has a value of the unknown type {kind}")


def _bytes(data: bytes, place: int, length: int) -> tuple[bytes, int]:
    end = place + length
    if end > len(data):
        raise _Malformed("a header goes beyond its place")
    return data[place:end], end


def _text(data: bytes, place: int, length: int) -> tuple[str, int]:
    value, end = _bytes(data, place, length)
    try:
        return value.decode(), end
    except UnicodeDecodeError:
        raise _Malformed("a header is not UTF-8") from None
