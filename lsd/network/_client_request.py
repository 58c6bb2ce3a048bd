"""A wire request as the bytes of HTTP/1.1, and the server that it is for."""

import re
from collections.abc import Mapping
from functools import lru_cache
from ipaddress import ip_address
from typing import NamedTuple, NoReturn
from urllib.parse import quote, urlsplit

import attrs

from lsd import __version__
from lsd.conversation import WireRequest
from lsd.network.transport import TransportFailed

USER_AGENT = f"LSD/{__version__}"

TARGETS_MAX = 1024
"""URLs whose parts are remembered, and the last head written for each. A provider has one; those
with the model or an operation in the path have a few per model."""

NAMES_MAX = 1024
"""Header names that are remembered as legal; all dialects together write some thirty."""

REMEMBERED_LENGTH_MAX = 1000
"""Characters of a URL or a name that is remembered. Clients name some of them, so that without this
bound they could fill the memory; with it, all that is remembered are a few megabytes."""

HEAD_LENGTH_MAX = 4000
"""Bytes of a head that is remembered; one with a token of a cloud has two thousand."""

_PORTS = {"http": 80, "https": 443}

_FRAMING = ("content-length", "transfer-encoding")
"""What says where a body ends; nobody but us knows how it is sent."""

_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
"""Source: RFC 9110, section 5.6.2."""

_CONTROL = re.compile("[\x00-\x08\x0a-\x1f\x7f]")
"""What no header value may hold: a line end would begin another header.

Source: RFC 9110, section 5.5."""

_HOST = re.compile(r"[a-z0-9._~-]+")

# What a URL may show as it is: printable ASCII without what the URL standard escapes in a path
# and in a query (URL Living Standard, section 1.3).
_PRINTABLE = "".join(map(chr, range(0x21, 0x7F)))
_QUERY_SAFE = "".join(sorted(set(_PRINTABLE) - set('"#<>')))
_PATH_SAFE = "".join(sorted(set(_QUERY_SAFE) - set("?`{}")))


class Origin(NamedTuple):
    """A server: connections to it are for all requests to it. `host` is in lower case, bare."""

    scheme: str
    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class Target(NamedTuple):
    """What a URL says: the server, the value of `Host`, and the path with its query."""

    origin: Origin
    host_header: str
    path: str


@attrs.define(eq=False, repr=False)
class _LastHead:
    """What was written last for a URL: mostly, the next request differs in its body alone."""

    target: Target
    origin: Origin
    said: tuple[object, ...] = attrs.field(default=(), init=False)
    lines: bytes = attrs.field(default=b"", init=False)

    def lines_of(self, request: WireRequest) -> bytes:
        """The head up to the length of the body."""
        said = (request.method, request.anonymous, *request.headers.items())
        if said != self.said:
            lines = _lines_of(request, self.target)
            if len(lines) > HEAD_LENGTH_MAX:
                return lines
            self.said, self.lines = said, lines
        return self.lines


def outgoing(request: WireRequest) -> tuple[Origin, bytes]:
    """The server, and the head: the request's own headers and those without which it is not HTTP.

    Raises TransportFailed for what is no HTTP; nothing of the request is told.
    """
    url, body = request.url, request.body
    last = (_known_head if len(url) <= REMEMBERED_LENGTH_MAX else _head_for)(url)
    lines = last.lines_of(request)
    if body or request.method not in ("GET", "HEAD"):
        return last.origin, b"%bContent-Length: %d\r\n\r\n" % (lines, len(body))
    return last.origin, lines + b"\r\n"


def _head_for(url: str) -> _LastHead:
    target = target_of(url)
    return _LastHead(target, target.origin)


_known_head = lru_cache(maxsize=TARGETS_MAX)(_head_for)


def _lines_of(request: WireRequest, target: Target) -> bytes:
    method = request.method
    _legal_name(method)
    given = set()
    lines = []
    for name, value in request.headers.items():
        given.add(_legal_name(name))
        lines.append(f"{name}: {value}\r\n")
    _check_values(request.headers)
    head = f"{method} {target.path} HTTP/1.1\r\n"
    if "host" not in given:
        head += f"Host: {target.host_header}\r\n"
    if "user-agent" not in given and not request.anonymous:
        head += f"User-Agent: {USER_AGENT}\r\n"
    if not given.isdisjoint(_FRAMING):
        _refuse("request: found a header that says where the body ends; wanted it left to LSD")
    return _encoded(head + "".join(lines))


def target_of(url: str) -> Target:
    """The parts of an absolute `http` or `https` URL. Raises TransportFailed, untold."""
    target = (_known_split if len(url) <= REMEMBERED_LENGTH_MAX else _split)(url)
    if target is None:
        _refuse("request: found a URL that is not HTTP; wanted a legal one")
    return target


def _split(url: str) -> Target | None:
    if not url.isprintable():
        return None
    try:
        parts = urlsplit(url)
        host, port = _host(parts.hostname or ""), parts.port
    except ValueError:
        return None
    if host is None or parts.scheme not in _PORTS:
        return None
    default = _PORTS[parts.scheme]
    origin = Origin(parts.scheme, host, default if port is None else port)
    bare = f"[{host}]" if ":" in host else host
    path = quote(parts.path or "/", safe=_PATH_SAFE)
    if parts.query:
        path += "?" + quote(parts.query, safe=_QUERY_SAFE)
    return Target(origin, bare if origin.port == default else str(origin), path)


_known_split = lru_cache(maxsize=TARGETS_MAX)(_split)


def _host(name: str) -> str | None:
    """A host as it is looked up and shown to the server. Raises ValueError."""
    if ":" in name:
        return str(ip_address(name))
    ascii_name = name if name.isascii() else name.encode("idna").decode("ascii")
    return ascii_name if _HOST.fullmatch(ascii_name) else None


def _legal_name(name: str) -> str:
    """A header's name in lower case; methods are words of the same kind."""
    lower = (_known_lower if len(name) <= REMEMBERED_LENGTH_MAX else _lower)(name)
    if lower is None:
        _refuse_header()
    return lower


def _lower(name: str) -> str | None:
    return name.lower() if _TOKEN.fullmatch(name) else None


_known_lower = lru_cache(maxsize=NAMES_MAX)(_lower)


def _encoded(head: str) -> bytes:
    try:
        return head.encode()
    except UnicodeEncodeError:
        _refuse_header()


def _check_values(headers: Mapping[str, str]) -> None:
    values = "".join(headers.values())
    # The first question is fast and nearly always the last one.
    if not values.isprintable() and _CONTROL.search(values):
        _refuse_header()


def _refuse_header() -> NoReturn:
    _refuse("request: found a header that is not HTTP; wanted a legal one")


def _refuse(reason: str) -> NoReturn:
    raise TransportFailed(reason, sent=False) from None
