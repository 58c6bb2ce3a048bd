"""Which way a request leaves."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import trio

from lsd.conversation import WireRequest
from lsd.network import BadCertificates, OutboundTransport, TransportFailed
from tests.unit.network.raw_server import Handler, Peer, raw_server, whole

ROOT = Path(__file__).resolve().parents[3]
SECRET = "sk-do-not-tell"


def post(url: str) -> WireRequest:
    """A request such as dialects make."""
    return WireRequest(method="POST", url=url, headers={}, body=b"{}")


async def fetch(transport: OutboundTransport, url: str) -> bytes:
    """The whole body of the answer."""
    response = await transport.send(post(url))
    try:
        return await response.read(1000)
    finally:
        await response.aclose()


def answering(asked: list[bytes], body: bytes) -> Handler:
    """Answers each request, and remembers its first line."""

    async def handle(peer: Peer) -> None:
        while (request := await peer.receive_request()) is not None:
            asked.append(request.split(b"\r\n")[0])
            await peer.send(whole(body))

    return handle


async def test_a_proxy_is_used_where_the_environment_says_so() -> None:
    """Other machines are asked through it, this one and the exceptions directly."""
    by_proxy: list[bytes] = []
    direct: list[bytes] = []

    async with (
        raw_server(answering(by_proxy, b"by proxy")) as proxy,
        raw_server(answering(direct, b"direct")) as server,
    ):
        environment = {"http_proxy": f"http://127.0.0.1:{proxy.port}", "no_proxy": "127.0.0.0/8"}
        transport = OutboundTransport(environment)
        far = await fetch(transport, "http://models.example.com/v1")
        near = await fetch(transport, server.url("/v1"))
        await transport.aclose()
        await proxy.wait_all_gone()
        await server.wait_all_gone()

    assert (far, near) == (b"by proxy", b"direct")
    assert by_proxy == [b"POST http://models.example.com/v1 HTTP/1.1"]
    assert direct == [b"POST /v1 HTTP/1.1"]


async def test_without_a_proxy_every_server_is_asked_directly() -> None:
    """An empty variable is none."""
    asked: list[bytes] = []

    async with raw_server(answering(asked, b"direct")) as server:
        transport = OutboundTransport({"HTTP_PROXY": ""})
        assert await fetch(transport, server.url("/v1")) == b"direct"
        await transport.aclose()

    assert asked == [b"POST /v1 HTTP/1.1"]


@pytest.mark.parametrize("environment", [{}, {"ALL_PROXY": "http://127.0.0.1:1"}])
async def test_what_is_no_url_goes_nowhere(environment: dict[str, str]) -> None:
    """It fails unsent and untold, proxy or not."""
    transport = OutboundTransport(environment)

    with pytest.raises(TransportFailed) as caught:
        await transport.send(post(f"http://host:x{SECRET}/"))

    assert not caught.value.sent
    assert SECRET not in str(caught.value)
    await transport.aclose()


async def test_an_address_that_is_no_proxy_fails_the_request_that_needs_it() -> None:
    """The others never notice, and the address, which may hold a password, is not shown."""
    async with raw_server(answering([], b"direct")) as server:
        transport = OutboundTransport({"ALL_PROXY": f"socks5://user:{SECRET}@proxy:1"})

        with pytest.raises(TransportFailed, match="wanted http:// or https://") as caught:
            await transport.send(post("http://models.example.com/v1"))
        assert await fetch(transport, server.url()) == b"direct"
        await transport.aclose()

    assert not caught.value.sent
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize("environment", [{}, {"HTTPS_PROXY": "http://127.0.0.1:1"}])
def test_bad_certificates_are_told_at_the_start(
    environment: dict[str, str], tmp_path: Path
) -> None:
    """Nobody waits for the first request to learn it."""
    with pytest.raises(BadCertificates):
        OutboundTransport({**environment, "SSL_CERT_FILE": str(tmp_path / "missing.pem")})


async def test_closing_ends_both_ways() -> None:
    """Requests under way are told, through the proxy as well as without; closing never waits."""

    async def stay_silent(peer: Peer) -> None:
        await peer.receive_request()
        await peer.send(b"HTTP/1.1 200 OK\r\n\r\n")
        await peer.wait_gone()

    async with raw_server(stay_silent) as proxy, raw_server(stay_silent) as server:
        transport = OutboundTransport({"HTTP_PROXY": f"http://127.0.0.1:{proxy.port}"})
        urls = ("http://models.example.com/v1", server.url())
        responses = [await transport.send(post(url)) for url in urls]
        with trio.CancelScope() as scope:
            scope.cancel()
            await transport.aclose()
        await proxy.wait_all_gone()
        await server.wait_all_gone()
        for response in responses:
            await response.aclose()


def test_httpx_is_loaded_only_for_a_proxy() -> None:
    """A machine without one saves its memory and its time at the start."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    program = (
        "import sys; from lsd.network import OutboundTransport; "
        "OutboundTransport({}); assert 'httpx' not in sys.modules; "
        "OutboundTransport({'HTTP_PROXY': 'http://127.0.0.1:1'}); assert 'httpx' in sys.modules"
    )

    ended = subprocess.run([sys.executable, "-P", "-c", program], env=environment, check=False)

    assert ended.returncode == 0
