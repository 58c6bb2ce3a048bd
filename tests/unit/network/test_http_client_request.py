"""Requests as the bytes that go on the wire."""

import re

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsd import __version__
from lsd.conversation import WireRequest
from lsd.network import TransportFailed, _client_request
from lsd.network._client_request import HEAD_LENGTH_MAX, Origin, outgoing, target_of

SECRET = "sk-do-not-tell"


def head_of(
    method: str = "POST", headers: dict[str, str] | None = None, body: bytes = b"{}"
) -> list[str]:
    """The lines of the head of a request."""
    request = WireRequest(method=method, url="http://host/v1", headers=headers or {}, body=body)
    head = outgoing(request)[1].decode()
    assert head.endswith("\r\n\r\n")
    return head.removesuffix("\r\n\r\n").split("\r\n")


def test_only_what_was_given_and_what_http_needs_is_sent() -> None:
    """Headers keep their case and order; `Host`, our name and the length are all that is added."""
    assert head_of(headers={"X-Later": "é", "content-Type": "application/json"}) == [
        "POST /v1 HTTP/1.1",
        "Host: host",
        f"User-Agent: LSD/{__version__}",
        "X-Later: é",
        "content-Type: application/json",
        "Content-Length: 2",
    ]


def test_given_names_are_kept() -> None:
    """Whoever says who asks, or whom, in whatever case, is believed."""
    assert head_of("GET", {"user-agent": "mine", "HOST": "other"}, b"") == [
        "GET /v1 HTTP/1.1",
        "user-agent: mine",
        "HOST: other",
    ]


def test_an_anonymous_request_names_nobody() -> None:
    """Our name can be left out."""
    request = WireRequest(method="GET", url="http://host/v1", headers={}, anonymous=True)

    assert outgoing(request)[1] == b"GET /v1 HTTP/1.1\r\nHost: host\r\n\r\n"


@pytest.mark.parametrize(
    ("method", "body", "length"),
    [("POST", b"", "0"), ("DELETE", b"", "0"), ("GET", b"ab", "2"), ("HEAD", b"", None)],
)
def test_a_body_has_its_length(method: str, body: bytes, length: str | None) -> None:
    """Only a request that by its nature has no body is without one."""
    last = head_of(method, body=body)[-1]

    assert (last == f"Content-Length: {length}") is (length is not None)


@pytest.mark.parametrize(
    ("url", "origin", "host", "path"),
    [
        ("http://h", ("http", "h", 80), "h", "/"),
        ("HTTP://Up.Example:80/A", ("http", "up.example", 80), "up.example", "/A"),
        ("https://h:443?q", ("https", "h", 443), "h", "/?q"),
        ("https://h:80/", ("https", "h", 80), "h:80", "/"),
        ("http://h:/", ("http", "h", 80), "h", "/"),
        ("http://llm_server:8000/v1", ("http", "llm_server", 8000), "llm_server:8000", "/v1"),
        ("http://[::1]:8080/x", ("http", "::1", 8080), "[::1]:8080", "/x"),
        ("http://[0:0::1]/x", ("http", "::1", 80), "[::1]", "/x"),
        ("http://user:pass@h/x#part", ("http", "h", 80), "h", "/x"),
        ("http://bücher.example/", ("http", "xn--bcher-kva.example", 80), None, "/"),
        ("http://h/a%2Fb%zz/ü x", ("http", "h", 80), "h", "/a%2Fb%zz/%C3%BC%20x"),
        ("http://h/m:go?a=[b]&c=d/e?f", ("http", "h", 80), "h", "/m:go?a=[b]&c=d/e?f"),
        ('http://h/{"<`|', ("http", "h", 80), "h", "/%7B%22%3C%60|"),
    ],
)
def test_a_url_says_whom_to_ask_for_what(
    url: str, origin: tuple[str, str, int], host: str | None, path: str
) -> None:
    """The server, how it is called, and what of the URL it gets to see."""
    target = target_of(url)

    assert target.origin == Origin(*origin)
    assert target.host_header == host or host is None
    assert target.path == path


@pytest.mark.parametrize(
    "url",
    [
        f"{SECRET}/v1",
        f"ftp://host/{SECRET}",
        f"http://host:x{SECRET}/",
        f"http://host:65536/{SECRET}",
        f"http://[::1/{SECRET}",
        f"http://[host]/{SECRET}",
        f"http:///{SECRET}",
        f"http://ho st/{SECRET}",
        f"http://host/{SECRET}\r\nX-Evil: 1",
        f"http://ho\nst/{SECRET}",
        f"http://{'ü' * 80}.example/{SECRET}",
        f"http://host/{SECRET}\ud800",
    ],
)
def test_a_url_that_is_none_is_not_told(url: str) -> None:
    """It may hold a key."""
    with pytest.raises(TransportFailed) as caught:
        target_of(url)

    assert not caught.value.sent
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Key": f"{SECRET}\r\nX-Evil: 1"},
        {"X-Key": f"{SECRET}\n"},
        {"X-Key": f"{SECRET}\x00"},
        {"X-Key": f"é{SECRET}\x7f"},
        {"X-Key": f"{SECRET}\ud800"},
        {f"X-{SECRET}é": "1"},
        {f"X {SECRET}": "1"},
        {f"{SECRET}:": "1"},
        {"": SECRET},
        {"Content-Length": f"1{SECRET}"},
        {"transfer-Encoding": "chunked"},
    ],
)
def test_a_header_that_is_none_is_not_told(headers: dict[str, str]) -> None:
    """Nothing can be smuggled into a request, neither a header nor another request."""
    with pytest.raises(TransportFailed) as caught:
        head_of(headers=headers)

    assert not caught.value.sent
    assert SECRET not in str(caught.value)


def test_what_clients_can_make_long_is_not_remembered() -> None:
    """Addresses of files and header names come from outside, and memory is bounded."""
    url, name = "http://host/" + "x" * 5000, "X-" + "x" * 5000

    target = target_of(url)
    lines = head_of(headers={name: "1"})

    assert len(target.path) == 5001
    assert f"{name}: 1" in lines
    assert _client_request._known_split.cache_info().maxsize == _client_request.TARGETS_MAX
    assert _client_request._known_head.cache_info().maxsize == _client_request.TARGETS_MAX
    assert target_of(url) is not target
    assert target_of("http://host/") is target_of("http://host/")


def test_a_method_that_is_none_is_refused() -> None:
    """A method is one word."""
    with pytest.raises(TransportFailed):
        head_of("GET / HTTP/1.1\r\nX:")


@given(path=st.text(), name=st.text(), value=st.text())
def test_whatever_is_given_what_is_sent_is_one_head(path: str, name: str, value: str) -> None:
    """There is one request line and one line for each header, or nothing is sent at all."""
    url = f"http://host/{path}"
    try:
        head = outgoing(WireRequest(method="GO", url=url, headers={name: value}, body=b"x"))[1]
    except TransportFailed:
        return

    lines = head.removesuffix(b"\r\n\r\n").split(b"\r\n")
    assert head.count(b"\n") == head.count(b"\r") == len(lines) + 1
    assert re.fullmatch(rb"GO /[!-~]* HTTP/1\.1", lines[0])
    names = {line.partition(b":")[0].decode().lower() for line in lines[1:]}
    assert names == {"host", "user-agent", "content-length", name.lower()}
    assert len(lines) == 1 + len(names)


def test_the_head_of_one_request_is_not_that_of_the_next() -> None:
    """What differs in its method, a header, their order or the length is written anew."""
    key, other = {"X-Key": "one", "X-B": "b"}, {"X-B": "b", "X-Key": "two"}
    requests = [
        WireRequest(
            method=method, url="http://host/v1", headers=headers, body=body, anonymous=is_anonymous
        )
        for method in ("POST", "GET")
        for headers in (key, other, dict(reversed(key.items())), {"X-Key": "x" * HEAD_LENGTH_MAX})
        for body in (b"{}", b"", b"[1]")
        for is_anonymous in (True, False)
    ]
    first = [
        outgoing(attrs.evolve(each, url="http://host/v1?" + str(n)))
        for n, each in enumerate(requests)
    ]

    for request, alone in zip(requests, first, strict=True):
        path = alone[1].split(b" ")[1]
        assert outgoing(request)[1] == alone[1].replace(path, b"/v1", 1)
        assert outgoing(request)[1] == alone[1].replace(path, b"/v1", 1)


def test_a_refused_head_is_not_remembered() -> None:
    """The next one is refused as well; a good one is written."""
    good = WireRequest(method="POST", url="http://host/refused", headers={"X-A": "a"})
    bad = attrs.evolve(good, headers={"X-A": "a\r\nX-B: b"})
    written = outgoing(good)

    for _ in range(2):
        with pytest.raises(TransportFailed):
            outgoing(bad)
        assert outgoing(good) == written
