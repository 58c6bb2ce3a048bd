"""The body of a request, taken out of the bytes of the connection, and where it ends."""

from typing import Final

import attrs
from httptools import HttpParserError, HttpRequestParser

from lsd.network._server_head import RequestHead, RequestRefused

_FRAMING_BYTES_MAX = 16 * 1024
"""What sizes, extensions and trailers of a chunked body may take, beside a share per chunk."""

_FRAMING_BYTES_OF_CHUNK = 32
"""A chunk's size and line ends are some ten bytes; nobody we know of uses extensions."""

_CHUNKED_HEAD = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"


@attrs.define(eq=False, repr=False)
class LengthBody:
    """A body of a known length, which may be 0."""

    bytes_left: int
    is_complete: bool
    """Whether all of it was fed, or there is none."""

    @property
    def bytes_left_min(self) -> int:
        """At least so many bytes are still to come."""
        return self.bytes_left

    def feed(self, data: bytes) -> tuple[bytes, bytes]:
        """The piece of the body that `data` begins with, and what comes after the body."""
        length = self.bytes_left
        if length > len(data):
            self.bytes_left = length - len(data)
            return data, b""
        self.bytes_left, self.is_complete = 0, True
        return data[:length], data[length:]


@attrs.define(eq=False, repr=False)
class ChunkedBody:
    """A body in chunks; extensions and trailers are read and dropped.

    llhttp reads it, and does not tell where it ended. But a chunked body ends with an empty line,
    so llhttp is given no byte beyond the next one before it was asked.
    """

    is_complete: bool = attrs.field(default=False, init=False)
    _pieces: list[bytes] = attrs.field(factory=list, init=False)
    _parser: HttpRequestParser = attrs.field(init=False)
    _framing_bytes: int = attrs.field(default=0, init=False)
    _last_bytes: bytes = attrs.field(default=b"", init=False)

    def __attrs_post_init__(self) -> None:
        self._parser = HttpRequestParser(self)
        self._parser.feed_data(_CHUNKED_HEAD)

    @property
    def bytes_left_min(self) -> int:
        """Nobody knows."""
        return 0

    def feed(self, data: bytes) -> tuple[bytes, bytes]:
        """The piece of the body that `data` holds, and what comes after the body.

        Raises RequestRefused.
        """
        window = self._last_bytes + data
        fed = len(self._last_bytes)
        empty_line = window.find(b"\r\n\r\n")
        while not self.is_complete and fed < len(window):
            end = empty_line + 4 if empty_line >= 0 else len(window)
            self._feed_parser(window[fed:end])
            fed = end
            empty_line = window.find(b"\r\n\r\n", empty_line + 1) if empty_line >= 0 else -1
        self._last_bytes = window[-3:]
        piece = b"".join(self._pieces)
        self._pieces.clear()
        return piece, window[fed:]

    def _feed_parser(self, data: bytes) -> None:
        self._framing_bytes += len(data)
        try:
            self._parser.feed_data(data)
        except HttpParserError as error:
            raise _broken(f"broken chunks ({error})") from None
        if self._framing_bytes > _FRAMING_BYTES_MAX:
            raise _broken("long chunk extensions or trailers")

    def on_chunk_header(self) -> None:
        # Shares that were not used up are not saved for an attack at the end.
        self._framing_bytes = max(0, self._framing_bytes - _FRAMING_BYTES_OF_CHUNK)

    def on_body(self, data: bytes) -> None:
        self._framing_bytes -= len(data)
        self._pieces.append(data)

    def on_message_complete(self) -> None:
        self.is_complete = True


RequestBody = LengthBody | ChunkedBody

NOTHING_LEFT: Final = LengthBody(0, True)
"""Of a body that is there already."""


def body_of(head: RequestHead) -> RequestBody:
    """What takes the body of this request out of the bytes that follow the head."""
    length = head.content_length
    return ChunkedBody() if length is None else LengthBody(length, length == 0)


def _broken(found: str) -> RequestRefused:
    return RequestRefused(400, "body", found, "chunks as in RFC 9112")
