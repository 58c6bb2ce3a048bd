"""Requests of HTTP/1.1 on their way to another server: checked here, and passed on in plain form.

Two readers of the same bytes may see two different requests in them. What this filter passes on is
what LSD's own server has understood, so that the one behind it cannot understand anything else.
"""

from email.utils import formatdate
from typing import Final

import attrs

from lsd.network._server_answer import error_answer
from lsd.network._server_body import RequestBody, body_of
from lsd.network._server_connection import HEAD_S_MAX, IDLE_S_MAX
from lsd.network._server_head import (
    HEAD_BYTES_MAX,
    RequestHead,
    RequestRefused,
    check_bytes,
    parse_head,
)

_HTTP2_PREFACE: Final = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
"""How a client begins that knows its server to speak HTTP/2. Source: RFC 9113, 3.4."""

_OFFERS: Final = frozenset({b"upgrade", b"http2-settings"})


@attrs.define(eq=False)
class RequestFilter:
    """Follows the bytes of one connection.

    With `may_upgrade` a client may go over to HTTP/2; from then on everything passes.
    `requests_passed` counts those whose heads were good.
    """

    _may_upgrade: bool = False
    _head: bytearray = attrs.field(factory=bytearray, init=False)
    _body: RequestBody | None = attrs.field(default=None, init=False)
    _is_other_protocol: bool = attrs.field(default=False, init=False)
    _refused: RequestRefused | None = attrs.field(default=None, init=False)
    requests_passed: int = attrs.field(default=0, init=False)

    def feed(self, data: bytes) -> bytes:
        """What is to be passed on; often less than what came.

        Raises RequestRefused; whatever is good before it is passed on first, and it is raised by
        the next call then, which may feed nothing.
        """
        if self._is_other_protocol:
            return data
        if self._refused is not None:
            raise self._refused
        passed: list[bytes] = []
        try:
            while data and not self._is_other_protocol:
                feed = self._feed_head if self._body is None else self._feed_body
                data = feed(data, passed)
        except RequestRefused as refused:
            if not passed:
                raise
            self._refused = refused
            return b"".join(passed)
        return b"".join((*passed, data))

    @property
    def is_in_head(self) -> bool:
        """Whether a head has begun that is not yet complete."""
        return bool(self._head)

    @property
    def is_in_body(self) -> bool:
        """Whether a body is still to come, or the rest of it."""
        return self._body is not None

    def too_late(self) -> RequestRefused:
        """Why a client is refused that does not go on in time with what it has begun."""
        if self.is_in_body:
            wanted = f"pauses of at most {IDLE_S_MAX} s"
            return RequestRefused(408, "body", "no end in time", wanted)
        return RequestRefused(408, "head", "no end in time", f"it within {HEAD_S_MAX} s")

    def _feed_head(self, data: bytes, passed: list[bytes]) -> bytes:
        """Takes a part of a head; what comes behind it."""
        searched = max(0, len(self._head) - 3)
        self._head += data
        if self._may_upgrade and self._head.startswith(_HTTP2_PREFACE):
            return self._let_pass(bytes(self._head))
        if self._may_upgrade and _HTTP2_PREFACE.startswith(self._head):
            return b""
        end = self._head.find(b"\r\n\r\n", searched)
        if end + 4 > HEAD_BYTES_MAX or (end < 0 and len(self._head) >= HEAD_BYTES_MAX):
            raise RequestRefused(431, "head", "more", f"at most {HEAD_BYTES_MAX} bytes")
        if end < 0:
            check_bytes(self._head)
            return b""
        head = parse_head(bytes(self._head[: end + 4]))
        rest = bytes(self._head[end + 4 :])
        self._head.clear()
        body = body_of(head)
        upgrades = self._may_upgrade and body.is_complete and _offers_http2(head)
        passed.append(_plain(head, offers=upgrades))
        self.requests_passed += 1
        if upgrades:
            return self._let_pass(rest)
        self._body = None if body.is_complete else body
        return rest

    def _feed_body(self, data: bytes, passed: list[bytes]) -> bytes:
        assert self._body is not None
        _, rest = self._body.feed(data)
        passed.append(data[: len(data) - len(rest)])
        if self._body.is_complete:
            self._body = None
        return rest

    def _let_pass(self, data: bytes) -> bytes:
        self._is_other_protocol = True
        self._head.clear()
        return data


def refusal_answer(refused: RequestRefused, now_ms: int) -> bytes:
    """The whole answer to a request that is refused; the connection ends with it."""
    date = formatdate(now_ms / 1000, usegmt=True)
    return error_answer(refused.status, str(refused), f"date: {date}".encode())


def _offers_http2(head: RequestHead) -> bool:
    return any(name == b"upgrade" and value.lower() == b"h2c" for name, value in head.fields)


def _plain(head: RequestHead, *, offers: bool) -> bytes:
    """A head as it was understood; offers to speak another protocol may be ignored."""
    target = head.raw_path + (b"?" + head.query_string if head.query_string else b"")
    lines = [b"%b %b HTTP/%b" % (head.method.encode(), target, head.version.encode())]
    lines += [name + b": " + value for name, value in head.fields if offers or name not in _OFFERS]
    return b"\r\n".join((*lines, b"", b""))
