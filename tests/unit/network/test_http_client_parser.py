"""What the client understands of what servers say."""

from collections.abc import Iterable

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsd.network._client_parser import HEAD_BYTES_MAX, HEADERS_MAX, ResponseParser


@attrs.frozen
class Understood:
    """A response, or the reason why it is none, after as much of the body as had come."""

    status: int
    headers: dict[str, str]
    body: bytes
    keeps_alive: bool | None = None
    fault: str | None = None


def understood(pieces: Iterable[bytes], method: str = "POST") -> Understood:
    """What a parser makes of bytes that come in these pieces before the server closes."""
    parser = ResponseParser()
    parser.begin(method)
    body = b""
    for piece in pieces:
        # What comes later than the end is found when the connection is used next.
        if not parser.is_complete and parser.fault is None:
            parser.feed(piece)
            body += parser.take()
    if not parser.is_complete and parser.fault is None:
        parser.end()
    keeps_alive = parser.keeps_alive if parser.is_complete else None
    return Understood(parser.status, parser.headers, body, keeps_alive, parser.fault)


def cut(data: bytes, places: Iterable[int]) -> list[bytes]:
    """The data in pieces, cut at these places."""
    cuts = sorted({place for place in places if 0 < place < len(data)})
    return [data[a:b] for a, b in zip([0, *cuts], [*cuts, len(data)], strict=True)]


OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
HI = b"Content-Length: 2\r\n\r\nhi"

WHOLE: dict[str, tuple[bytes, int, bytes, bool]] = {
    "length": (OK + HI, 200, b"hi", True),
    "no body": (OK + b"Content-Length: 0\r\n\r\n", 200, b"", True),
    "chunks": (CHUNKED + b"2\r\nhi\r\n3\r\n, y\r\n0\r\n\r\n", 200, b"hi, y", True),
    "large chunk": (CHUNKED + b"BB8\r\n" + b"x" * 3000 + b"\r\n0\r\n\r\n", 200, b"x" * 3000, True),
    "extensions": (CHUNKED + b'2;a=b;c="d"\r\nhi\r\n0;e\r\n\r\n', 200, b"hi", True),
    "blanks after sizes": (CHUNKED + b"2  \r\nhi\r\n0 \r\n\r\n", 200, b"hi", True),
    "trailers": (CHUNKED + b"2\r\nhi\r\n0\r\nX-Sum: 1\r\nX-More:\r\n\r\n", 200, b"hi", True),
    "until closed": (OK + b"\r\nhi, you", 200, b"hi, you", False),
    "nothing until closed": (OK + b"\r\n", 200, b"", False),
    "to be closed": (OK + b"Connection: close\r\n" + HI, 200, b"hi", False),
    "to be closed, in a list": (OK + b"connection: x, Close\r\n" + HI, 200, b"hi", False),
    "1.0": (b"HTTP/1.0 200 OK\r\n" + HI, 200, b"hi", False),
    "1.0 kept": (b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n" + HI, 200, b"hi", True),
    "1.0 until closed": (b"HTTP/1.0 500 No\r\n\r\nhi", 500, b"hi", False),
    "204": (b"HTTP/1.1 204 No Content\r\n\r\n", 204, b"", True),
    "204 with a length": (b"HTTP/1.1 204 No Content\r\nContent-Length: 3\r\n\r\n", 204, b"", True),
    "304": (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", 304, b"", True),
    "no reason": (b"HTTP/1.1 429\r\n" + HI, 429, b"hi", True),
    "strange status": (b"HTTP/1.1 999 \xc3\x96h\xff\r\n" + HI, 999, b"hi", True),
    "interim": (b"HTTP/1.1 100 Continue\r\nX-A: 1\r\n\r\n" + OK + HI, 200, b"hi", True),
    "two interim": (
        2 * b"HTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\n" + OK + HI,
        200,
        b"hi",
        True,
    ),
    "line ends": (b"\r\nHTTP/1.1 200 OK\nContent-Length: 2\n\nhi", 200, b"hi", True),
    "length and chunks": (
        OK + b"Content-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
        200,
        b"hi",
        False,
    ),
    "upgrade offered": (OK + b"Upgrade: h2c\r\nConnection: Upgrade\r\n" + HI, 200, b"hi", True),
}


@pytest.mark.parametrize("case", WHOLE)
def test_a_response_is_understood(case: str) -> None:
    """Status, body, and whether the connection may be used again."""
    data, status, body, keeps_alive = WHOLE[case]

    found = understood([data])

    assert (found.status, found.body, found.fault) == (status, body, None)
    assert found.keeps_alive is keeps_alive
    assert "x-a" not in found.headers
    assert "x-sum" not in found.headers


@pytest.mark.parametrize("case", WHOLE)
def test_every_byte_may_come_alone(case: str) -> None:
    """The slowest of networks changes nothing."""
    data, *_ = WHOLE[case]

    assert understood(data[i : i + 1] for i in range(len(data))) == understood([data])


@given(case=st.sampled_from(sorted(WHOLE)), places=st.lists(st.integers(0, 200)))
def test_where_the_network_cuts_a_response_does_not_matter(case: str, places: list[int]) -> None:
    """The same status, headers, body and fate of the connection, however the bytes arrive."""
    data, *_ = WHOLE[case]

    assert understood(cut(data, places)) == understood([data])


HEADERS = st.lists(
    st.tuples(
        st.from_regex(r"[A-Za-z0-9!#$&_-]{1,20}", fullmatch=True).filter(
            lambda name: (
                name.lower()
                not in ("content-length", "transfer-encoding", "connection", "proxy-connection")
            )
        ),
        st.text(st.characters(min_codepoint=32, exclude_characters="\x7f", categories=["L", "P"])),
    ),
    max_size=5,
)


@given(
    status=st.integers(200, 999).filter(lambda status: status not in (204, 304)),
    headers=HEADERS,
    chunks=st.lists(st.binary(min_size=1, max_size=50), max_size=5),
    is_chunked=st.booleans(),
    places=st.lists(st.integers(0, 500), max_size=20),
)
def test_what_a_server_says_is_what_is_understood(
    status: int,
    headers: list[tuple[str, str]],
    chunks: list[bytes],
    is_chunked: bool,
    places: list[int],
) -> None:
    """Any status, headers and body, in either framing, cut anywhere."""
    body = b"".join(chunks)
    if is_chunked:
        headers = [*headers, ("Transfer-Encoding", "chunked")]
        framed = b"".join(b"%x\r\n%s\r\n" % (len(each), each) for each in [*chunks, b""])
    else:
        headers = [*headers, ("Content-Length", str(len(body)))]
        framed = body
    head = "".join(f"{name}: {value}\r\n" for name, value in headers)
    data = f"HTTP/1.1 {status} Well\r\n{head}\r\n".encode() + framed

    found = understood(cut(data, places))

    joined: dict[str, str] = {}
    for name, value in headers:
        before = joined.get(name.lower())
        joined[name.lower()] = value if before is None else f"{before}, {value}"
    assert found == Understood(status, joined, body, keeps_alive=True)


def test_headers_are_read_as_people_mean_them() -> None:
    """Lower-case names, values without blanks around, joined, unfolded; UTF-8, else Latin-1."""
    lines = (
        b"X-A: 1\r\nx-a:\t2 \t\r\nX-Empty:\r\nX-Fold: a\r\n  b\r\nX-U: \xc3\xa9\r\nX-L: \xe9\r\n"
    )

    found = understood([OK + lines + HI])

    assert found.headers == {
        "x-a": "1, 2",
        "x-empty": "",
        "x-fold": "a  b",
        "x-u": "é",
        "x-l": "é",
        "content-length": "2",
    }


BROKEN = {
    "another protocol": b"220 mail.example.com ESMTP\r\n",
    "tls": b"\x15\x03\x03\x00\x02\x02\x28",
    "status of two digits": b"HTTP/1.1 20 OK\r\n\r\n",
    "status of four digits": b"HTTP/1.1 2000 OK\r\n\r\n",
    "status below 100": b"HTTP/1.1 099 OK\r\n" + HI,
    "switch": b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\nx",
    "name with blanks": OK + b"X A: 1\r\n" + HI,
    "blank before the colon": OK + b"X-A : 1\r\n" + HI,
    "no colon": OK + b"X-A\r\n" + HI,
    "nul": OK + b"X-A: \x00\r\n" + HI,
    "control character": OK + b"X-A: \x1b[31m\r\n" + HI,
    "carriage return": OK + b"X-A: a\rb\r\n" + HI,
    "length that is none": OK + b"Content-Length: x\r\n\r\nhi",
    "negative length": OK + b"Content-Length: -2\r\n\r\nhi",
    "signed length": OK + b"Content-Length: +2\r\n\r\nhi",
    "endless length": OK + b"Content-Length: 99999999999999999999\r\n\r\nhi",
    "two lengths": OK + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\nhi",
    "unknown transfer coding": OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
    "chunk size that is none": CHUNKED + b"x\r\nhi\r\n",
    "endless chunk": CHUNKED + b"FFFFFFFFFFFFFFFFFF\r\nhi",
    "chunk longer than said": CHUNKED + b"2\r\nhihi\r\n0\r\n\r\n",
    "many headers": OK + b"X-A: 1\r\n" * HEADERS_MAX + HI,
    "long header": OK + b"X-A: " + b"x" * HEAD_BYTES_MAX + b"\r\n" + HI,
    "long reason": b"HTTP/1.1 200 " + b"x" * HEAD_BYTES_MAX,
    "many interim responses": b"HTTP/1.1 102 Wait\r\n\r\n" * 5000,
    "long extension": CHUNKED + b"2;" + b"x" * HEAD_BYTES_MAX,
    "long trailer": CHUNKED + b"0\r\nX-A: " + b"x" * HEAD_BYTES_MAX,
    "many trailers": CHUNKED + b"0\r\n" + b"X-A: 1\r\n" * 20_000,
}


@pytest.mark.parametrize("case", BROKEN)
def test_what_is_no_response_is_told(case: str) -> None:
    """What breaks the rules, or goes beyond a bound, is a fault with a reason."""
    found = understood([BROKEN[case]])

    assert found.fault is not None
    assert found.fault.startswith(("response: found ", "response body: found "))


@pytest.mark.parametrize("size", [1, 7, 1000])
@pytest.mark.parametrize("case", BROKEN)
def test_a_fault_is_one_however_its_bytes_come(case: str, size: int) -> None:
    """In small pieces it is no less a fault, and as much of the body was good before."""
    data = BROKEN[case]

    found = understood(data[i : i + size] for i in range(0, len(data), size))

    assert found.fault is not None
    assert found.body == understood([data]).body


@pytest.mark.parametrize(
    ("data", "place"),
    [
        (b"", "before the response began"),
        (b"HTT", "amid the head of the response"),
        (OK + b"X-A: 1\r\n", "amid the head of the response"),
        (b"HTTP/1.1 100 Continue\r\n\r\n", "amid the head of the response"),
        (OK + b"Content-Length: 3\r\n\r\nhi", "before the end of the response body"),
        (OK + b"Content-Length: 3\r\n\r\n", "before the end of the response body"),
        (CHUNKED + b"3\r\nhi", "before the end of the response body"),
        (CHUNKED + b"2\r\nhi\r\n", "before the end of the response body"),
        (CHUNKED + b"2\r\nhi\r\n0\r\n", "before the end of the response body"),
    ],
)
def test_a_response_that_is_cut_is_told(data: bytes, place: str) -> None:
    """What is missing at the end is never taken for the end."""
    assert understood([data]).fault == f"connection closed {place}"


def test_what_is_good_before_a_fault_is_given_first() -> None:
    """The events of a stream that came in order count, though what follows them is broken."""
    parser = ResponseParser()

    parser.feed(CHUNKED + b"2\r\nhi\r\nbroken")

    assert parser.status == 200
    assert parser.take() == b"hi"
    assert parser.fault is not None
    assert not parser.is_complete


@pytest.mark.parametrize("more", [b"x", OK + HI, b"HTTP/1.1 100 Continue\r\n\r\n"])
@pytest.mark.parametrize("head", [OK, OK + b"Connection: close\r\n"])
def test_a_response_that_nobody_asked_for_ends_the_connection(head: bytes, more: bytes) -> None:
    """What follows a whole response is not believed, and spoils nothing of the response itself."""
    found = understood([head + HI + more])

    assert (found.status, found.body, found.fault, found.keeps_alive) == (200, b"hi", None, False)


@pytest.mark.parametrize(
    ("rest", "keeps_alive"),
    [
        (b"Content-Length: 5\r\n\r\n", True),
        (b"Transfer-Encoding: chunked\r\n\r\n", True),
        (b"\r\n", False),
        (b"Content-Length: 5\r\n\r\nhello", False),
    ],
)
def test_the_answer_to_head_has_no_body(rest: bytes, keeps_alive: bool) -> None:
    """Whatever the head says of the body that is not sent."""
    found = understood([OK + rest], method="HEAD")

    assert (found.status, found.body, found.fault) == (200, b"", None)
    assert found.keeps_alive is keeps_alive


def test_one_parser_reads_one_response_after_the_other() -> None:
    """Nothing of a response is left for the next one."""
    parser = ResponseParser()
    for method, data, body in [
        ("POST", OK + b"X-A: 1\r\n" + HI, b"hi"),
        ("HEAD", OK + b"Content-Length: 9\r\n\r\n", b""),
        ("POST", CHUNKED + b"2\r\nhi\r\n0\r\nX-T: 1\r\n\r\n", b"hi"),
        ("GET", b"HTTP/1.1 304 Not Modified\r\n\r\n", b""),
        ("POST", b"HTTP/1.1 100 Continue\r\n\r\n" + OK + HI, b"hi"),
    ]:
        parser.begin(method)
        assert not parser.has_begun
        parser.feed(data)

        assert parser.take() == body
        assert parser.is_complete
        assert parser.keeps_alive
        assert ("x-a" in parser.headers) is (b"X-A" in data)


@given(
    case=st.sampled_from(sorted(WHOLE)),
    changes=st.lists(st.tuples(st.integers(0, 300), st.binary(max_size=4)), max_size=4),
    places=st.lists(st.integers(0, 300), max_size=4),
)
def test_a_damaged_response_is_a_fault_or_another_response(
    case: str, changes: list[tuple[int, bytes]], places: list[int]
) -> None:
    """Whatever bytes come, nothing is raised, and cuts do not matter."""
    data, *_ = WHOLE[case]
    for place, put in changes:
        data = data[:place] + put + data[place + len(put) :]

    found, whole = understood(cut(data, places)), understood([data])

    assert found.status == whole.status
    assert found.body == whole.body
    assert (found.fault is None) == (whole.fault is None)
