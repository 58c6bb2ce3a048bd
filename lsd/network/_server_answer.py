"""The head of an answer: what the application has said, and how the body is framed."""

from collections.abc import Iterable
from http import HTTPStatus
from typing import Final, Literal

import attrs

from lsd import __version__
from lsd.conversation import LsdError, encode_json
from lsd.network._server_head import RequestHead

_STATUS_LINES = {
    status.value: f"HTTP/1.1 {status.value} {status.phrase}".encode()
    for status in HTTPStatus
    if status >= HTTPStatus.OK
}

# Python 3.11 takes half a microsecond to compare a number with one of HTTPStatus.
_NO_CONTENT: Final = HTTPStatus.NO_CONTENT.value
_NOT_MODIFIED: Final = HTTPStatus.NOT_MODIFIED.value

_OWN_HEADERS = frozenset({b"connection", b"content-length", b"date", b"transfer-encoding"})
"""What the server has a say in. All other headers are the application's."""

_VERSION_LINE = f"x-lsd-gateway-version: {__version__}".encode()
"""Of answers that the application, which adds it to its own, knows nothing of."""

_BODILESS: Final = (_NO_CONTENT, _NOT_MODIFIED)

_CR, _LF, _NUL = b"\r\n\0"
"""As numbers: to look for `b"\\r"` in bytes, Python first fails to make a number of it."""

_header_line = b": ".join
"""Of a pair of name and value."""

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


@attrs.define(eq=False)
class BadAnswer(LsdError):
    """The application has said what cannot be sent; a bug of it."""

    where: str
    found: str
    wanted: str

    def __str__(self) -> str:
        return f"{self.where}: found {self.found}; wanted {self.wanted}"


Framing = Literal["no body", "length", "chunks", "close"]
"""How the client knows where the body ends."""


def answer_head(
    status: int,
    headers: Iterable[tuple[bytes, bytes]],
    request: RequestHead,
    keeps_alive: bool,
    date_line: bytes,
) -> tuple[bytes, Framing, int, bool]:
    """The head for these headers, as it goes on the wire; and what it says.

    That is how the body is framed, its length if that frames it, and whether the connection is
    kept: `keeps_alive` unless the headers say otherwise. Raises BadAnswer.
    """
    lines = [_status_line(status)]
    length: bytes | None = None
    for given_name, value in headers:
        name = given_name.lower()
        if name not in _OWN_HEADERS:
            lines.append(name + b": " + value)
        elif name == b"content-length":
            if length is not None or not value.isdigit():
                raise BadAnswer("answer", "a bad Content-Length, or two", "one count of bytes")
            length = value
        elif name == b"connection":
            keeps_alive = keeps_alive and b"close" not in value.lower()
        elif name == b"date":
            date_line = b"date: " + value
    lines.append(date_line)
    framing = _framing(lines, status, length, request)
    keeps_alive = keeps_alive and framing != "close"
    head = _bytes_of(lines, keeps_alive, request, b"")
    return head, framing, int(length or 0), keeps_alive


def whole_answer(
    status: int,
    headers: Iterable[tuple[bytes, bytes]],
    body: bytes,
    request: RequestHead,
    keeps_alive: bool,
    date_line: bytes,
) -> bytes:
    """An answer with all of its body, as it goes on the wire.

    `headers` have names in lower case, and are none of those in which the server has a say.
    Raises BadAnswer.
    """
    lines = [_STATUS_LINES.get(status) or _status_line(status), *map(_header_line, headers)]
    if status in _BODILESS:
        body = b""
    else:
        lines.append(b"content-length: %d" % len(body))
        if request.method == "HEAD":
            body = b""
    lines.append(date_line)
    return _bytes_of(lines, keeps_alive, request, body)


def error_answer(status: int, text: str, date_line: bytes, *, has_body: bool = True) -> bytes:
    """A whole answer after which the connection is closed: `{"error": …}`."""
    body = encode_json({"error": text})
    lines = [
        _STATUS_LINES[status],
        b"content-type: application/json",
        b"content-length: %d" % len(body),
        _VERSION_LINE,
        date_line,
        b"connection: close",
        b"",
        body if has_body else b"",
    ]
    return b"\r\n".join(lines)


def _status_line(status: int) -> bytes:
    if status < 200:
        raise BadAnswer("answer", f"the status {status}", "200 or more")
    return _STATUS_LINES.get(status) or b"HTTP/1.1 %d " % status


def _bytes_of(lines: list[bytes], keeps_alive: bool, request: RequestHead, body: bytes) -> bytes:
    """A head of these lines, one about the connection if it needs one, and the body behind it."""
    if not keeps_alive:
        lines.append(b"connection: close")
    elif request.version == "1.0":
        lines.append(b"connection: keep-alive")
    text = b"".join(lines)
    # A line break in a value would let it write headers, or a whole answer, of its own.
    if _CR in text or _LF in text or _NUL in text:
        raise BadAnswer("answer", "a header with a control character", "text in one line")
    lines += (b"", body)
    return b"\r\n".join(lines)


def _framing(
    lines: list[bytes], status: int, length: bytes | None, request: RequestHead
) -> Framing:
    if status == _NO_CONTENT:
        return "no body"  # and no header about it: RFC 9110, 8.6
    framing: Framing = "close"
    if length is not None:
        lines.append(b"content-length: " + length)
        framing = "length"
    elif request.version == "1.1" and status != _NOT_MODIFIED:
        lines.append(b"transfer-encoding: chunked")
        framing = "chunks"
    if request.method == "HEAD" or status == _NOT_MODIFIED:
        return "no body"
    return framing
