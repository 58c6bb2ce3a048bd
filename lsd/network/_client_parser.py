"""What a server's bytes say: one response after the other, wherever the network cut them."""

from typing import Final

import httptools

HEAD_BYTES_MAX = 64 * 1024
"""Status line and headers of one response, interim ones before it included. Real ones have one or
two kilobytes, with policies and cookies ten; what is larger, only a fault or an attack sends."""

HEADERS_MAX = 256
"""Header lines of one response. Real ones have ten to forty."""


_TOO_LARGE = f"response: found a head of more than {HEAD_BYTES_MAX} bytes; wanted at most those"
_TOO_SILENT = (
    f"response body: found {HEAD_BYTES_MAX} bytes of extensions or trailers; wanted the body"
)


class _Stop(Exception):
    """Ends llhttp's work from within one of its calls; the reason is in `fault`."""


class ResponseParser:
    """Understands the responses on one connection; `begin` comes before each of them.

    `status` is 0 until the head is complete. `fault` is why there is no more to come than what has
    come: the bytes are not HTTP/1.1, go beyond a bound, or are cut. `keeps_alive`: after this
    response, the connection may carry another one.
    """

    __slots__ = (
        "_head_bytes",
        "_is_for_head",
        "_llhttp",
        "_pieces",
        "_repeated",
        "_silent_bytes",
        "fault",
        "headers",
        "is_complete",
        "keeps_alive",
        "on_body",
        "status",
    )

    def __init__(self) -> None:
        self._pieces: Final[list[bytes]] = []
        # Called for every piece of a body; nothing is faster than the list's own method.
        self.on_body = self._pieces.append
        self._llhttp = _new_llhttp(self)
        self.begin("GET")

    def begin(self, method: str) -> None:
        """Forgets the last response; the next bytes are the answer to a request by `method`."""
        self.status = 0
        self.headers: dict[str, str] = {}
        self.is_complete = False
        self.keeps_alive = False
        self._is_for_head = method == "HEAD"
        self._head_bytes = 0
        self._silent_bytes = 0
        self._repeated = 0
        self.fault: str | None = None

    def feed(self, data: bytes) -> None:
        """Takes in what has arrived; not to be called after `is_complete` or a `fault`."""
        if not self.status:
            self._head_bytes += len(data)
        try:
            self._llhttp.feed_data(data)
        except httptools.HttpParserCallbackError:
            self._fail("response: found what cannot be understood")
        except httptools.HttpParserError as error:
            self._fail(f"response: found what is not HTTP/1.1 ({error})")
        except httptools.HttpParserUpgrade:
            self._fail("response: found another protocol, which nobody has asked for")
        if not self.is_complete:
            self._bound(len(data))
        elif self.fault is not None or self._is_for_head:
            self._finish()

    def end(self) -> None:
        """The server has closed the connection, which is a fault unless it was the way to end."""
        is_framed = "content-length" in self.headers or "transfer-encoding" in self.headers
        if self.status and not is_framed:
            self.is_complete = True
        else:
            self._fail(f"connection closed {self.place}")

    @property
    def has_begun(self) -> bool:
        """Whether any byte of this response has come."""
        return self._head_bytes > 0

    @property
    def place(self) -> str:
        """Where in the response we are, for whoever tells that it went no further."""
        if self.status:
            return "before the end of the response body"
        return "amid the head of the response" if self.has_begun else "before the response began"

    def take(self) -> bytes:
        """What has come of the body since the last time."""
        data = b"".join(self._pieces)  # of one piece, this is no copy
        self._pieces.clear()
        return data

    def _finish(self) -> None:
        if self.fault is not None:
            # It is behind the end, where nothing was to come.
            self.fault = None
            self.keeps_alive = False
        if self._is_for_head:
            if self._pieces:
                self._pieces.clear()
                self.keeps_alive = False
            # The old one still waits for the body that the head has described.
            self._llhttp = _new_llhttp(self)

    def _bound(self, size: int) -> None:
        """Bounds what a server can send without ever coming to a body's next piece."""
        if not self.status:
            if self._head_bytes > HEAD_BYTES_MAX:
                self._fail(_TOO_LARGE)
        elif self._pieces:
            self._silent_bytes = 0
        else:
            self._silent_bytes += size
            if self._silent_bytes > HEAD_BYTES_MAX:
                self._fail(_TOO_SILENT)

    def _fail(self, fault: str) -> None:
        self.fault = self.fault or fault  # the first one tells most

    def _stop(self, fault: str) -> None:
        self._fail(fault)
        raise _Stop

    # What llhttp calls.

    def on_message_begin(self) -> None:
        """Nothing may follow a complete response; nobody has asked for another one."""
        if self.is_complete:
            self._stop("response: found another one behind it")

    def on_header(self, raw_name: bytes, raw_value: bytes) -> None:
        """A header line, or a trailer, which nobody needs."""
        if self.status:
            return
        name, headers = raw_name.decode("ascii").lower(), self.headers
        try:
            value = raw_value.decode().strip(" \t")
        except UnicodeDecodeError:
            value = raw_value.decode("latin-1").strip(" \t")  # which any bytes are
        if name in headers:
            self._repeated += 1
            value = f"{headers[name]}, {value}"
        headers[name] = value

    def on_headers_complete(self) -> None:
        """A head is complete, that of an interim response (1xx), too, of which nothing is kept."""
        status: int = self._llhttp.get_status_code()
        headers = self.headers
        if status < 200:
            if status < 100:
                self._stop("response: found a status below 100; wanted one from 100 to 999")
            headers.clear()
            self._repeated = 0
            return
        if not "".join(headers.values()).isprintable():
            self._check_characters()
        # What has come may be the body for the larger part.
        if self._head_bytes > HEAD_BYTES_MAX and self._size_of_headers() > HEAD_BYTES_MAX:
            self._stop(_TOO_LARGE)
        if len(headers) + self._repeated > HEADERS_MAX:
            self._stop(f"response: found more than {HEADERS_MAX} headers; wanted at most those")
        coding = headers.get("transfer-encoding")
        if coding is not None and coding.lower() != "chunked":
            self._stop("response: found an unknown transfer coding; wanted chunked")
        self.status = status
        # Two statements of a body's end may be an attempt to smuggle a response: the chunks count,
        # and nothing after them is believed. Source: RFC 9112, section 6.3.
        is_framed_twice = coding is not None and "content-length" in headers
        self.keeps_alive = not is_framed_twice and self._llhttp.should_keep_alive()
        self.is_complete = self._is_for_head

    def on_message_complete(self) -> None:
        """The end of a body, or of an interim response."""
        if self.status:
            self.is_complete = True

    def _check_characters(self) -> None:
        for name, value in self.headers.items():
            if any(each != "\t" and (each < " " or each == "\x7f") for each in value):
                self._stop(f"response: found a control character in the header {name[:40]}")

    def _size_of_headers(self) -> int:
        return sum(len(name) + len(value) + len(": \r\n") for name, value in self.headers.items())


def _new_llhttp(parser: ResponseParser) -> httptools.HttpResponseParser:
    """As liberal as RFC 9112 asks of whoever reads responses, and no more.

    Lines may end with LF alone (2.2) and be folded (5.2), chunks beat a length (6.3), and blanks
    may follow a chunk's size, which several servers write.
    """
    made = httptools.HttpResponseParser(parser)
    made.set_dangerous_leniencies(
        lenient_headers=True,
        lenient_chunked_length=True,
        lenient_optional_cr_before_lf=True,
        lenient_spaces_after_chunk_size=True,
    )
    return made
