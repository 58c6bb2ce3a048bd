"""How the client finds a server, and what it says when there is none."""

import errno
import socket
from collections.abc import Sequence
from typing import Any

import attrs
import pytest
import trio

from lsd.conversation import WireRequest
from lsd.network import TransportFailed, _client_dial
from lsd.network.http_client import HttpClient
from tests.unit.network.raw_server import answering, raw_server, whole

SECRET = "sk-do-not-tell"


def post(url: str) -> WireRequest:
    """A request with something that nobody else may see."""
    return WireRequest(method="POST", url=f"{url}?key={SECRET}", headers={}, body=b"{}")


async def failure_of(client: HttpClient, url: str) -> str:
    """Why nothing was sent."""
    with pytest.raises(TransportFailed) as caught:
        await client.send(post(url))
    assert not caught.value.sent
    assert SECRET not in str(caught.value)
    assert client._pool.in_use == 0
    return str(caught.value)


async def closed_port() -> int:
    """A port on which nobody listens."""
    (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
    port: int = listener.socket.getsockname()[1]
    await listener.aclose()
    return port


@attrs.frozen
class Phonebook(trio.abc.HostnameResolver):
    """Looks up every name as these addresses, or fails."""

    found: Sequence[tuple[str, int]] | OSError

    async def getaddrinfo(self, host: Any, port: Any, *_: Any, **__: Any) -> Any:
        if isinstance(self.found, OSError):
            raise self.found
        kinds = {True: socket.AF_INET6, False: socket.AF_INET}
        return [
            (kinds[":" in address[0]], socket.SOCK_STREAM, socket.IPPROTO_TCP, "", address)
            for address in self.found
        ]

    async def getnameinfo(self, sockaddr: Any, flags: Any) -> Any:
        raise NotImplementedError


async def test_a_refused_connection_was_not_sent() -> None:
    """The reason names the server and what the system said."""
    port = await closed_port()

    reason = await failure_of(HttpClient({}), f"http://127.0.0.1:{port}/")

    assert reason == f"cannot connect to 127.0.0.1:{port}: Connection refused"


async def test_a_name_that_nobody_knows_is_told() -> None:
    """The reason names it."""
    unknown = socket.gaierror(socket.EAI_NONAME, "Name or service not known")
    trio.socket.set_custom_hostname_resolver(Phonebook(unknown))

    reason = await failure_of(HttpClient({}), "https://models.example.com/v1")

    assert reason == "cannot look up models.example.com: Name or service not known"


@pytest.mark.parametrize("host", ["a..b", "x" * 64 + ".example"])
async def test_a_name_that_cannot_be_one_is_told(host: str) -> None:
    """What the system refuses to look up fails like any other name."""
    assert (await failure_of(HttpClient({}), f"http://{host}/")).startswith("cannot ")


async def test_the_next_address_is_asked_when_one_fails() -> None:
    """A name may stand for several machines."""
    async with raw_server(answering(whole(b"hi"))) as server:
        addresses = [("127.0.0.1", await closed_port()), ("127.0.0.1", server.port)]
        trio.socket.set_custom_hostname_resolver(Phonebook(addresses))
        client = HttpClient({})

        response = await client.send(post("http://models.example.com/"))

        assert await response.read(2) == b"hi"
        await client.aclose()


async def test_all_addresses_that_failed_are_told() -> None:
    """Each reason once, however many addresses failed by it."""
    ports = [await closed_port(), await closed_port()]
    addresses = [*(("127.0.0.1", port) for port in ports), ("127.0.0.1", 0), ("255.255.255.255", 1)]
    trio.socket.set_custom_hostname_resolver(Phonebook(addresses))

    reason = await failure_of(HttpClient({}), "http://models.example.com:80/")

    start, refused, others = reason.partition("Connection refused")
    assert start == "cannot connect to models.example.com:80: "
    assert refused
    assert others.startswith("; ")
    assert "refused" not in others


async def test_ipv6_is_spoken() -> None:
    """An address in brackets is dialled without them, and shown to the server with them."""
    try:
        (listener,) = await trio.open_tcp_listeners(0, host="::1")
    except OSError:
        pytest.skip("this machine has no IPv6")
    await listener.aclose()

    async with raw_server(answering(whole(b"hi")), host="::1") as server:
        client = HttpClient({})
        response = await client.send(post(server.url()))

        assert await response.read(2) == b"hi"
        assert (await failure_of(client, f"http://[::1]:{await closed_port()}/")).startswith(
            "cannot connect to [::1]:"
        )
        await client.aclose()


async def test_a_machine_without_free_files_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its own limit is no fault of the server."""

    async def open_nothing(*_: Any) -> None:
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr(_client_dial.trio, "open_tcp_stream", open_nothing)

    reason = await failure_of(HttpClient({}), "http://127.0.0.1:1/")

    assert reason == "cannot connect to 127.0.0.1:1: Too many open files"


async def test_a_cancelled_lookup_leaves_nothing() -> None:
    """Whoever waits for a name may give up."""

    class SlowPhonebook(Phonebook):
        async def getaddrinfo(self, *_: Any, **__: Any) -> Any:
            await trio.sleep_forever()

    trio.socket.set_custom_hostname_resolver(SlowPhonebook([]))
    client = HttpClient({})

    with trio.move_on_after(0.01) as scope:
        await client.send(post("http://models.example.com/"))

    assert scope.cancelled_caught
    assert client._pool.in_use == 0


async def test_a_connection_made_while_the_client_was_closed_is_closed() -> None:
    """Nothing outlives the client."""

    class LatePhonebook(Phonebook):
        async def getaddrinfo(self, *_: Any, **__: Any) -> Any:
            await client.aclose()
            return await Phonebook.getaddrinfo(self, *_, **__)

    async with raw_server(answering(whole(b"hi"))) as server:
        trio.socket.set_custom_hostname_resolver(LatePhonebook([("127.0.0.1", server.port)]))
        client = HttpClient({})

        reason = await failure_of(client, "http://models.example.com/")

        await server.wait_all_gone()
    assert reason == "connection closed by LSD"
