"""Request bodies: read up to a limit, and decompressed up to the same limit."""

import zlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeVar

import attrs
import trio

from lsd.conversation import LsdError

INLINE_BYTES_MAX = 1 << 20
"""Larger bodies are inflated and parsed in a thread: a mebibyte takes some milliseconds, during
which every other request would wait."""

INLINE_LIST_BYTES_MAX = 64 << 10
"""The same for bodies that list many small things, each of which becomes an object of some depth:
that takes ten times as long as parsing them, some ten milliseconds for this."""

_DEFLATE_RATIO_MAX = 1032
"""One byte stands for at most so many. Source: zlib's technical details, "Maximum compression"."""

_CODINGS_MAX = 4
"""Nobody compresses what is compressed; each coding costs the inflating of a whole body."""

_WINDOW_BITS = {"gzip": 31, "x-gzip": 31, "deflate": 15}
"""What zlib wants to be told of each coding. Source: zlib's manual, inflateInit2."""

_RAW_DEFLATE = -15

T = TypeVar("T")
D = TypeVar("D")
Receive = Callable[[], Awaitable[Any]]


@attrs.frozen
class BodyTooLarge(LsdError):
    """The body is larger than the daemon takes."""

    bytes_max: int

    def __str__(self) -> str:
        most = self.bytes_max
        return f"body: found more than {most} bytes; wanted at most gateway.max_request_bytes"


@attrs.frozen
class CodingUnknown(LsdError):
    """The body is compressed in a way that the daemon cannot undo."""

    found: str

    def __str__(self) -> str:
        return f"content-encoding: found {self.found[:100]!r}; wanted gzip, deflate or none"


@attrs.frozen
class CodingBroken(LsdError):
    """The body is not what its content coding says."""

    coding: str

    def __str__(self) -> str:
        return f"body: found data that is not valid {self.coding}"


class ClientGone(LsdError):
    """The client closed the connection before its request was whole."""


async def read_body(receive: Receive, headers: Mapping[str, str], bytes_max: int) -> bytes:
    """The whole body as it was meant.

    Raises BodyTooLarge, CodingUnknown, CodingBroken, ClientGone.
    """
    codings = _codings(headers["content-encoding"]) if "content-encoding" in headers else ()
    try:
        announced = int(headers.get("content-length", 0))
    except ValueError:
        announced = 0
    if announced > bytes_max:
        raise BodyTooLarge(bytes_max)
    message = await receive()
    if message["type"] != "http.request":
        raise ClientGone
    body: bytes = message.get("body", b"")
    if len(body) > bytes_max:
        raise BodyTooLarge(bytes_max)
    if message.get("more_body", False):
        body = await _received_to_end([body], receive, bytes_max)
    return await _decoded(body, codings, bytes_max) if codings else body


async def _received_to_end(pieces: list[bytes], receive: Receive, bytes_max: int) -> bytes:
    length = len(pieces[0])
    while (message := await receive())["type"] == "http.request":
        piece = message.get("body", b"")
        pieces.append(piece)
        length += len(piece)
        if length > bytes_max:
            raise BodyTooLarge(bytes_max)
        if not message.get("more_body", False):
            return b"".join(pieces)
    raise ClientGone


async def _decoded(body: bytes, codings: Sequence[str], bytes_max: int) -> bytes:
    for coding in reversed(codings):
        if len(body) > INLINE_BYTES_MAX // _DEFLATE_RATIO_MAX:
            body = await trio.to_thread.run_sync(_inflated, body, coding, bytes_max)
        else:
            body = _inflated(body, coding, bytes_max)
    return body


def _codings(value: str) -> list[str]:
    codings = [each.strip().lower() for each in value.split(",")]
    for coding in codings:
        if coding not in _WINDOW_BITS and coding not in ("", "identity"):
            raise CodingUnknown(coding)
    if len(codings) > _CODINGS_MAX:
        raise CodingUnknown(value)
    return [coding for coding in codings if coding in _WINDOW_BITS]


def _inflated(body: bytes, coding: str, bytes_max: int) -> bytes:
    """Stops at the limit, however much more there would be."""
    window_bits = _WINDOW_BITS[coding]
    if coding == "deflate" and not _has_zlib_head(body):
        window_bits = _RAW_DEFLATE  # what some clients send under this name
    inflater = zlib.decompressobj(window_bits)
    try:
        inflated = inflater.decompress(body, bytes_max + 1)
    except zlib.error:
        raise CodingBroken(coding) from None
    if len(inflated) > bytes_max:
        raise BodyTooLarge(bytes_max)
    if not inflater.eof or inflater.unused_data:
        raise CodingBroken(coding)
    return inflated


def _has_zlib_head(body: bytes) -> bool:
    # RFC 1950, 2.2: the method is 8, and both bytes are together a multiple of 31.
    return len(body) >= 2 and body[0] & 0x0F == 8 and (body[0] << 8 | body[1]) % 31 == 0


async def parse_body(
    read: Callable[[bytes], T], body: bytes, *, inline_bytes_max: int = INLINE_BYTES_MAX
) -> T:
    """What `read` makes of a body; of a large one in a thread."""
    if len(body) <= inline_bytes_max:
        return read(body)
    return await trio.to_thread.run_sync(read, body)


async def beside_the_loop(body: bytes, read: Callable[[D], T], document: D) -> T:
    """What `read` makes of what a body holds; in a thread if the body is a large one."""
    if len(body) <= INLINE_BYTES_MAX:
        return read(document)
    return await trio.to_thread.run_sync(read, document)
