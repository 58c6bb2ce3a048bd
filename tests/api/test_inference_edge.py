"""Where the daemon is found and who may speak to it: paths, methods, origins, hosts, versions."""

import gzip
import socket
from typing import Any

import orjson
import pytest

from lsd import __version__
from tests.api.asking import SAYING_HI, text_of
from tests.api.conftest import StartGateway
from tests.api.gateway import Gateway

ECHO = {"model_name": "echo::demo", **SAYING_HI}
JSON = "application/json"

CONFIG = """
    [gateway]
    base_path = "/llm/v9/"
    server = "{server}"
"""


@pytest.fixture(scope="module", params=["auto", "hypercorn"])
def gateway(start_shared: StartGateway, request: pytest.FixtureRequest) -> Gateway:
    """A gateway below a base path, on each server."""
    return start_shared(CONFIG.format(server=request.param))


@pytest.mark.parametrize(
    "path", ["/llm/v9/inference", "/llm/v9/inference/"], ids=["bare", "trailing slash"]
)
def test_every_route_lies_below_the_base_path(gateway: Gateway, path: str) -> None:
    """One trailing slash is tolerated; nothing is redirected."""
    response = gateway.post(path, ECHO)

    assert response.status_code == 200
    assert text_of(response.json()) == "hi"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/inference"),
        ("GET", "/status"),
        ("GET", "/"),
        ("POST", "/llm/v9x/inference"),
        ("POST", "/llm/v9/absent"),
        ("GET", "/llm/v9/%2e%2e/status"),
        ("POST", "/llm/v9/inference//"),
        ("GET", "/llm/v9/status/x"),
    ],
    ids=[
        "bare inference",
        "bare status",
        "root",
        "a longer name",
        "no such route",
        "dots",
        "two slashes",
        "below a route",
    ],
)
def test_an_unknown_route_is_told(gateway: Gateway, method: str, path: str) -> None:
    """404, with method and path as they were asked for."""
    response = gateway.client.request(method, path)

    assert response.status_code == 404
    assert response.headers["content-type"] == JSON
    told = response.json()["error"]
    assert told.startswith(f"Route not found: {method} /")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/inference", {"POST"}),
        ("PUT", "/inference", {"POST"}),
        ("DELETE", "/feedback", {"POST"}),
        ("POST", "/status", {"GET", "HEAD"}),
        ("GET", "", {"HEAD"}),
        ("GET", "/", {"HEAD"}),
        ("POST", "/health", {"GET", "HEAD"}),
    ],
)
def test_a_wrong_method_is_told(
    gateway: Gateway, method: str, path: str, allowed: set[str]
) -> None:
    """405 in JSON, and which methods there are."""
    response = gateway.client.request(method, f"/llm/v9{path}")

    assert response.status_code == 405
    assert {each.strip() for each in response.headers["allow"].split(",")} >= allowed
    assert response.json()["error"].startswith(f"Method not allowed: {method} ")


@pytest.mark.parametrize("path", ["/status", "/health", "/metrics", "/status/"])
def test_head_is_get_without_a_body(gateway: Gateway, path: str) -> None:
    """Whoever only wants to know whether all is well asks by HEAD."""
    head = gateway.client.head(f"/llm/v9{path}")
    got = gateway.client.get(f"/llm/v9{path}")

    assert (head.status_code, got.status_code) == (200, 200)
    assert head.content == b""
    assert head.headers["content-type"] == got.headers["content-type"]


@pytest.mark.parametrize(
    ("method", "path", "body", "headers", "status"),
    [
        ("POST", "/llm/v9/inference", ECHO, {}, 200),
        ("POST", "/llm/v9/inference", {**ECHO, "stream": True}, {}, 200),
        ("POST", "/llm/v9/inference", {}, {}, 400),
        ("GET", "/llm/v9/inference", None, {}, 405),
        ("GET", "/llm/v9/status", None, {}, 200),
        ("HEAD", "/llm/v9/status", None, {}, 200),
        ("GET", "/llm/v9/absent", None, {}, 404),
        ("GET", "/status", None, {}, 404),
        ("POST", "/llm/v9/inference", ECHO, {"origin": "https://evil.example"}, 403),
        ("POST", "/llm/v9/v1/inferences/get_inferences", {"ids": []}, {}, 200),
        ("POST", "/llm/v9/v1/inferences/get_inferences", {"ids": 1}, {}, 400),
    ],
)
def test_every_response_tells_the_version(
    gateway: Gateway,
    method: str,
    path: str,
    body: dict[str, Any] | None,
    headers: dict[str, str],
    status: int,
) -> None:
    """Answers, streams and refusals: exactly one header each."""
    response = gateway.client.request(method, path, json=body, headers=headers)

    assert response.status_code == status
    assert response.headers.get_list("x-lsd-gateway-version") == [__version__]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"origin": "https://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": "https://app.example.evil.example"}, 403),
        ({"origin": "http://app.example"}, 403),
        ({"host": "localhost:3000"}, 200),
        ({"host": "LOCALHOST"}, 200),
        ({"host": "lsd.localhost"}, 200),
        ({"host": "127.0.0.1"}, 200),
        ({"host": "[::1]:3000"}, 200),
        ({"host": "10.1.2.3:3000"}, 200),
        ({"host": "evil.example"}, 403),
        ({"host": "localhost.evil.example"}, 403),
        ({"host": "127.0.0.1.evil.example:3000"}, 403),
        ({"host": "localhost:3000", "origin": "http://localhost:3000"}, 200),
        ({"host": "localhost:3000", "origin": "http://localhost:4000"}, 403),
        ({"host": "evil.example", "origin": "http://evil.example"}, 403),
    ],
    ids=lambda value: ",".join(value.values()) or "none" if isinstance(value, dict) else "",
)
@pytest.mark.parametrize("path", ["/inference", "/v1/inferences/get_inferences"])
def test_a_foreign_page_is_refused(
    gateway: Gateway, path: str, headers: dict[str, str], status: int
) -> None:
    """A browser's page reaches the daemon neither by its origin nor by a name of its own."""
    body = ECHO if path == "/inference" else {"ids": []}
    response = gateway.client.post(f"/llm/v9{path}", json=body, headers=headers)

    assert response.status_code == status
    if status == 403:
        found = repr(headers.get("origin", ""))
        told = response.json()["error"]
        assert told.startswith(
            (f"origin: found {found}; ", f"host: found {headers.get('host')!r};")
        )
        assert "gateway.cors.allow_origins" in told or "gateway.bind_address" in told


def test_a_foreign_page_is_refused_before_its_body_is_read(gateway: Gateway) -> None:
    """Whatever it has announced to send, nobody waits for it."""
    host, _, port = gateway.url.removeprefix("http://").rpartition(":")
    with socket.create_connection((host, int(port)), timeout=5) as connection:
        connection.sendall(
            b"POST /llm/v9/inference HTTP/1.1\r\nHost: localhost\r\n"
            b"Origin: https://evil.example\r\nContent-Length: 1000000\r\n\r\n"
        )
        answer = connection.recv(65_536)

    assert answer.startswith(b"HTTP/1.1 403 ")


def test_every_route_inflates_its_body(gateway: Gateway) -> None:
    """Compression is a matter of HTTP, not of an endpoint."""
    body = gzip.compress(orjson.dumps({"ids": []}))

    response = gateway.client.post(
        "/llm/v9/v1/inferences/get_inferences", content=body, headers={"content-encoding": "gzip"}
    )

    assert response.status_code == 200
    assert response.json() == {"inferences": []}


def test_an_unknown_compression_is_refused_on_every_route(gateway: Gateway) -> None:
    """It is not mistaken for broken JSON."""
    response = gateway.client.post(
        "/llm/v9/v1/inferences/get_inferences",
        content=b"{}",
        headers={"content-encoding": "rot13"},
    )

    assert response.status_code == 415


def test_the_status_tells_version_and_configuration(gateway: Gateway) -> None:
    """What runs here can be asked by anybody who may ask anything."""
    status = gateway.client.get("/llm/v9/status").json()

    assert (status["status"], status["version"]) == ("ok", __version__)
    assert status["config_hash"] == gateway.log_records("serving")[-1]["config_hash"]


def test_many_requests_share_a_connection(gateway: Gateway) -> None:
    """Answers, streams, refusals and unknown routes leave the connection in order."""
    asked: list[tuple[str, Any]] = [
        ("/llm/v9/inference", ECHO),
        ("/llm/v9/inference", {**ECHO, "stream": True}),
        ("/llm/v9/inference", {}),
        ("/llm/v9/absent", {}),
        ("/llm/v9/v1/inferences/get_inferences", {"ids": []}),
    ]
    ports = set()

    for path, body in asked * 20:
        with gateway.client.stream("POST", path, json=body) as response:
            response.read()
            ports.add(response.extensions["network_stream"].get_extra_info("client_addr"))

    assert len(ports) == 1


def test_idle_connections_do_not_keep_a_stopping_daemon(start_gateway: StartGateway) -> None:
    """A client that keeps its connection open, and says nothing, is waiting for nothing."""
    gateway = start_gateway("")
    for _ in range(20):
        assert gateway.client.get("/absent").status_code == 404
        assert gateway.client.get("/status").status_code == 200

    assert gateway.stop() == 0
