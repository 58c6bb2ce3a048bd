"""What a strict reader of HTTP/1.1 makes of the server: every byte of its answers is looked at."""

import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

import h11
import orjson
import pytest

from tests.api.conftest import StartGateway
from tests.api.gateway import Gateway

CONFIG = """
[models.parrot]
routing = ["echo"]
[models.parrot.providers.echo]
type = "echo"
model_name = "parrot"
"""


def asked(text: str, *, stream: bool = False) -> bytes:
    """The body of a request."""
    messages = [{"role": "user", "content": text}]
    return orjson.dumps({"model_name": "parrot", "input": {"messages": messages}, "stream": stream})


@pytest.fixture(scope="module")
def gateway(start_shared: StartGateway) -> Gateway:
    """One gateway for all tests."""
    return start_shared(CONFIG)


class Client:
    """A connection on which h11 keeps the rules."""

    def __init__(self, gateway: Gateway) -> None:
        where = urlsplit(gateway.url)
        assert where.hostname is not None
        assert where.port is not None
        self._socket = socket.create_connection((where.hostname, where.port), timeout=20)
        self._h11 = h11.Connection(h11.CLIENT)

    def send(self, *events: h11.Event) -> None:
        """Sends these, as one piece."""
        self._socket.sendall(b"".join(self._h11.send(event) or b"" for event in events))

    def ask(self, method: str, target: str, body: bytes = b"", **headers: str) -> None:
        """Sends a whole request."""
        lines = {"host": "localhost", "content-length": str(len(body)), **headers}
        head = h11.Request(method=method, target=target, headers=list(lines.items()))
        self.send(head, *([h11.Data(data=body)] if body else []), h11.EndOfMessage())

    def answer(self) -> tuple[h11.Response, bytes]:
        """The next answer, whole."""
        response, body = None, b""
        while not isinstance(event := self.next(), h11.EndOfMessage):
            if isinstance(event, h11.Response):
                response = event
            elif isinstance(event, h11.Data):
                body += bytes(event.data)
        assert response is not None
        return response, body

    def next(self) -> object:
        """The next event."""
        while (event := self._h11.next_event()) is h11.NEED_DATA:
            self._h11.receive_data(self._socket.recv(65536))
        return event

    def go_on(self) -> None:
        """Ready for another request; fails if either side wants to part."""
        self._h11.start_next_cycle()

    def close(self) -> None:
        """Parts."""
        self._socket.close()


@pytest.fixture
def client(gateway: Gateway) -> Iterator[Client]:
    """A connection to the gateway."""
    made = Client(gateway)
    yield made
    made.close()


def test_one_connection_carries_all_kinds_of_answers(client: Client) -> None:
    """Plain ones, streams, errors and empty ones, in any order."""
    kinds = [
        ("POST", "/inference", asked("first"), 200),
        ("POST", "/inference", asked("second", stream=True), 200),
        ("POST", "/inference", b"{", 400),
        ("GET", "/nothing", b"", 404),
        ("GET", "/inference", b"", 405),
        ("OPTIONS", "/inference", b"", 204),
        ("GET", "/health", b"", 200),
        ("POST", "/inference", asked("last"), 200),
    ]
    for method, target, body, status in kinds:
        client.ask(method, target, body)
        response, said = client.answer()

        assert response.status_code == status, (method, target, said)
        assert (said == b"") == (status == 204)
        client.go_on()


def test_a_stream_is_in_chunks_and_whole(client: Client) -> None:
    """The framing is the protocol's own, so that a cut shows."""
    client.ask("POST", "/inference", asked("Is anybody there?", stream=True))

    response, said = client.answer()

    assert (b"transfer-encoding", b"chunked") in list(response.headers)
    assert said.endswith(b"data: [DONE]\n\n")


def test_a_client_that_asks_for_leave_gets_it_before_its_body(client: Client) -> None:
    """An interim answer, then the answer."""
    body = asked("May I?")
    headers = [
        ("host", "localhost"),
        ("content-length", str(len(body))),
        ("expect", "100-continue"),
    ]
    client.send(h11.Request(method="POST", target="/inference", headers=headers))

    leave = client.next()
    client.send(h11.Data(data=body), h11.EndOfMessage())
    response, said = client.answer()

    assert isinstance(leave, h11.InformationalResponse)
    assert leave.status_code == 100
    assert (response.status_code, b"May I?" in said) == (200, True)


def test_a_client_that_says_close_is_let_go(client: Client) -> None:
    """The answer says so, too."""
    client.ask("GET", "/health", connection="close")

    response, _ = client.answer()

    assert (b"connection", b"close") in list(response.headers)
    assert isinstance(client.next(), h11.ConnectionClosed)


def test_chunks_of_a_request_may_be_of_any_size(client: Client) -> None:
    """One byte each, here."""
    body = asked("in pieces")
    headers = [("host", "localhost"), ("transfer-encoding", "chunked")]
    client.send(h11.Request(method="POST", target="/inference", headers=headers))
    for place in range(len(body)):
        client.send(h11.Data(data=body[place : place + 1]))
    client.send(h11.EndOfMessage(headers=[("x-trailer", "is nothing to us")]))

    response, said = client.answer()

    assert (response.status_code, b"in pieces" in said) == (200, True)
