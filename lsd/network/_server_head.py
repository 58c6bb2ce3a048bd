"""The head of a request: what is asked for, and how long the body is.

What two readers could understand in two ways is refused, for that is how a second request is
smuggled past a proxy.
"""

import re
from collections.abc import Iterator
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

_REQUEST_LINE = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+) ([!\"$-~]+) HTTP/([0-9]\.[0-9])\r\n")
"""Source: RFC 9112, 3. A target holds visible ASCII only, and no fragment."""

_FIELD = re.compile(r"\r\n([!#$%&'*+.^_`|~0-9A-Za-z-]++):[ \t]*+([\t -~\x80-\xff]*+)(?=\r\n)")
"""From the end of a line to that of the next one. Source: RFC 9112, 5, without folded lines.

Possessive, so that no bytes make it try a line in more than one way."""

_TAB_BEHIND_CODING = re.compile(r"(?ia)\r\ntransfer-encoding:[^\r]*\t *\r\n")
"""White space by the book, but a proxy that does not take it for such would see another coding."""

_METHODS = frozenset(
    (
        *("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH", "QUERY"),
        *("PROPFIND", "PROPPATCH", "MKCOL", "COPY", "MOVE", "LOCK", "UNLOCK", "SEARCH", "ACL"),
        *("BIND", "REBIND", "UNBIND", "LINK", "UNLINK", "REPORT", "CHECKOUT", "MERGE", "PURGE"),
        *("MKACTIVITY", "MKCALENDAR", "NOTIFY", "SUBSCRIBE", "UNSUBSCRIBE", "M-SEARCH", "SOURCE"),
    )
)
"""Those of HTTP and of what was built on it; the application says which of them it serves."""

_VERSIONS = ("1.1", "1.0")

_ABSOLUTE = re.compile(r"https?://([^/?@]+)(/[^?]*)?(\?.*)?", re.IGNORECASE | re.ASCII)

_HOST = re.compile(r"[A-Za-z0-9._~!$&'()*+;=%:\[\]-]*")
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


Field = tuple[str, str]
"""A line of a head: the name as it was sent, and the value; a character is a byte."""


class AsgiHeaders:
    """Fields as ASGI wants them: pairs of bytes, names in lower case.

    They are made for whoever goes through them, which LSD's own front does not.
    """

    __slots__ = ("_fields",)

    def __init__(self, fields: list[Field]) -> None:
        self._fields = fields

    def __len__(self) -> int:
        return len(self._fields)

    def __iter__(self) -> Iterator[tuple[bytes, bytes]]:
        for name, value in self._fields:
            yield name.lower().encode("latin-1"), value.rstrip(" \t").encode("latin-1")


class RequestHead:
    """A request without its body; the target is split.

    `headers` are by name in lower case, or None if two have the same name; `fields` are all of
    them. `raw_path` is what was sent, `path` is percent-decoded once; invalid UTF-8 in it is
    replaced. `content_length` is None for a body in chunks, and 0 if there is none.
    """

    def __init__(
        self,
        method: str,
        version: str,
        fields: list[Field],
        headers: dict[str, str] | None,
        target: str,
        content_length: int | None,
    ) -> None:
        self.method = method
        self.version = version
        self.fields = AsgiHeaders(fields)
        self.headers = headers
        raw_path, _, query = target.partition("?")
        self.raw_path, self.query_string = raw_path.encode(), query.encode()
        self.path = unquote(raw_path) if "%" in raw_path else raw_path
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
    text = data.decode("latin-1")
    line = _REQUEST_LINE.match(text)
    count = text.count("\r\n") - 2  # beside the first line and the empty one
    if count > HEADERS_MAX:
        raise RequestRefused(431, "head", f"{count} headers", f"at most {HEADERS_MAX}")
    fields: list[Field] = _FIELD.findall(text)
    # When each line is a field, no byte is left unread.
    if line is None or len(fields) != count:
        raise _no_head(data, line is not None)
    method, target, version = line.groups()
    if method not in _METHODS or version not in _VERSIONS:
        raise _unknown(method, version)
    headers = {name.lower(): value.rstrip(" \t") for name, value in fields}
    values = headers if len(headers) == count else _joined(fields)
    host = values.get("host")
    if (host is None and version == "1.1") or not _HOST.fullmatch(host or ""):
        raise _refused("header host", "none, several or no host", "exactly one host")
    if not target.startswith("/"):
        target = _path_of(target, method, fields, values)
    length = _content_length(values, version, text)
    named = headers if values is headers else None
    head = RequestHead(method, version, fields, named, target, length)
    connection, expectation = values.get("connection"), values.get("expect")
    if connection is not None or version == "1.0":
        head.keeps_alive = _keeps_alive(connection or "", version)
    if expectation is not None and version == "1.1":
        head.expects_continue = expectation.lower() == "100-continue"
    return head


def _no_head(data: bytes, has_request_line: bool) -> RequestRefused:
    """What is wrong with it. Raises RequestRefused, too."""
    check_bytes(data)
    if not has_request_line:
        return _refused("request line", "another form", "method, target and HTTP version")
    return _refused("head", "a line that is no header", "name, colon and value in each")


def _unknown(method: str, version: str) -> RequestRefused:
    if version not in _VERSIONS:
        return RequestRefused(505, "request line", f"HTTP/{version}", "HTTP/1.1 or HTTP/1.0")
    if method == "CONNECT":
        wanted = "another method; this is no proxy"
        return RequestRefused(501, "request line", "CONNECT", wanted)
    return RequestRefused(501, "request line", f"the method {method[:20]!r}", "one of HTTP's")


def _joined(fields: list[Field]) -> dict[str, str]:
    """Several of one name mean the same as their list (RFC 9110, 5.3).

    Where none is allowed to be a list, the comma makes the value a bad one.
    """
    values: dict[str, str] = {}
    for given_name, given_value in fields:
        name, value = given_name.lower(), given_value.rstrip(" \t")
        values[name] = f"{values[name]},{value}" if name in values else value
    return values


def _path_of(target: str, method: str, fields: list[Field], values: dict[str, str]) -> str:
    """The path with its query in a target that is more than these, or less."""
    if target == "*" and method == "OPTIONS":
        return target
    match = _ABSOLUTE.fullmatch(target)
    if match is None or not _HOST.fullmatch(match[1]):
        raise _refused("request line", "another target", "a path, or an http or https URL")
    # RFC 9112, 3.2.2: the target's host counts, whatever the header says.
    values["host"] = match[1]
    fields[:] = [("host", match[1]), *(each for each in fields if each[0].lower() != "host")]
    return (match[2] or "/") + (match[3] or "")


def _content_length(values: dict[str, str], version: str, text: str) -> int | None:
    """As in RequestHead."""
    length = values.get("content-length")
    coding = values.get("transfer-encoding")
    if coding is not None:
        if length is not None:
            raise _refused("head", "Content-Length and Transfer-Encoding", "one of them")
        if coding.lower() != "chunked" or _TAB_BEHIND_CODING.search(text):
            raise _refused("header transfer-encoding", "another coding", "chunked, once")
        if version == "1.0":
            # RFC 9112, 6.1: some proxy has passed on what it did not understand.
            raise _refused("header transfer-encoding", "it in HTTP/1.0", "Content-Length")
        return None
    if length is None:
        return 0
    # Of the characters that are a byte, these are the ten digits alone; `isdigit` knows more.
    if not length.isdecimal() or len(length) > CONTENT_LENGTH_DIGITS_MAX:
        raise _refused("header content-length", "no such number", "one count of bytes")
    return int(length)


def _keeps_alive(connection: str, version: str) -> bool:
    options = {each.strip(" \t") for each in connection.lower().split(",")}
    return "close" not in options and (version == "1.1" or "keep-alive" in options)


def _refused(where: str, found: str, wanted: str) -> RequestRefused:
    return RequestRefused(400, where, found, wanted)
