"""Bodies that are no requests: each is refused with its reason, and the daemon serves on."""

import gzip
import socket
import zlib
from collections.abc import Iterator
from contextlib import suppress

import orjson
import pytest

from tests.api.asking import SAYING_HI, text_of
from tests.api.conftest import StartGateway
from tests.api.gateway import Gateway

MIB = 1 << 20
BODY_BYTES_MAX = 100 * MIB
ECHO = orjson.dumps({"model_name": "echo::demo", **SAYING_HI})
TOO_LARGE = (
    f"body: found more than {BODY_BYTES_MAX} bytes; wanted at most gateway.max_request_bytes"
)


@pytest.fixture(scope="module", params=["auto", "hypercorn"])
def served(start_shared: StartGateway, request: pytest.FixtureRequest) -> Gateway:
    """A gateway that answers by itself, on each server."""
    return start_shared(f'gateway.server = "{request.param}"')


@pytest.fixture
def gateway(served: Gateway) -> Iterator[Gateway]:
    """The same; after each test it must still serve."""
    yield served
    assert text_of(served.client.post("/inference", content=ECHO).json()) == "hi"


def posted(gateway: Gateway, body: bytes, **headers: str) -> tuple[int, str]:
    """Status and error of the answer to a body."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    response = gateway.client.post("/inference", content=body, headers=named)
    return response.status_code, response.json()["error"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"hello",
        b'{"model_name": "echo::demo"',
        b"{'model_name': 'echo::demo'}",
        ECHO + b"{}",
        b"\xef\xbb\xbf" + ECHO,
        b'{"model_name": "\xff\xfe"}',
        b'{"model_name": "\\ud800"}',
        b'{"model_name": "echo::demo", "input": {"messages": [NaN]}}',
        b"[" * 10_000,
        b"[" * 10_000 + b"]" * 10_000,
        b'{"input":' * 10_000 + b"1" + b"}" * 10_000,
        b"\x00" * 1000,
        ECHO.decode().encode("utf-16"),
    ],
    ids=[
        "nothing",
        "a word",
        "cut off",
        "single quotes",
        "two documents",
        "byte order mark",
        "invalid UTF-8",
        "lone surrogate",
        "NaN",
        "10 000 open brackets",
        "10 000 nested arrays",
        "10 000 nested objects",
        "zeros",
        "UTF-16",
    ],
)
def test_what_is_not_json_is_refused(gateway: Gateway, body: bytes) -> None:
    """The answer tells that and where the parser stopped."""
    status, told = posted(gateway, body)

    assert status == 400
    assert told.startswith("the body is not JSON: ")


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"[]", "found an array of 0; wanted an object"),
        (b"null", "found null; wanted an object"),
        (b'"hi"', 'found "hi"; wanted an object'),
        (b"{}", "input: missing; it is required"),
        (b'{"input": []}', "input: found an array of 0; wanted an object"),
        (b'{"input": {}, "": 1}', '"": unknown key; '),
        (b'{"input": {}, "a\\nb": 1}', '"a\\nb": unknown key; '),
    ],
    ids=["array", "null", "string", "empty", "input an array", "empty key", "key with a newline"],
)
def test_json_of_another_shape_is_refused(gateway: Gateway, body: bytes, told: str) -> None:
    """The path of each problem is told; of the whole body it is empty."""
    status, error = posted(gateway, body)

    assert status == 400
    assert error.startswith(told)


def test_deep_nesting_within_a_value_is_data(gateway: Gateway) -> None:
    """What can be read can also be sent on, stored and read back."""
    deep = "[" * 190 + "1" + "]" * 190
    block = f'{{"type": "unknown", "data": {deep}}}'
    message = f'{{"role": "user", "content": [{block}]}}'
    body = f'{{"model_name": "echo::demo", "input": {{"messages": [{message}]}}}}'

    response = gateway.client.post("/inference", content=body)
    stored = gateway.stored(response.json()["inference_id"])

    assert stored is not None
    assert stored["input"]["messages"][0]["content"][0]["data"] == orjson.loads(deep)


def test_nesting_beyond_what_json_readers_take_is_refused(gateway: Gateway) -> None:
    """The answer tells how deep is too deep."""
    body = b'{"model_name": ' + b"[" * 300 + b"]" * 300 + b', "input": {}}'

    assert posted(gateway, body) == (
        400,
        "the body is not JSON: nested more than 200 levels deep",
    )


def test_a_large_body_within_the_limit_is_served(gateway: Gateway) -> None:
    """Some mebibytes of text are a request like any other."""
    text = "word " * MIB
    body = {"model_name": "echo::demo", "input": {"messages": [{"role": "user", "content": text}]}}

    response = gateway.client.post("/inference", content=orjson.dumps(body))

    assert text_of(response.json()) == text


def test_a_body_of_101_mib_is_refused(gateway: Gateway) -> None:
    """Announced or not, the limit is told; nothing that large is kept."""
    announced = posted(gateway, b" " * (101 * MIB))

    assert announced == (413, TOO_LARGE)


def test_an_unannounced_body_of_101_mib_is_refused(gateway: Gateway) -> None:
    """A chunked body is counted while it comes."""

    def pieces() -> Iterator[bytes]:
        for _ in range(101):
            yield b" " * MIB

    with socket.create_connection(address_of(gateway), timeout=20) as connection:
        connection.sendall(
            b"POST /inference HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
        with suppress(OSError):  # refused early and closed
            for piece in pieces():
                connection.sendall(b"%x\r\n%s\r\n" % (len(piece), piece))
        answer = connection.recv(65_536)

    assert answer.startswith(b"HTTP/1.1 413 ")


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
def test_a_bomb_is_not_inflated(gateway: Gateway, coding: str) -> None:
    """Some hundred kilobytes that would become more than the limit are refused like these."""
    deflater = zlib.compressobj(9, wbits=31 if coding == "gzip" else 15)
    bomb = b"".join(deflater.compress(bytes(MIB)) for _ in range(300)) + deflater.flush()
    assert len(bomb) < MIB

    assert posted(gateway, bomb, content_encoding=coding) == (413, TOO_LARGE)


def test_a_bomb_within_a_bomb_is_not_inflated(gateway: Gateway) -> None:
    """The limit counts for each of several codings."""
    inner = gzip.compress(bytes(300 * MIB), 9)

    assert posted(gateway, gzip.compress(inner), content_encoding="gzip, gzip")[0] == 413


@pytest.mark.parametrize(
    ("coding", "body", "expected"),
    [
        ("gzip", ECHO, (400, "body: found data that is not valid gzip")),
        ("gzip", gzip.compress(ECHO)[:-9], (400, "body: found data that is not valid gzip")),
        ("gzip", b"", (400, "body: found data that is not valid gzip")),
        ("deflate", b"\x78\x9c\xff", (400, "body: found data that is not valid deflate")),
        (
            "br",
            ECHO,
            (415, "content-encoding: found 'br'; wanted gzip, deflate or none"),
        ),
        ("rot13", ECHO, (415, "content-encoding: found 'rot13'; wanted gzip, deflate or none")),
    ],
    ids=["not gzip", "gzip cut off", "empty gzip", "not deflate", "br", "rot13"],
)
def test_a_broken_or_unknown_compression_is_refused(
    gateway: Gateway, coding: str, body: bytes, expected: tuple[int, str]
) -> None:
    """The answer names the coding."""
    assert posted(gateway, body, content_encoding=coding) == expected


@pytest.mark.parametrize(
    "sent",
    [
        b"hello\r\n\r\n",
        b"POST /inference HTTP/1.1\r\n\r\n",
        b"POST /inference HTTP/1.1\r\nHost: localhost\r\nContent-Length: x\r\n\r\n",
        b"POST /inference HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{}",
        b"POST /inference HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"GET /\x00 HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ],
    ids=[
        "no HTTP",
        "no host",
        "length no number",
        "negative length",
        "two lengths",
        "chunk without a size",
        "zero in the path",
    ],
)
def test_what_is_not_http_is_refused(gateway: Gateway, sent: bytes) -> None:
    """A 4xx answer, or none at all: the connection ends either way."""
    with socket.create_connection(address_of(gateway), timeout=5) as connection:
        connection.sendall(sent)
        connection.shutdown(socket.SHUT_WR)
        answer = connection.recv(65_536)

    assert answer == b"" or answer.startswith(b"HTTP/1.1 4")


def test_a_head_without_end_is_refused(gateway: Gateway) -> None:
    """Nobody fills the memory by a header."""
    with socket.create_connection(address_of(gateway), timeout=5) as connection:
        answer = b""
        with suppress(OSError):  # refused early and closed
            connection.sendall(b"GET /status HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * MIB)
            answer = connection.recv(65_536)

    assert answer == b"" or answer.startswith(b"HTTP/1.1 4")


def test_a_client_that_leaves_within_its_body_disturbs_nobody(gateway: Gateway) -> None:
    """Half a request is none."""
    with socket.create_connection(address_of(gateway), timeout=5) as connection:
        connection.sendall(
            b"POST /inference HTTP/1.1\r\nHost: localhost\r\nContent-Length: 500\r\n\r\n"
        )
        connection.sendall(ECHO)

    assert not [each for each in gateway.log_records() if each["level"] == "error"]


def address_of(gateway: Gateway) -> tuple[str, int]:
    """Where it listens."""
    host, _, port = gateway.url.removeprefix("http://").rpartition(":")
    return host, int(port)
