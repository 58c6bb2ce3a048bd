"""The head of a request: what is asked for, and how long the body is.

What two readers could understand in two ways is refused, for that is how a second request is
smuggled past a proxy.
"""

import re
from urllib.parse import unquote

import attrs

from lsd.conversation import LsdError

HEAD_BYTES_MAX = 64 * 1024
"""Room for long tokens and cookies, no room for an attack."""

HEADERS_MAX = 128
"""Some thirty are usual behind several proxies."""

CONTENT_LENGTH_DIGITS_MAX = 15
"""A petabyte; all beyond is an attempt to make a number wrap around."""

_TEXT = b"\t" + bytes(range(0x20, 0x7F)) + bytes(range(0x80, 0x100))

_REQUEST_LINE = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+) ([!\"$-~]+) HTTP/([0-9]\.[0-9])\r\n")
"""Source: RFC 9112, 3. A target holds visible ASCII only, and no fragment."""

_FIELD = re.compile(rb"\r\n([!#$%&'*+.^_`|~0-9A-Za-z-]++):[ \t]*+([\t -~\x80-\xff]*+)(?=\r\n)")
"""From the end of a line to that of the next one. Source: RFC 9112, 5, without folded lines.

Possessive, so that no bytes make it try a line in more than one way."""

_TAB_BEHIND_CODING = re.compile(rb"(?i)\r\ntransfer-encoding:[^\r]*\t *\r\n")
"""White space by the book, but a proxy that does not take it for such would see another coding."""

_METHODS = {
    name.encode(): name
    for name in (
        *("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH", "QUERY"),
        *("PROPFIND", "PROPPATCH", "MKCOL", "COPY", "MOVE", "LOCK", "UNLOCK", "SEARCH", "ACL"),
        *("BIND", "REBIND", "UNBIND", "LINK", "UNLINK", "REPORT", "CHECKOUT", "MERGE", "PURGE"),
        *("MKACTIVITY", "MKCALENDAR", "NOTIFY", "SUBSCRIBE", "UNSUBSCRIBE", "M-SEARCH", "SOURCE"),
    )
}
"""Those of HTTP and of what was built on it; the application says which of them it serves."""

_VERSIONS = {b"1.1": "1.1", b"1.0": "1.0"}

_ABSOLUTE = re.compile(rb"https?://([^/?@]+)(/[^?]*)?(\?.*)?", re.IGNORECASE)

_HOST = re.compile(rb"[A-Za-z0-9._~!$&'()*+;=%:\[\]-]*")
"""Source: RFC 3986, 3.2, without the comma, which is how a second Host header shows itself."""


@attrs.define(eq=False)
class RequestRefused(LsdError):
    """A request that the application never sees; the connection ends with the answer."""

    status: int
    where: str
    found: str
    wanted: str

    def __str__(self) -> str:
        return f"{self.where}: found {self.found}; wanted {self.wanted}"


class RequestHead:
    """A request without its body. Header names are lower-case; the target is split.

    `raw_path` is what was sent, `path` is percent-decoded once; invalid UTF-8 in it is replaced.
    `content_length` is None for a body in chunks, and 0 if there is none.
    """

    def __init__(
        self,
        method: str,
        version: str,
        headers: list[tuple[bytes, bytes]],
        target: bytes,
        content_length: int | None,
    ) -> None:
        self.method = method
        self.version = version
        self.headers = headers
        self.raw_path, _, self.query_string = target.partition(b"?")
        path = self.raw_path.decode("ascii")
        self.path = unquote(path) if "%" in path else path
        self.content_length = content_length
        self.keeps_alive = True
        self.expects_continue = False


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
    data = data.removeprefix(b"\r\n")
    line = _REQUEST_LINE.match(data)
    count = data.count(b"\r\n") - 2  # beside the first line and the empty one
    if count > HEADERS_MAX:
        raise RequestRefused(431, "head", f"{count} headers", f"at most {HEADERS_MAX}")
    fields = _FIELD.findall(data)
    # When each line is a field, no byte is left unread.
    if line is None or len(fields) != count:
        raise _no_head(data, line is not None)
    method_name, target, number = line.groups()
    method, version = _METHODS.get(method_name), _VERSIONS.get(number)
    if method is None or version is None:
        raise _unknown(method_name.decode(), number.decode())
    headers = [(name.lower(), value.rstrip(b" \t")) for name, value in fields]
    values = dict(headers)
    if len(values) < len(headers):
        values = _joined(headers)
    host = values.get(b"host")
    if (host is None and version == "1.1") or not _HOST.fullmatch(host or b""):
        raise _refused("header host", "none, several or no host", "exactly one host")
    if not target.startswith(b"/"):
        target = _path_of(target, method, headers)
    head = RequestHead(method, version, headers, target, _content_length(values, version, data))
    connection, expectation = values.get(b"connection"), values.get(b"expect")
    if connection is not None or version == "1.0":
        head.keeps_alive = _keeps_alive(connection or b"", version)
    if expectation is not None and version == "1.1":
        head.expects_continue = expectation.lower() == b"100-continue"
    return head


def _no_head(data: bytes, has_request_line: bool) -> RequestRefused:
    """What is wrong with it. Raises RequestRefused, too."""
    check_bytes(data)
    if not has_request_line:
        return _refused("request line", "another form", "method, target and HTTP version")
    return _refused("head", "a line that is no header", "name, colon and value in each")


def _unknown(method: str, version: str) -> RequestRefused:
    if version.encode() not in _VERSIONS:
        return RequestRefused(505, "request line", f"HTTP/{version}", "HTTP/1.1 or HTTP/1.0")
    if method == "CONNECT":
        wanted = "another method; this is no proxy"
        return RequestRefused(501, "request line", "CONNECT", wanted)
    return RequestRefused(501, "request line", f"the method {method[:20]!r}", "one of HTTP's")


def _joined(headers: list[tuple[bytes, bytes]]) -> dict[bytes, bytes]:
    """Several of one name mean the same as their list (RFC 9110, 5.3).

    Where none is allowed to be a list, the comma makes the value a bad one.
    """
    values: dict[bytes, bytes] = {}
    for name, value in headers:
        values[name] = values[name] + b"," + value if name in values else value
    return values


def _path_of(target: bytes, method: str, headers: list[tuple[bytes, bytes]]) -> bytes:
    """The path with its query in a target that is more than these, or less."""
    if target == b"*" and method == "OPTIONS":
        return target
    match = _ABSOLUTE.fullmatch(target)
    if match is None or not _HOST.fullmatch(match[1]):
        raise _refused("request line", "another target", "a path, or an http or https URL")
    # RFC 9112, 3.2.2: the target's host counts, whatever the header says.
    headers[:] = [(b"host", match[1]), *(each for each in headers if each[0] != b"host")]
    return (match[2] or b"/") + (match[3] or b"")


def _content_length(values: dict[bytes, bytes], version: str, data: bytes) -> int | None:
    """As in RequestHead."""
    length = values.get(b"content-length")
    coding = values.get(b"transfer-encoding")
    if coding is not None:
        if length is not None:
            raise _refused("head", "Content-Length and Transfer-Encoding", "one of them")
        if coding.lower() != b"chunked" or _TAB_BEHIND_CODING.search(data):
            raise _refused("header transfer-encoding", "another coding", "chunked, once")
        if version == "1.0":
            # RFC 9112, 6.1: some proxy has passed on what it did not understand.
            raise _refused("header transfer-encoding", "it in HTTP/1.0", "Content-Length")
        return None
    if length is None:
        return 0
    if not length.isdigit() or len(length) > CONTENT_LENGTH_DIGITS_MAX:
        raise _refused("header content-length", "no such number", "one count of bytes")
    return int(length)


def _keeps_alive(connection: bytes, version: str) -> bool:
    options = {each.strip(b" \t") for each in connection.lower().split(b",")}
    return b"close" not in options and (version == "1.1" or b"keep-alive" in options)


def _refused(where: str, found: str, wanted: str) -> RequestRefused:
    return RequestRefused(400, where, found, wanted)
