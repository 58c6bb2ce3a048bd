"""Requests as the application is told of them, and those that it never hears of."""

from typing import Any

import orjson
import pytest
from trio.testing import MockClock

from lsd import __version__
from tests.unit.network.serving import WAYS, Notes, Way, answers, connected

H = b"Host: a\r\n"

OK = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> Way:
    """Over which kind of stream the client is connected."""
    found: Way = request.param
    return found


async def scope_of(head: bytes, way: Way = "stream") -> dict[str, Any]:
    """What the application is told of a request without a body."""
    app = Notes()
    async with connected(app, way) as client:
        await client.ask(head + b"\r\n")
    (scope,) = app.scopes
    return dict(scope)


async def test_an_application_sees_the_whole_request(way: Way, autojump_clock: MockClock) -> None:
    """The scope is ASGI's, header names in lower case, values without white space around."""
    head = b"POST /a%20b/?q=%41&r HTTP/1.1\r\nHOST: a:3000 \r\nX-Y:\t z y\t\r\nx-y: 2\r\nE:\r\n"

    scope = await scope_of(head, way)

    extensions = scope.pop("extensions")
    assert list(extensions) == ["lsd.exchange"]
    scope["headers"] = list(scope["headers"])
    assert scope == {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": "/a b/",
        "raw_path": b"/a%20b/",
        "query_string": b"q=%41&r",
        "root_path": "",
        "headers": [(b"host", b"a:3000"), (b"x-y", b"z y"), (b"x-y", b"2"), (b"e", b"")],
        "client": None,
        "server": None,
    }


@pytest.mark.parametrize(
    ("target", "path", "query"),
    [
        (b"/", "/", b""),
        (b"/%C3%A9%2F%2541", "/\u00e9/%41", b""),
        (b"/%ff%zz", "/\ufffd%zz", b""),
        (b"/a%00b", "/a\0b", b""),
        (b"//a//b?", "//a//b", b""),
        (b"/a?b?c=/d", "/a", b"b?c=/d"),
        (b"http://b", "/", b""),
        (b"http://b?x", "/", b"x"),
        (b"HTTPS://b:80/c@d?x", "/c@d", b"x"),
    ],
)
async def test_targets_are_decoded_once(
    target: bytes, path: str, query: bytes, autojump_clock: MockClock
) -> None:
    """Percent signs are undone once; what is no UTF-8 is replaced, and nothing crashes."""
    scope = await scope_of(b"GET " + target + b" HTTP/1.1\r\n" + H)

    assert (scope["path"], scope["query_string"]) == (path, query)


async def test_the_host_in_the_target_counts(autojump_clock: MockClock) -> None:
    """A request as proxies get it names its host in the target; the header is ignored."""
    scope = await scope_of(b"GET http://b:1/ HTTP/1.1\r\nA: 1\r\nHost: c\r\n")

    assert list(scope["headers"]) == [(b"host", b"b:1"), (b"a", b"1")]


async def test_options_may_ask_about_the_whole_server(autojump_clock: MockClock) -> None:
    """`OPTIONS *` is a request of its own form."""
    scope = await scope_of(b"OPTIONS * HTTP/1.1\r\n" + H)

    assert (scope["method"], scope["path"], scope["raw_path"]) == ("OPTIONS", "*", b"*")


@pytest.mark.parametrize("method", ["TRACE", "PATCH", "DELETE", "PROPFIND"])
async def test_any_usual_method_is_the_applications_business(
    method: str, autojump_clock: MockClock
) -> None:
    """TRACE is a method like others."""
    scope = await scope_of(method.encode() + b" / HTTP/1.1\r\n" + H)

    assert scope["method"] == method


@pytest.mark.parametrize(
    "offer",
    [
        b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x\r\n",
        b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n",
        b"Upgrade: TLS/1.2\r\n",
    ],
)
async def test_an_upgrade_is_an_offer_that_may_be_ignored(
    offer: bytes, way: Way, autojump_clock: MockClock
) -> None:
    """Such a request is answered as any other, and so is the next one on its connection."""
    app = Notes()
    request = b"POST /up HTTP/1.1\r\n" + H + offer + b"Content-Length: 3\r\n\r\nabc"

    async with connected(app, way) as client:
        data = await client.ask(request + OK)

    assert [answer.body for answer in answers(data, "POST", "GET")] == [b"ok", b"ok"]
    assert app.bodies == [b"abc", b""]


async def test_http_1_0_needs_no_host(autojump_clock: MockClock) -> None:
    """The oldest clients send none."""
    scope = await scope_of(b"GET / HTTP/1.0\r\n")

    assert (scope["http_version"], list(scope["headers"])) == ("1.0", [])


async def test_one_empty_line_before_a_request_is_forgiven(
    way: Way, autojump_clock: MockClock
) -> None:
    """Some clients end a body with a line break too many."""
    app = Notes()

    async with connected(app, way) as client:
        data = await client.ask(b"\r\nGET /1 HTTP/1.1\r\n" + H + b"\r\n", b"\r\n", OK)

    assert [answer.status for answer in answers(data, "GET", "GET")] == [200, 200]


BAD_HEADS = {
    "no version": (400, b"GET /\r\n\r\n"),
    "three spaces": (400, b"GET  / HTTP/1.1\r\n" + H + b"\r\n"),
    "space at the end": (400, b"GET / HTTP/1.1 \r\n" + H + b"\r\n"),
    "space first": (400, b" GET / HTTP/1.1\r\n" + H + b"\r\n"),
    "two empty lines": (400, b"\r\n\r\nGET / HTTP/1.1\r\n" + H + b"\r\n"),
    "other protocol": (400, b"GET / RTSP/1.0\r\n" + H + b"\r\n"),
    "TLS": (400, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"),
    "HTTP/0.9": (505, b"GET / HTTP/0.9\r\n" + H + b"\r\n"),
    "HTTP/1.2": (505, b"GET / HTTP/1.2\r\n" + H + b"\r\n"),
    "HTTP/2 with prior knowledge": (505, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    "CONNECT": (501, b"CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n"),
    "unknown method": (501, b"BREW / HTTP/1.1\r\n" + H + b"\r\n"),
    "method in lower case": (501, b"get / HTTP/1.1\r\n" + H + b"\r\n"),
    "asterisk for GET": (400, b"GET * HTTP/1.1\r\n" + H + b"\r\n"),
    "target without slash": (400, b"GET a HTTP/1.1\r\n" + H + b"\r\n"),
    "authority as target": (400, b"GET a:80 HTTP/1.1\r\n" + H + b"\r\n"),
    "other scheme": (400, b"GET ftp://a/ HTTP/1.1\r\n" + H + b"\r\n"),
    "user in target": (400, b"GET http://u@a/ HTTP/1.1\r\n" + H + b"\r\n"),
    "fragment": (400, b"GET /#a HTTP/1.1\r\n" + H + b"\r\n"),
    "high byte in target": (400, b"GET /\xc3\xa9 HTTP/1.1\r\n" + H + b"\r\n"),
    "tab in target": (400, b"GET /a\tb HTTP/1.1\r\n" + H + b"\r\n"),
    "no host": (400, b"GET / HTTP/1.1\r\n\r\n"),
    "two hosts": (400, b"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"),
    "two hosts in 1.0": (400, b"GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n"),
    "list of hosts": (400, b"GET / HTTP/1.1\r\nHost: a, b\r\n\r\n"),
    "host with a path": (400, b"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n"),
    "space before colon": (400, b"GET / HTTP/1.1\r\nHost : a\r\n\r\n"),
    "tab before colon": (400, b"GET / HTTP/1.1\r\n" + H + b"X\t: a\r\n\r\n"),
    "no colon": (400, b"GET / HTTP/1.1\r\n" + H + b"X\r\n\r\n"),
    "no name": (400, b"GET / HTTP/1.1\r\n" + H + b": a\r\n\r\n"),
    "high byte in name": (400, b"GET / HTTP/1.1\r\n" + H + b"\xe9: a\r\n\r\n"),
    "folded line": (400, b"GET / HTTP/1.1\r\n" + H + b"X: a\r\n b\r\n\r\n"),
    "folded first line": (400, b"GET / HTTP/1.1\r\n Host: a\r\n\r\n"),
    "bare LF": (400, b"GET / HTTP/1.1\r\nHost: a\nX: b\r\n\r\n"),
    "bare CR": (400, b"GET / HTTP/1.1\r\nHost: a\rX: b\r\n\r\n"),
    "only LF": (400, b"GET / HTTP/1.1\nHost: a\n\n"),
    "LF for an end": (400, b"GET / HTTP/1.1\r\nHost: a\r\n\n"),
    "CR CR LF": (400, b"GET / HTTP/1.1\r\nHost: a\r\r\n\r\n"),
    "NUL in value": (400, b"GET / HTTP/1.1\r\nHost: a\r\nX: \0\r\n\r\n"),
    "NUL in name": (400, b"GET / HTTP/1.1\r\nHost: a\r\nX\0: a\r\n\r\n"),
    "DEL in value": (400, b"GET / HTTP/1.1\r\nHost: a\r\nX: \x7f\r\n\r\n"),
}

BAD_FRAMING = {
    "both": b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n",
    "both, the other way": b"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n",
    "two lengths": b"Content-Length: 3\r\nContent-Length: 4\r\n",
    "one length twice": b"Content-Length: 3\r\nContent-Length: 3\r\n",
    "list of lengths": b"Content-Length: 3, 3\r\n",
    "length below zero": b"Content-Length: -1\r\n",
    "length with a sign": b"Content-Length: +3\r\n",
    "length in hex": b"Content-Length: 0x3\r\n",
    "length with a point": b"Content-Length: 3.0\r\n",
    "length with a space": b"Content-Length: 3 3\r\n",
    "no length": b"Content-Length:\r\n",
    "huge length": b"Content-Length: 9223372036854775807\r\n",
    "length beyond 64 bits": b"Content-Length: 18446744073709551619\r\n",
    "gzip": b"Transfer-Encoding: gzip\r\n",
    "gzip, chunked": b"Transfer-Encoding: gzip, chunked\r\n",
    "chunked, gzip": b"Transfer-Encoding: chunked, gzip\r\n",
    "identity": b"Transfer-Encoding: identity\r\n",
    "chunked twice": b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
    "chunked, identity": b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
    "xchunked": b"Transfer-Encoding: xchunked\r\n",
    "chunked with a tab behind it": b"Transfer-Encoding: chunked \t\r\n",
    "chunked with vertical tab": b"Transfer-Encoding: \x0bchunked\r\n",
    "quoted": b'Transfer-Encoding: "chunked"\r\n',
    "parameter": b"Transfer-Encoding: chunked;a=b\r\n",
    "no coding": b"Transfer-Encoding:\r\n",
    "both, one with a space": b"Content-Length: 3\r\nTransfer-Encoding : chunked\r\n",
    "coding behind a fold": b"X: a\r\n\tTransfer-Encoding: chunked\r\nContent-Length: 3\r\n",
    "coding behind a bare LF": b"Content-Length: 3\r\nX: a\nTransfer-Encoding: chunked\r\n",
    "coding behind a bare CR": b"Content-Length: 3\r\nX: a\rTransfer-Encoding: chunked\r\n",
}

for _name, _lines in BAD_FRAMING.items():
    _post = b"POST / HTTP/1.1\r\n" + H + _lines + b"\r\n0\r\n\r\n"
    BAD_HEADS["framing: " + _name] = 400, _post
BAD_HEADS["framing: chunked in HTTP/1.0"] = (
    400,
    b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
)


@pytest.mark.parametrize(("status", "data"), BAD_HEADS.values(), ids=BAD_HEADS)
async def test_what_is_not_http_is_refused_and_nothing_after_it_is_heard(
    status: int, data: bytes, way: Way, autojump_clock: MockClock
) -> None:
    """A bad head is answered with what is wrong; the connection ends, and what follows is lost."""
    app = Notes()

    async with connected(app, way) as client:
        received = await client.ask(data + OK)

    (answer,) = answers(received, "GET")
    assert app.scopes == []
    assert answer.status == status
    assert answer.headers["connection"] == "close"
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-lsd-gateway-version"] == __version__
    error = orjson.loads(answer.body)["error"]
    assert "found" in error
    assert "wanted" in error


async def test_requests_before_a_bad_one_are_answered(way: Way, autojump_clock: MockClock) -> None:
    """One connection, three good requests, a bad one: three answers and a refusal, in order."""
    app = Notes()
    good = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"

    async with connected(app, way) as client:
        received = await client.ask(good * 3 + b"GET / HTTP/1.1\r\n\r\n" + good)

    statuses = [answer.status for answer in answers(received, *["GET"] * 4)]
    assert statuses == [200, 200, 200, 400]


HEAD_BYTES_MAX = 64 * 1024


def head_of(size: int) -> bytes:
    """A whole request of so many bytes."""
    begin = b"GET / HTTP/1.1\r\nConnection: close\r\n" + H + b"X: "
    return begin + b"x" * (size - len(begin) - 4) + b"\r\n\r\n"


@pytest.mark.parametrize(
    ("size", "status"), [(HEAD_BYTES_MAX, 200), (HEAD_BYTES_MAX + 1, 431), (1 << 20, 431)]
)
async def test_a_head_has_64_kib(
    size: int, status: int, way: Way, autojump_clock: MockClock
) -> None:
    """Not a byte more is read in hope of its end."""
    data = head_of(size)

    async with connected(Notes(), way) as client:
        received = await client.ask(data[:1000], data[1000:65_000], data[65_000:])

    (answer,) = answers(received, "GET")
    assert answer.status == status


async def test_an_endless_head_is_refused(way: Way, autojump_clock: MockClock) -> None:
    """Whoever never ends a head is refused when 64 KiB have come."""
    async with connected(Notes(), way) as client:
        received = await client.ask(head_of(HEAD_BYTES_MAX + 100)[:HEAD_BYTES_MAX])

    (answer,) = answers(received, "GET")
    assert answer.status == 431


@pytest.mark.parametrize(("count", "status"), [(127, 200), (128, 431)])
async def test_a_head_has_128_headers(count: int, status: int, autojump_clock: MockClock) -> None:
    """Many small headers cost more than one large one."""
    more = b"".join(b"X-%d: 1\r\n" % place for place in range(count))

    async with connected(Notes(), "stream") as client:
        received = await client.ask(b"GET / HTTP/1.1\r\n" + H + more + b"\r\n")

    (answer,) = answers(received, "GET")
    assert answer.status == status


async def test_a_slow_head_is_given_ten_seconds(autojump_clock: MockClock, way: Way) -> None:
    """They are counted from its first byte, however often one more comes."""
    async with connected(Notes(), way) as client:
        await client.stream.send_all(b"GET / HT")
        await client.until(b"\r\n\r\n")
        waited_s = autojump_clock.current_time()
        received = await client.rest()

    assert 10 <= waited_s <= 11
    assert orjson.loads(received) == {"error": "head: found no end in time; wanted it within 10 s"}


async def test_an_idle_connection_is_given_75_seconds(autojump_clock: MockClock, way: Way) -> None:
    """Then it is closed without a word."""
    async with connected(Notes(), way) as client:
        first = await client.rest()
        waited_s = autojump_clock.current_time()

    assert first == b""
    assert 75 <= waited_s <= 76
