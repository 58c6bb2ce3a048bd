"""The client's encrypted connections: whom it believes, and that encryption changes nothing."""

import ssl
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import attrs
import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from lsd.conversation import WireRequest
from lsd.network import TransportFailed
from lsd.network.http_client import HttpClient
from tests.unit.network.raw_server import WAIT_S_MAX, Peer, answering, raw_server, whole

OK = b"HTTP/1.1 200 OK\r\n"


def make_certificate(folder: Path, name: str, names: str) -> Path:
    """A self-signed certificate with its key, in one file."""
    path, key = folder / f"{name}.pem", folder / f"{name}.key"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    command += ["-nodes", "-subj", f"/CN={name}", "-days", "2"]
    command += ["-addext", f"subjectAltName={names}", "-keyout", str(key), "-out", str(path)]
    subprocess.run(command, check=True, capture_output=True)
    path.write_text(key.read_text() + path.read_text())
    return path


def expire(certificate: Path) -> None:
    """Makes the certificate anew, with its time up yesterday."""
    command = ["openssl", "x509", "-in", str(certificate), "-signkey", str(certificate)]
    made = subprocess.run([*command, "-days", "-1"], check=True, capture_output=True).stdout
    key, _, _ = certificate.read_text().partition("-----BEGIN CERT")
    certificate.write_text(key + made.decode())


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The certificate of this machine."""
    return make_certificate(tmp_path_factory.mktemp("tls"), "here", "DNS:localhost,IP:127.0.0.1")


def serving(certificate: Path) -> ssl.SSLContext:
    """A server's side of TLS."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    return context


@pytest.fixture(params=["asks the system", "is told"])
async def client(
    certificate: Path, nursery: trio.Nursery, request: pytest.FixtureRequest
) -> AsyncIterator[HttpClient]:
    """A client that trusts this machine. When the test is over, no connection may be in use."""
    made = HttpClient({"SSL_CERT_FILE": str(certificate)})
    if request.param == "is told":
        await nursery.start(made.run)
    yield made
    assert made._pool.in_use == 0
    await made.aclose()


def post(url: str, body: bytes = b"{}") -> WireRequest:
    """A request such as dialects make."""
    return WireRequest(method="POST", url=url, headers={}, body=body)


async def fetch(client: HttpClient, request: WireRequest) -> bytes:
    """The whole body of the answer."""
    response = await client.send(request)
    try:
        return await response.read(100_000_000)
    finally:
        await response.aclose()


async def test_a_server_is_told_whom_we_want_and_what_we_speak(
    client: HttpClient, certificate: Path
) -> None:
    """Its name (never an address) and HTTP/1.1 are in the greeting."""
    wanted: list[tuple[str | None, str | None]] = []

    async def handle(peer: Peer) -> None:
        await peer.receive_request()
        assert isinstance(peer.stream, trio.SSLStream)
        wanted.append((names.pop(), peer.stream.selected_alpn_protocol()))
        await peer.send(whole(b"hi"))

    names: list[str | None] = []
    context = serving(certificate)
    context.set_alpn_protocols(["h2", "http/1.1"])
    context.sni_callback = lambda _socket, name, _context: names.append(name)
    async with raw_server(handle, tls=context) as server:
        for host in ("localhost", "127.0.0.1"):
            await fetch(client, post(server.url(host=host)))

    assert wanted == [("localhost", "http/1.1"), (None, "http/1.1")]


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_an_encrypted_connection_is_used_again(
    client: HttpClient, certificate: Path, version: ssl.TLSVersion
) -> None:
    """What TLS says for itself between two requests does not count as words of the server."""
    context = serving(certificate)
    context.minimum_version = context.maximum_version = version

    async with raw_server(answering(whole(b"hi")), tls=context) as server:
        for _ in range(100):
            assert await fetch(client, post(server.url())) == b"hi"

    assert len(server.peers) == 1


async def test_an_encrypted_connection_closed_while_idle_is_replaced(
    client: HttpClient, certificate: Path
) -> None:
    """With or without a farewell."""

    async def handle(peer: Peer) -> None:
        await peer.receive_request()
        await peer.send(whole(b"hi"))
        if peer.number == 1:
            await peer.stream.aclose()

    async with raw_server(handle, tls=serving(certificate)) as server:
        for number in range(3):
            assert await fetch(client, post(server.url())) == b"hi"
            await server.peers[number].is_closed.wait()
            # The farewell must be here before the next request; on loopback it is, after this.
            await wait_all_tasks_blocked(0.01)

    assert len(server.peers) == 3


async def test_large_bodies_go_both_ways_at_once(client: HttpClient, certificate: Path) -> None:
    """A server that answers while it reads gets the whole request, and is read meanwhile."""
    body = bytes(range(256)) * 40_000

    async def handle(peer: Peer) -> None:
        received = await peer.receive()
        await peer.send(OK + b"Content-Length: %d\r\n\r\n" % len(body))
        received = received[received.index(b"\r\n\r\n") + 4 :] or await peer.receive()
        while received:
            await peer.send(received)
            received = await peer.receive()

    async with raw_server(handle, tls=serving(certificate)) as server:
        assert await fetch(client, post(server.url(), body)) == body
    assert client._pool.idle == 1


@attrs.define(eq=False)
class ByteByByte(trio.abc.Stream):
    """A stream that sends each byte alone."""

    stream: trio.abc.Stream

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        for place in range(len(data)):
            await self.stream.send_all(data[place : place + 1])

    async def wait_send_all_might_not_block(self) -> None:
        await self.stream.wait_send_all_might_not_block()

    async def receive_some(self, max_bytes: int | None = None) -> bytes | bytearray:
        return await self.stream.receive_some(max_bytes)

    async def aclose(self) -> None:
        await self.stream.aclose()


async def test_where_the_network_cuts_a_record_does_not_matter(
    client: HttpClient, certificate: Path
) -> None:
    """A part of a record is not yet anything to read."""
    context = serving(certificate)

    async def handle(peer: Peer) -> None:
        slow = trio.SSLStream(ByteByByte(peer.stream), context, server_side=True)
        await slow.receive_some(1000)
        await slow.send_all(whole(b"x" * 500))
        await slow.receive_some(1000)

    async with raw_server(handle) as server:
        url = server.url().replace("http:", "https:")
        assert await fetch(client, post(url)) == b"x" * 500


@pytest.mark.parametrize("size", [16_384, 65_536, 1_000_000])
async def test_no_record_stays_behind(client: HttpClient, certificate: Path, size: int) -> None:
    """When the last record has come, all of it is read, though the server says no more."""

    async def handle(peer: Peer) -> None:
        await peer.receive_request()
        await peer.send(whole(b"x" * size))
        await peer.wait_gone()

    async with raw_server(handle, tls=serving(certificate)) as server:
        response = await client.send(post(server.url()))
        with trio.fail_after(WAIT_S_MAX):
            assert await response.read(size) == b"x" * size


@pytest.mark.parametrize(
    ("head", "is_whole"), [(b"\r\n", True), (b"Content-Length: 9\r\n\r\n", False)]
)
async def test_a_close_without_farewell_is_an_end_only_where_no_length_was_said(
    client: HttpClient, certificate: Path, head: bytes, is_whole: bool
) -> None:
    """Many servers close so; what is known to be missing is missed all the same."""

    async def handle(peer: Peer) -> None:
        await peer.receive_request()
        await peer.send(OK + head + b"hi")

    async with raw_server(handle, tls=serving(certificate)) as server:
        if is_whole:
            assert await fetch(client, post(server.url())) == b"hi"
        else:
            with pytest.raises(TransportFailed, match="before the end of the response body"):
                await fetch(client, post(server.url()))


async def test_an_unknown_authority_is_refused(certificate: Path) -> None:
    """Nothing is sent to a server that nobody vouches for."""
    client = HttpClient({})
    received = b""

    async def handle(peer: Peer) -> None:
        nonlocal received
        received = await peer.receive()

    async with raw_server(handle, tls=serving(certificate)) as server:
        with pytest.raises(TransportFailed) as caught:
            await client.send(post(server.url(host="localhost")))
        await server.wait_all_gone()

    assert not caught.value.sent
    assert str(caught.value) == (
        f"cannot agree on TLS with localhost:{server.port}: "
        "certificate refused: self-signed certificate"
    )
    assert received == b""
    assert client._pool.in_use == client._pool.idle == 0


async def test_another_machines_certificate_is_refused(tmp_path: Path) -> None:
    """A good certificate is good for its own names only."""
    other = make_certificate(tmp_path, "other", "DNS:other.example")
    client = HttpClient({"SSL_CERT_FILE": str(other)})

    async with raw_server(answering(whole(b"hi")), tls=serving(other)) as server:
        for host, found in [("localhost", "Hostname mismatch"), ("127.0.0.1", "IP address mism")]:
            with pytest.raises(TransportFailed, match=f"certificate refused: {found}") as caught:
                await client.send(post(server.url(host=host)))
            assert not caught.value.sent


async def test_an_expired_certificate_is_refused(tmp_path: Path) -> None:
    """However well it is known."""
    expired = make_certificate(tmp_path, "expired", "DNS:localhost")
    expire(expired)
    client = HttpClient({"SSL_CERT_FILE": str(expired)})

    async with raw_server(answering(whole(b"hi")), tls=serving(expired)) as server:
        with pytest.raises(TransportFailed, match="certificate refused: certificate has expired"):
            await client.send(post(server.url(host="localhost")))


@pytest.mark.parametrize(
    ("greeting", "found"),
    [(b"HTTP/1.1 400 Bad Request\r\n\r\n", "wrong version number"), (b"", "has closed")],
    ids=["no TLS", "close"],
)
async def test_a_server_without_tls_was_not_sent_anything(
    client: HttpClient, greeting: bytes, found: str
) -> None:
    """The handshake fails with a reason that people understand."""

    async def handle(peer: Peer) -> None:
        await peer.receive()
        await peer.send(greeting)

    async with raw_server(handle) as server:
        url = server.url().replace("http:", "https:")
        with pytest.raises(TransportFailed, match=f"^cannot agree on TLS with .*{found}") as caught:
            await client.send(post(url))

    assert not caught.value.sent


async def test_a_reset_handshake_is_told(client: HttpClient) -> None:
    """What the system said is in the reason."""

    async def handle(peer: Peer) -> None:
        await peer.receive()
        await peer.reset()

    async with raw_server(handle) as server:
        url = server.url().replace("http:", "https:")
        with pytest.raises(TransportFailed, match="Connection reset by peer") as caught:
            await client.send(post(url))

    assert not caught.value.sent


async def test_a_cancelled_handshake_closes_its_connection(client: HttpClient) -> None:
    """A server that never answers the TLS greeting is left at once."""
    greeted = trio.Event()

    async def handle(peer: Peer) -> None:
        await peer.receive()
        greeted.set()
        await peer.wait_gone()

    async with raw_server(handle) as server, trio.open_nursery() as nursery:
        url = server.url().replace("http:", "https:")
        nursery.start_soon(client.send, post(url))
        await greeted.wait()
        nursery.cancel_scope.cancel()

    assert client._pool.in_use == 0
