"""Whatever bytes come, in whatever pieces: the same requests are heard, and never one too many."""

from collections.abc import Sequence
from contextlib import suppress
from itertools import pairwise

import attrs
import h11
import httptools
import trio
from hypothesis import example, given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from lsd.network._server_head import RequestRefused, parse_head
from tests.unit.network.serving import Notes, answers, connected

NAMES = st.from_regex(r"X-[A-Za-z0-9!#$%&'*+.^_`|~-]{0,8}", fullmatch=True)
VALUES = st.from_regex(r"([!-~\xa1-\xff]([\t -~\xa1-\xff]{0,20}[!-~\xa1-\xff])?)?", fullmatch=True)
PATHS = st.from_regex(r"/([A-Za-z0-9._~/-]|%2[0-9A-F]){0,10}", fullmatch=True)
QUERIES = st.from_regex(r"(\?[A-Za-z0-9=&?/%]{0,10})?", fullmatch=True)
SPACES = st.sampled_from(["", " ", "\t", "  \t"])


@attrs.frozen
class Sent:
    """A request, and its bytes."""

    method: str
    target: str
    headers: list[tuple[bytes, bytes]]
    body: bytes
    data: bytes


@st.composite
def requests(draw: st.DrawFn) -> Sent:
    """A request that is HTTP, with or without a body, framed by its length or in chunks."""
    method = draw(st.sampled_from(["GET", "POST", "PUT", "DELETE", "OPTIONS"]))
    target = draw(PATHS) + draw(QUERIES)
    fields = [("Host", "a"), *draw(st.lists(st.tuples(NAMES, VALUES), max_size=4))]
    body, framed = b"", b""
    match draw(st.sampled_from(["none", "length", "chunks"])):
        case "length":
            body = framed = draw(st.binary(max_size=60))
            fields.append(("Content-Length", str(len(body))))
        case "chunks":
            fields.append(("Transfer-Encoding", "chunked"))
            pieces = draw(st.lists(st.binary(min_size=1, max_size=30), max_size=4))
            body, framed = b"".join(pieces), draw(chunks(pieces))
    fields = draw(st.permutations(fields))
    # A tab behind what frames the body is refused; nobody puts one there in good faith.
    ends = [SPACES if name != "Transfer-Encoding" else st.just("") for name, _ in fields]
    lines = [
        f"{name}:{draw(SPACES)}{value}{draw(end)}"
        for (name, value), end in zip(fields, ends, strict=True)
    ]
    head = "\r\n".join([f"{method} {target} HTTP/1.1", *lines, "", ""])
    headers = [(name.lower().encode(), value.encode("latin-1")) for name, value in fields]
    return Sent(method, target, headers, body, head.encode("latin-1") + framed)


@st.composite
def chunks(draw: st.DrawFn, pieces: Sequence[bytes]) -> bytes:
    """The pieces as chunks, with all that may stand around them."""
    sizes = st.sampled_from(["%x", "%X", "0%x", "%x;a", '%x;a="b";c=d'])
    data = b"".join(
        (draw(sizes) % len(piece)).encode() + b"\r\n" + piece + b"\r\n" for piece in pieces
    )
    end = draw(st.sampled_from(["0", "000", "0;a=b"])).encode()
    trailers = draw(st.sampled_from([b"", b"X-A: b\r\n", b"X-A: b\r\nX-C:\r\n"]))
    return data + end + b"\r\n" + trailers + b"\r\n"


def cut(data: bytes, places: Sequence[int]) -> list[bytes]:
    """The data in pieces."""
    edges = sorted({0, len(data), *(place % (len(data) + 1) for place in places)})
    return [data[start:end] for start, end in pairwise(edges)]


def serve(pieces: Sequence[bytes], *, reads: bool = True) -> tuple[Notes, bytes]:
    """What the application hears, and what the client gets, when it sends these and no more."""
    app = Notes(reads=reads)

    async def run() -> bytes:
        async with connected(app, "stream") as client, trio.open_nursery() as nursery:

            async def send() -> None:
                await client.send(*pieces)
                await client.stream.send_eof()

            nursery.start_soon(send)
            return await client.rest()

    with capture_logs() as logged:
        data = trio.run(run, clock=trio.testing.MockClock(autojump_threshold=0))
    assert [entry for entry in logged if entry["log_level"] == "error"] == []
    return app, data


def heard(app: Notes) -> list[tuple[str, bytes, bytes]]:
    """Method, path and query of the requests that an application was told of."""
    return [(each["method"], each["raw_path"], each["query_string"]) for each in app.scopes]


def split(target: bytes) -> tuple[bytes, bytes]:
    """Path and query."""
    path, _, query = target.partition(b"?")
    return path, query


CUTS = st.one_of(st.just(range(5000)), st.lists(st.integers(0, 5000), max_size=8))


@settings(deadline=None)
@given(sent=st.lists(requests(), min_size=1, max_size=4), places=CUTS, reads=st.booleans())
def test_where_the_network_cuts_does_not_matter(
    sent: list[Sent], places: Sequence[int], reads: bool
) -> None:
    """Whole, byte by byte, or in any pieces: the same requests, bodies and answers."""
    data = b"".join(each.data for each in sent)

    whole, answered_whole = serve([data], reads=reads)
    app, answered = serve(cut(data, places), reads=reads)

    assert answered == answered_whole
    assert heard(app) == heard(whole)
    assert heard(app) == [(each.method, *split(each.target.encode())) for each in sent]
    assert [list(scope["headers"]) for scope in app.scopes] == [each.headers for each in sent]
    assert app.bodies == ([each.body for each in sent] if reads else [])
    assert len(answers(answered, *[each.method for each in sent])) == len(sent)


TOKENS = st.sampled_from(
    [
        b"\r\n",
        b"\n",
        b"\r",
        b"\r\n\r\n",
        b" ",
        b"\t",
        b"\0",
        b":",
        b",",
        b"0\r\n\r\n",
        b"Content-Length: 5\r\n",
        b"Content-Length: 0\r\n",
        b"Transfer-Encoding: chunked\r\n",
        b"Transfer-Encoding:\x0bchunked\r\n",
        b"Connection: close\r\n",
        b"Connection: upgrade\r\nUpgrade: x\r\n",
        b"Expect: 100-continue\r\n",
        b"GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n",
        b"HTTP/1.0",
        b"ffffffffffffffff",
        b"-1",
    ]
)


@st.composite
def spoiled(draw: st.DrawFn) -> bytes:
    """Some requests with some bytes taken out, put in or changed."""
    data = bytearray(b"".join(each.data for each in draw(st.lists(requests(), max_size=3))))
    data += b"GET /last HTTP/1.1\r\nHost: a\r\n\r\n"
    for _ in range(draw(st.integers(0, 4))):
        place = draw(st.integers(0, len(data)))
        length = draw(st.sampled_from([0, 0, 1, 2, 10]))
        data[place : place + length] = draw(st.one_of(TOKENS, st.binary(max_size=3)))
    return bytes(data)


def as_h11_hears(data: bytes) -> list[tuple[str, bytes, bytes, bytes]]:
    """Methods, paths, queries and bodies of the requests that another server hears."""
    found: list[tuple[str, bytes, bytes, bytes]] = []
    while True:
        peer = h11.Connection(h11.SERVER, max_incomplete_event_size=1 << 20)
        # h11 itself knows no empty lines before a request; RFC 9112, 2.2 does.
        peer.receive_data(data.removeprefix(b"\r\n"))
        request = one_as_h11_hears(peer)
        if request is None:
            return found
        found.append(request)
        peer.send(h11.Response(status_code=200, headers=[("content-length", "0")]))
        peer.send(h11.EndOfMessage())
        if peer.our_state is not h11.DONE:
            return found
        data = peer.trailing_data[0]


def one_as_h11_hears(peer: h11.Connection) -> tuple[str, bytes, bytes, bytes] | None:
    """The next request, if there is a whole one."""
    head, body = None, b""
    while True:
        try:
            event = peer.next_event()
        except h11.RemoteProtocolError:
            return None
        match event:
            case h11.Request():
                head = event
            case h11.Data():
                body += event.data
            case h11.EndOfMessage():
                assert head is not None
                return head.method.decode(), *split(head.target), body
            case _:
                return None


@settings(deadline=None, max_examples=300)
@given(data=spoiled())
@example(data=b"GET / HTTP/1.1\r\nHost: a\r\n\r\n" + b"\r\n" + b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
def test_no_request_is_heard_that_another_server_would_not_hear(data: bytes) -> None:
    """However the bytes were tampered with: no crash, no hang, and nothing is smuggled in.

    What we hear another parser hears as well, with the same bodies; it may go on where we refuse.
    """
    app, _ = serve([data])

    ours = [(*scope, body) for scope, body in zip(heard(app), app.bodies, strict=False)]
    theirs = as_h11_hears(data)
    assert ours == theirs[: len(ours)]


def as_llhttp_hears(head: bytes) -> list[tuple[bytes, bytes]]:
    """The headers, as the parser of Node.js reads them. Raises HttpParserError."""
    found: list[tuple[bytes, bytes]] = []

    class Reader:
        def on_header(self, name: bytes, value: bytes) -> None:
            found.append((name.lower(), value.rstrip(b" \t")))

    with suppress(httptools.HttpParserUpgrade):
        httptools.HttpRequestParser(Reader()).feed_data(head)
    return found


@settings(deadline=None, max_examples=300)
@given(data=spoiled())
def test_a_head_that_is_taken_says_the_same_to_others(data: bytes) -> None:
    """What llhttp would refuse is refused, and what it takes has the same headers for it."""
    head = data[: data.find(b"\r\n\r\n") + 4]
    with suppress(RequestRefused):
        assert list(parse_head(head).fields) == as_llhttp_hears(head)


@settings(deadline=None, max_examples=200)
@given(data=st.binary(max_size=300), places=st.lists(st.integers(0, 300), max_size=4))
def test_noise_does_no_harm(data: bytes, places: list[int]) -> None:
    """Bytes that mean nothing are refused, or waited for; the application hears of none."""
    app, _ = serve(cut(data, places))

    assert app.scopes == []
