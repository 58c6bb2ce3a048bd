"""The head of a request: what is asked for, and how long the body is.

llhttp reads it. What two readers could understand in two ways is refused, for that is how a second
request is smuggled past a proxy. The rules below stand beside llhttp's own, whatever its version.
"""

import re
from urllib.parse import unquote

import attrs
from httptools import (
    HttpParserError,
    HttpParserInvalidMethodError,
    HttpParserUpgrade,
    HttpRequestParser,
)

from lsd.conversation import LsdError

HEAD_BYTES_MAX = 64 * 1024
"""Room for long tokens and cookies, no room for an attack."""

HEADERS_MAX = 128
"""Some thirty are usual behind several proxies."""

CONTENT_LENGTH_DIGITS_MAX = 15
"""A petabyte; all beyond is an attempt to make a number wrap around."""

_TEXT = b"\t" + bytes(range(0x20, 0x7F)) + bytes(range(0x80, 0x100))

_REQUEST_LINE = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+) ([!\"$-~]+) HTTP/([0-9]\.[0-9])")
"""Source: RFC 9112, 3. A target holds visible ASCII only, and no fragment."""

_ABSOLUTE = re.compile(rb"https?://([^/?@]+)(/[^?]*)?(\?.*)?", re.IGNORECASE)

_HOST = re.compile(rb"[A-Za-z0-9._~!$&'()*+;=%:\[\]-]*")
"""Source: RFC 3986, 3.2, without the comma, which is how a second Host header shows itself."""

_NOTED = frozenset({b"connection", b"content-length", b"expect", b"host", b"transfer-encoding"})


@attrs.define(eq=False)
class RequestRefused(LsdError):
    """A request that the application never sees; the connection ends with the answer."""

    status: int
    where: str
    found: str
    wanted: str

    def __str__(self) -> str:
        return f"{self.where}: found {self.found}; wanted {self.wanted}"


@attrs.define(eq=False, repr=False)
class RequestHead:
    """A request without its body. Header names are lower-case; the target is split.

    `raw_path` is what was sent, `path` is percent-decoded once; invalid UTF-8 in it is replaced.
    """

    headers: list[tuple[bytes, bytes]]
    method: str
    version: str
    path: str = attrs.field(default="", init=False)
    raw_path: bytes = attrs.field(default=b"", init=False)
    query_string: bytes = attrs.field(default=b"", init=False)
    content_length: int = attrs.field(default=0, init=False)
    is_chunked: bool = attrs.field(default=False, init=False)
    keeps_alive: bool = attrs.field(default=True, init=False)
    expects_continue: bool = attrs.field(default=False, init=False)


def check_bytes(data: bytes | bytearray) -> None:
    """Refuses what cannot be the beginning of a head, so that nobody waits for its end.

    Raises RequestRefused.
    """
    strange = data.replace(b"\r\n", b"").translate(None, _TEXT)
    if not strange:
        return
    if other := strange.translate(None, b"\r\n"):
        raise _refused("head", f"the byte 0x{other[0]:02x}", "text")
    lines = data.count(b"\r\n")
    # The CR at the very end may still get its LF.
    if data.count(b"\n") != lines or data.count(b"\r") - data.endswith(b"\r") != lines:
        raise _refused("head", "a bare CR or LF", "lines that end in CR LF")


def parse_head(data: bytes) -> RequestHead:
    """The head that `data` is, to the empty line at its end and no further. Raises RequestRefused.

    One empty line before it is forgiven (RFC 9112, 2.2).
    """
    check_bytes(data)
    data = data.removeprefix(b"\r\n")
    method, target, version = _read_request_line(data[: data.find(b"\r\n")])
    reader = _read_headers(data, method)
    head, noted = RequestHead(reader.headers, method, version), reader.noted
    host = noted.get(b"host")
    if (host is None and version == "1.1") or not _HOST.fullmatch(host or b""):
        raise _refused("header host", "none, several or no host", "exactly one host")
    _split_target(head, target)
    _read_framing(head, noted)
    connection = noted.get(b"connection")
    if connection is not None or version == "1.0":
        options = {each.strip(b" \t") for each in (connection or b"").lower().split(b",")}
        head.keeps_alive = b"close" not in options
        if version == "1.0":
            head.keeps_alive = head.keeps_alive and b"keep-alive" in options
    return head


@attrs.define(eq=False, repr=False)
class _HeaderReader:
    """What llhttp calls for each header."""

    headers: list[tuple[bytes, bytes]] = attrs.field(factory=list, init=False)
    noted: dict[bytes, bytes] = attrs.field(factory=dict, init=False)
    is_complete: bool = attrs.field(default=False, init=False)

    def on_header(self, name: bytes, value: bytes) -> None:
        name = name.lower()
        value = value.rstrip(b" \t")  # llhttp takes off what stands before it only
        self.headers.append((name, value))
        if name in _NOTED:
            # Several mean the same as their list (RFC 9110, 5.3); where none is allowed to be a
            # list, the comma makes the value a bad one.
            before = self.noted.get(name)
            self.noted[name] = value if before is None else before + b"," + value

    def on_headers_complete(self) -> None:
        self.is_complete = True


def _read_request_line(line: bytes) -> tuple[str, bytes, str]:
    """Method, target and version."""
    match = _REQUEST_LINE.fullmatch(line)
    if match is None:
        raise _refused("request line", "another form", "method, target and HTTP version")
    method, target, version = match[1].decode(), match[2], match[3].decode()
    if version not in ("1.1", "1.0"):
        raise RequestRefused(505, "request line", f"HTTP/{version}", "HTTP/1.1 or HTTP/1.0")
    if method == "CONNECT":
        raise RequestRefused(501, "request line", "CONNECT", "another method; this is no proxy")
    return method, target, version


def _read_headers(data: bytes, method: str) -> _HeaderReader:
    """All headers, and the values that framing depends on."""
    reader = _HeaderReader()
    try:
        HttpRequestParser(reader).feed_data(data)
    except HttpParserUpgrade:
        pass  # an offer that may be ignored (RFC 9110, 7.8)
    except HttpParserInvalidMethodError:
        found = f"the method {method[:20]!r}"
        raise RequestRefused(501, "request line", found, "one of HTTP's") from None
    except HttpParserError as error:
        raise _refused("head", f"no HTTP ({error})", "a request as in RFC 9112") from None
    if not reader.is_complete:
        raise _refused("head", "an end in the midst of it", "a request as in RFC 9112")
    if len(reader.headers) > HEADERS_MAX:
        found = f"{len(reader.headers)} headers"
        raise RequestRefused(431, "head", found, f"at most {HEADERS_MAX}")
    return reader


def _split_target(head: RequestHead, target: bytes) -> None:
    if not target.startswith(b"/"):
        if target == b"*" and head.method == "OPTIONS":
            head.path, head.raw_path = "*", target
            return
        match = _ABSOLUTE.fullmatch(target)
        if match is None or not _HOST.fullmatch(match[1]):
            raise _refused("request line", "another target", "a path, or an http or https URL")
        # RFC 9112, 3.2.2: the target's host counts, whatever the header says.
        head.headers[:] = [each for each in head.headers if each[0] != b"host"]
        head.headers.insert(0, (b"host", match[1]))
        target = (match[2] or b"/") + (match[3] or b"")
    head.raw_path, _, head.query_string = target.partition(b"?")
    path = head.raw_path.decode("ascii")
    head.path = unquote(path) if "%" in path else path


def _read_framing(head: RequestHead, noted: dict[bytes, bytes]) -> None:
    length = noted.get(b"content-length")
    coding = noted.get(b"transfer-encoding")
    if coding is not None:
        if length is not None:
            raise _refused("head", "Content-Length and Transfer-Encoding", "one of them")
        if coding.lower() != b"chunked":
            raise _refused("header transfer-encoding", "another coding", "chunked, once")
        if head.version == "1.0":
            # RFC 9112, 6.1: some proxy has passed on what it did not understand.
            raise _refused("header transfer-encoding", "it in HTTP/1.0", "Content-Length")
        head.is_chunked = True
    elif length is not None:
        if not length.isdigit() or len(length) > CONTENT_LENGTH_DIGITS_MAX:
            raise _refused("header content-length", "no such number", "one count of bytes")
        head.content_length = int(length)
    expectation = noted.get(b"expect")
    if expectation is not None and head.version == "1.1":
        head.expects_continue = expectation.lower() == b"100-continue"


def _refused(where: str, found: str, wanted: str) -> RequestRefused:
    return RequestRefused(400, where, found, wanted)
