"""The edge of the network, by LSD's own server and by Hypercorn: the same answers and limits."""

import gzip
import re
import socket
import ssl
import subprocess
from pathlib import Path
from typing import Any

import attrs
import httpx
import orjson
import pytest

from tests.api.asking import SAYING_HI, reloaded
from tests.api.conftest import StartGateway
from tests.api.gateway import Gateway, stream_events

CONFIG = """
[gateway]
max_request_bytes = "1 MiB"
cors.allow_origins = ["https://app.example.com"]
"""

BODY = orjson.dumps({"model_name": "echo::x", **SAYING_HI})
PAGE = "https://app.example.com"


@attrs.frozen
class Both:
    """Two gateways with one configuration, and different servers."""

    own: Gateway
    hypercorn: Gateway

    def answers(self, sent: bytes) -> tuple[bytes, bytes]:
        """What both send back for these bytes, as far as it may be compared."""
        own, other = (comparable(talk(each, sent)) for each in (self.own, self.hypercorn))
        return own, other


@pytest.fixture(scope="module")
def both(start_shared: StartGateway) -> Both:
    """Both servers."""
    return Both(start_shared(CONFIG), start_shared(CONFIG + 'server = "hypercorn"\n'))


@pytest.fixture(params=["own", "hypercorn"])
def gateway(both: Both, request: pytest.FixtureRequest) -> Gateway:
    """One after the other."""
    found: Gateway = getattr(both, request.param)
    return found


def connect(gateway: Gateway) -> socket.socket:
    """A connection to a gateway."""
    host, _, port = gateway.url.removeprefix("http://").rpartition(":")
    return socket.create_connection((host, int(port)), timeout=20)


def read_all(connection: socket.socket) -> bytes:
    """What comes until the server closes."""
    received = b""
    while piece := connection.recv(65536):
        received += piece
    return received


def talk(gateway: Gateway, sent: bytes) -> bytes:
    """What comes back for these bytes until the server closes."""
    with connect(gateway) as connection:
        connection.sendall(sent)
        return read_all(connection)


def comparable(received: bytes) -> bytes:
    """An answer without what differs from call to call; the order of headers means nothing."""
    received = re.sub(rb"\r\ndate: [^\r]+", b"", received, flags=re.IGNORECASE)
    head, _, body = received.partition(b"\r\n\r\n")
    status, *headers = head.split(b"\r\n")
    kept = [each for each in headers if not each.lower().startswith(b"connection:")]
    body = re.sub(rb"[0-9a-f]{8}-[0-9a-f-]{27}|[0-9a-f]{32}", b"ID", body)
    names = [re.sub(rb"[0-9a-f]{32}", b"ID", each.lower()) for each in kept]
    return b"\r\n".join((status.partition(b" ")[2][:3], *sorted(names), b"", body))


def request(line: str, *headers: str, body: bytes = b"") -> bytes:
    """A request after whose answer the connection is closed."""
    more = [f"content-length: {len(body)}"] if body else []
    head = "\r\n".join(
        [f"{line} HTTP/1.1", "host: 127.0.0.1", "connection: close", *headers, *more]
    )
    return head.encode("latin-1") + b"\r\n\r\n" + body


CHUNKED = b"%x\r\n%b\r\n0\r\n\r\n" % (len(BODY), BODY)

REQUESTS = {
    "status": request("GET /status"),
    "head": request("HEAD /status"),
    "a slash": request("GET /status/"),
    "inference": request("POST /inference", body=BODY),
    "in chunks": request("POST /inference", "transfer-encoding: chunked") + CHUNKED,
    "gzip": request("POST /inference", "content-encoding: gzip", body=gzip.compress(BODY)),
    "broken gzip": request("POST /inference", "content-encoding: gzip", body=b"no gzip"),
    "brotli": request("POST /inference", "content-encoding: br", body=b"x"),
    "no JSON": request("POST /inference", body=b"x"),
    "no body": request("POST /inference"),
    "unknown route": request("GET /nothing"),
    "wrong method": request("DELETE /inference"),
    "openai, unknown": request("GET /openai/v1/nothing"),
    "anthropic, unknown": request("GET /anthropic/v1/nothing"),
    "options": request("OPTIONS /inference"),
    "options of all": request("OPTIONS *"),
    "preflight": request(
        "OPTIONS /inference",
        f"origin: {PAGE}",
        "access-control-request-method: POST",
        "access-control-request-headers: authorization",
    ),
    "a listed page": request("POST /inference", f"origin: {PAGE}", body=BODY),
    "another page": request("POST /inference", "origin: https://evil.example.com", body=BODY),
    "a rebound name": request("GET /status").replace(b"127.0.0.1", b"evil.example.com"),
    "absolute target": request("GET http://127.0.0.1/status"),
    "too large": request("POST /inference", body=b"x" * ((1 << 20) + 1)),
    "inflates too far": request(
        "POST /inference", "content-encoding: gzip", body=gzip.compress(b" " * ((1 << 20) + 1))
    ),
    "an offer": request("GET /status", "upgrade: h2c", "http2-settings: AAMAAABkAAQAAP__"),
    "a web socket": request("GET /status", "upgrade: websocket", "sec-websocket-version: 13"),
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "HTTP/1.0": b"GET /status HTTP/1.0\r\nhost: 127.0.0.1\r\n\r\n",
    "nonsense": b"hello\r\n\r\n",
    "no host": b"GET /status HTTP/1.1\r\n\r\n",
    "bare LF": b"GET /status HTTP/1.1\nhost: 127.0.0.1\n\n",
    "two lengths": request("POST /inference", "content-length: 1", body=BODY),
    "length and chunks": request("POST /inference", "transfer-encoding: chunked", body=CHUNKED),
    "broken chunks": request("POST /inference", "transfer-encoding: chunked") + b"zz\r\n",
    "connect": request("CONNECT example.com:443"),
    "a long head": request("GET /status", "x: " + "y" * (1 << 16)),
    "many headers": request("GET /status", *["x: y"] * 200),
    "a good one, then nonsense": b"GET /status HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\nhello\r\n\r\n",
}


@pytest.mark.parametrize("name", REQUESTS)
def test_both_servers_give_the_same_answer(both: Both, name: str) -> None:
    """Case 70: status, LSD's headers and body; nobody can tell which one serves."""
    own, other = both.answers(REQUESTS[name])

    assert own != b""
    assert other == own


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("gzip", 200),
        ("broken gzip", 400),
        ("brotli", 415),
        ("too large", 413),
        ("inflates too far", 413),
        ("a long head", 431),
        ("options", 204),
    ],
)
def test_bodies_and_heads_have_limits(gateway: Gateway, name: str, status: int) -> None:
    """Case 66: each with a status of its own."""
    assert talk(gateway, REQUESTS[name]).startswith(b"HTTP/1.1 %d " % status)


def test_streams_come_piece_by_piece(gateway: Gateway) -> None:
    """And end with their mark."""
    response = gateway.post("/inference", {"model_name": "echo::x", "stream": True, **SAYING_HI})

    assert response.headers["content-type"] == "text/event-stream"
    assert stream_events(response.text)[-1]["finish_reason"] == "stop"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate of this machine, with its key, in one file."""
    return certified(tmp_path_factory.mktemp("tls") / "here.pem")


def certified(path: Path) -> Path:
    """The file, with a new certificate of this machine and its key."""
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    command += ["-nodes", "-subj", "/CN=here", "-addext", "subjectAltName=IP:127.0.0.1"]
    command += ["-days", "2", "-keyout", f"{path}.key", "-out", str(path)]
    subprocess.run(command, check=True, capture_output=True)
    path.write_text(Path(f"{path}.key").read_text() + path.read_text())
    return path


def tls(certificate: Path, more: str = "") -> str:
    """A configuration with this certificate."""
    files = f'certificate = "{certificate}", private_key = "{certificate}"'
    return f"[gateway]\ntls = {{ {files} }}\n{more}"


def secure_client(gateway: Gateway, certificate: Path, **options: Any) -> httpx.Client:
    """A client that trusts the certificate."""
    context = ssl.create_default_context(cafile=certificate)
    url = gateway.url.replace("http://", "https://")
    return httpx.Client(base_url=url, verify=context, trust_env=False, timeout=20, **options)


def test_https_and_http2_are_agreed_on(start_gateway: StartGateway, certificate: Path) -> None:
    """Case 70: by ALPN; a client that knows HTTP/1.1 alone gets that."""
    gateway = start_gateway(tls(certificate, "http2 = true\n"))

    for http2 in (True, False):
        with secure_client(gateway, certificate, http2=http2) as client:
            plain = client.post("/inference", content=BODY)
            stream = client.post(
                "/inference", json={"model_name": "echo::x", "stream": True, **SAYING_HI}
            )
            missing = client.get("/nothing")
        assert plain.http_version == ("HTTP/2" if http2 else "HTTP/1.1")
        assert plain.json()["content"] == [{"type": "text", "text": "hi"}]
        assert stream_events(stream.text)[-1]["finish_reason"] == "stop"
        assert (missing.status_code, missing.json()) == (
            404,
            {"error": "Route not found: GET /nothing"},
        )
    assert gateway.stop() == 0


def test_without_http2_nobody_is_offered_it(start_gateway: StartGateway, certificate: Path) -> None:
    """TLS alone is HTTP/1.1."""
    gateway = start_gateway(tls(certificate))

    with secure_client(gateway, certificate, http2=True) as client:
        assert client.get("/status").http_version == "HTTP/1.1"
    with pytest.raises(httpx.TransportError):
        httpx.get(gateway.url + "/status", trust_env=False, timeout=20)


def test_clients_must_show_a_certificate_if_that_is_wanted(
    start_gateway: StartGateway, certificate: Path
) -> None:
    """One of the authority that is named."""
    config = tls(certificate).replace("}", f', client_ca = "{certificate}" }}')
    gateway = start_gateway(config)
    showing = ssl.create_default_context(cafile=certificate)
    showing.load_cert_chain(certificate)
    url = gateway.url.replace("http://", "https://") + "/status"

    assert httpx.get(url, verify=showing, trust_env=False, timeout=20).status_code == 200
    with (
        secure_client(gateway, certificate) as client,
        pytest.raises(httpx.TransportError),
    ):
        client.get("/status")


@pytest.mark.parametrize("workers", [1, 2])
def test_a_renewed_certificate_is_shown_from_the_next_connection_on(
    start_gateway: StartGateway, tmp_path: Path, workers: int
) -> None:
    """Though the configuration is the same; a broken file changes nothing, nor does one end."""
    shown = certified(tmp_path / "shown.pem")
    old = shown.read_text()
    renewed = certified(tmp_path / "renewed.pem").read_text()
    gateway = start_gateway(tls(shown, f"workers = {workers}\n"))

    with secure_client(gateway, shown) as client:
        client.get("/status")
        seen = [served_certificates(gateway)]
        for text in (renewed, "broken", old):
            shown.write_text(text)
            reloaded(gateway)
            seen.append(served_certificates(gateway))
        assert client.get("/status").status_code == 200

    assert seen == [{bare(old)}, {bare(renewed)}, {bare(renewed)}, {bare(old)}]


def served_certificates(gateway: Gateway) -> set[str]:
    """What several connections are shown, which several workers serve."""
    host, _, port = gateway.url.removeprefix("http://").rpartition(":")
    return {ssl.get_server_certificate((host, int(port)), timeout=20).strip() for _ in range(12)}


def bare(text: str) -> str:
    """The certificate of a file that holds its key as well."""
    return text[text.index("-----BEGIN CERTIFICATE") :].strip()


def test_http2_without_tls_is_spoken_to_who_begins_so(start_gateway: StartGateway) -> None:
    """Case 70: HTTP/1.1 still is, on the same port."""
    # A connection that was offered HTTP/2 and is left may linger; it shall not hold up the stop.
    gateway = start_gateway("[gateway]\nhttp2 = true\nshutdown_timeout_ms = 2000\n")

    with httpx.Client(http1=False, http2=True, trust_env=False, timeout=20) as client:
        answer = client.post(gateway.url + "/inference", content=BODY)
    assert (answer.http_version, answer.status_code) == ("HTTP/2", 200)
    plain = httpx.get(gateway.url + "/status", trust_env=False, timeout=20)
    assert plain.http_version == "HTTP/1.1"
    with connect(gateway) as connection:
        offer = REQUESTS["an offer"].replace(b"connection: close", b"connection: upgrade")
        connection.sendall(offer)
        assert connection.recv(65536).startswith(b"HTTP/1.1 101 ")
