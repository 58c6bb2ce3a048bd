"""The server on real sockets: how it begins and ends, and what other clients make of it."""

import errno
import os
import shutil
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import ClassVar

import attrs
import httpx
import orjson
import pytest
import trio
from structlog.testing import capture_logs
from trio.testing import wait_all_tasks_blocked

from lsd.conversation import WireRequest
from lsd.network import HttpClient, SocketPoller, http_server
from lsd.network._server_attendance import Attendance
from lsd.network.http_server import HttpServer, serve_http1
from tests.unit.network.serving import (
    App,
    Message,
    Notes,
    Receive,
    Send,
    StandingClock,
    answer,
    answers,
    read,
)

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


@pytest.fixture(params=[True, False], ids=["epoll", "no epoll"], autouse=True)
def has_epoll(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Linux, and the other systems."""
    monkeypatch.setattr(http_server, "HAS_EPOLL", request.param)
    return bool(request.param)


@attrs.define(eq=False)
class Running:
    """A server that runs."""

    listener: socket.socket
    stop: trio.Event
    has_ended: trio.Event
    scope: trio.CancelScope
    clients: list[trio.SocketStream] = attrs.field(factory=list)
    port: int = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.port = self.listener.getsockname()[1]

    @property
    def url(self) -> str:
        """Where it is asked."""
        return f"http://127.0.0.1:{self.port}"

    async def connect(self) -> trio.SocketStream:
        """A client's end of a new connection."""
        self.clients.append(await trio.open_tcp_stream("127.0.0.1", self.port))
        return self.clients[-1]


def listening(kind: type[socket.socket] = socket.socket) -> socket.socket:
    """A socket that listens."""
    listener = kind(socket.AF_INET, socket.SOCK_STREAM)
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    return listener


@asynccontextmanager
async def running(
    app: App, listener: socket.socket | None = None, poller: SocketPoller | None = None
) -> AsyncIterator[Running]:
    """A server; in the end it is cancelled if it has not ended."""
    with listener or listening() as bound:
        async with trio.open_nursery() as nursery:
            server = Running(bound, trio.Event(), trio.Event(), trio.CancelScope())

            async def serve(*, task_status: trio.TaskStatus[None]) -> None:
                with server.scope:
                    await serve_http1(
                        app,
                        server.listener,
                        server.stop.wait,
                        clock=StandingClock(),
                        poller=poller,
                        task_status=task_status,
                    )
                server.has_ended.set()

            with trio.fail_after(30):
                await nursery.start(serve)
                yield server
                server.scope.cancel()
                await server.has_ended.wait()
            for client in server.clients:
                await client.aclose()


async def rest_of(stream: trio.SocketStream) -> bytes:
    """All that comes until the server closes."""
    return b"".join([piece async for piece in stream])


async def test_a_client_is_served(has_epoll: bool) -> None:
    """The application is told who asks whom."""
    app = Notes()

    async with running(app) as server, await server.connect() as client:
        await client.send_all(GET)
        await client.receive_some()
        peer = client.socket.getsockname()

    (scope,) = app.scopes
    assert scope["client"] == peer
    assert scope["server"] == ("127.0.0.1", server.port)


async def test_many_clients_are_served_at_once(has_epoll: bool) -> None:
    """None of them waits for another one."""
    waiting = 0
    all_wait = trio.Event()
    count = 100

    async def app(scope: Message, receive: Receive, send: Send) -> None:
        nonlocal waiting
        waiting += 1
        if waiting == count:
            all_wait.set()
        await all_wait.wait()
        await answer(send, scope["path"].encode())

    found = set()

    async def ask(path: str) -> None:
        async with await server.connect() as client:
            await client.send_all(f"GET {path} HTTP/1.0\r\n\r\n".encode())
            found.add((path, answers(await rest_of(client), "GET")[0].body.decode()))

    async with running(app) as server, trio.open_nursery() as nursery:
        for place in range(count):
            nursery.start_soon(ask, f"/{place}")

    assert found == {(f"/{place}", f"/{place}") for place in range(count)}


async def test_one_poller_watches_clients_and_providers() -> None:
    """That of our client may be used by a server, too, and goes on when the server has ended."""
    asking = HttpClient({})

    async def ask(path: str, port: int) -> bytes:
        url = f"http://127.0.0.1:{port}{path}"
        response = await asking.send(WireRequest(method="GET", url=url, headers={}))
        return await response.read(100)

    async def provider(scope: Message, _receive: Receive, send: Send) -> None:
        await answer(send, scope["path"].encode())

    async with running(provider) as behind:

        async def gateway(scope: Message, _receive: Receive, send: Send) -> None:
            await answer(send, b"answer to " + await ask(scope["path"], behind.port))

        async with trio.open_nursery() as nursery:
            await nursery.start(asking.run)
            async with running(gateway, poller=asking.poller) as front:
                told: list[bytes] = []

                async def note(path: str) -> None:
                    told.append(await ask(path, front.port))

                async with trio.open_nursery() as clients:
                    for number in range(20):
                        clients.start_soon(note, f"/{number}")
                assert sorted(told) == sorted(b"answer to /%d" % number for number in range(20))
            assert await ask("/still", behind.port) == b"/still"
            nursery.cancel_scope.cancel()


@pytest.mark.parametrize("shares", [True, False])
async def test_a_burst_of_clients_is_shared(has_epoll: bool, shares: bool) -> None:
    """Each of the processes on one listener takes one client at a time, and leaves the others."""
    served = [0, 0]
    first = listening()
    listeners = (first, first.dup())
    stop = trio.Event()
    clients = [socket.create_connection(first.getsockname()) for _ in range(20)]

    async def serve(place: int) -> None:
        async def app(_scope: Message, _receive: Receive, send: Send) -> None:
            served[place] += 1
            await answer(send, b"hi")

        clock = StandingClock()
        await serve_http1(app, listeners[place], stop.wait, clock=clock, shares_listener=shares)

    async def ask(client: socket.socket) -> None:
        stream = trio.SocketStream(trio.socket.from_stdlib_socket(client))
        async with stream:
            await stream.send_all(GET)
            await stream.receive_some()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(serve, 0)
        nursery.start_soon(serve, 1)
        async with trio.open_nursery() as asking:
            for client in clients:
                asking.start_soon(ask, client)
        stop.set()

    assert sum(served) == 20
    assert min(served) >= 5 if shares else min(served) == 0


async def test_a_stop_ends_what_is_idle_and_lets_the_rest_finish(has_epoll: bool) -> None:
    """New clients are refused, idle ones sent away; running answers end, and say so if they can."""
    goes_on = trio.Event()

    async def app(scope: Message, receive: Receive, send: Send) -> None:
        if scope["path"] == "/stream":
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"begun", "more_body": True})
            await goes_on.wait()
            await send({"type": "http.response.body", "body": b"done"})
        else:
            if scope["path"] == "/slow":
                await goes_on.wait()
            await answer(send, b"ok", headers=[(b"content-length", b"2")])

    async with running(app) as server:
        new, idle, slow, stream = [await server.connect() for _ in range(4)]
        await idle.send_all(GET)
        await idle.receive_some()
        await slow.send_all(GET.replace(b"/ ", b"/slow "))
        await stream.send_all(GET.replace(b"/ ", b"/stream "))
        begun = await stream.receive_some()
        server.stop.set()

        assert await rest_of(idle) == await rest_of(new) == b""
        with pytest.raises(OSError, match="all attempts to connect"):
            await server.connect()
        assert not server.has_ended.is_set()
        goes_on.set()
        (slow_answer,) = answers(await rest_of(slow), "GET")
        (stream_answer,) = answers(begun + await rest_of(stream), "GET")
        await server.has_ended.wait()

    assert not server.scope.cancelled_caught
    assert slow_answer.headers["connection"] == "close"
    assert stream_answer.body == b"begundone"


@pytest.mark.parametrize("has_epoll", [True], ids=["epoll"], indirect=True)
async def test_who_has_asked_before_the_stop_is_answered(has_epoll: bool) -> None:
    """On Linux, requests that have arrived are served, even if nobody has looked at them yet."""
    early, late = socket.socket(), socket.socket()
    with early, late:
        async with running(Notes()) as server:
            early.connect(("127.0.0.1", server.port))
            await wait_all_tasks_blocked()
            # The event loop does not get its turn between these.
            late.connect(("127.0.0.1", server.port))
            early.send(GET)
            late.send(GET)
            server.stop.set()
            await server.has_ended.wait()
            received = [early.recv(1000), late.recv(1000)]

    assert not server.scope.cancelled_caught
    assert [answers(data, "GET")[0].status for data in received] == [200, 200]


async def test_a_stop_waits_for_a_request_that_is_coming(has_epoll: bool) -> None:
    """A head or body of which a part has come is not idle."""
    async with running(Notes()) as server:
        head, body = [await server.connect() for _ in range(2)]
        await head.send_all(GET[:10])
        await body.send_all(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nh")
        await wait_all_tasks_blocked()
        server.stop.set()
        await wait_all_tasks_blocked()
        await head.send_all(GET[10:])
        await body.send_all(b"i")
        found = [answers(await rest_of(each), "GET")[0] for each in (head, body)]
        await server.has_ended.wait()

    assert [(each.status, each.headers["connection"]) for each in found] == [(200, "close")] * 2


async def test_cancelling_ends_everything_at_once(has_epoll: bool) -> None:
    """Handlers are cancelled, connections closed; the listener stays the caller's."""
    ended = []

    async def app(scope: Message, receive: Receive, send: Send) -> None:
        try:
            await trio.sleep_forever()
        finally:
            ended.append(scope["path"])

    async with running(app) as server:
        idle, busy = [await server.connect() for _ in range(2)]
        await busy.send_all(GET)
        await wait_all_tasks_blocked()
        server.scope.cancel()
        assert await rest_of(idle) == await rest_of(busy) == b""

    assert ended == ["/"]


class FullListener(socket.socket):
    """A socket that listens in a process that has no room for a while."""

    failures: ClassVar[list[int]] = []

    def accept(self) -> tuple[socket.socket, object]:
        """Fails as often as it should, and then accepts."""
        if self.failures:
            number = self.failures.pop(0)
            raise OSError(number, os.strerror(number))
        return super().accept()


async def test_the_server_survives_having_no_room(
    has_epoll: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Clients wait until there is room; the log tells once."""
    failures = [errno.ECONNABORTED, errno.EMFILE, errno.ENFILE]
    monkeypatch.setattr(FullListener, "failures", failures)

    with capture_logs() as logged:
        async with (
            running(Notes(), listening(FullListener)) as server,
            await server.connect() as client,
        ):
            await client.send_all(GET)
            data = await client.receive_some()

    assert answers(data, "GET")[0].status == 200
    assert failures == []
    assert [entry["reason"] for entry in logged] == [os.strerror(errno.EMFILE)]


def reset(stream: trio.SocketStream) -> None:
    """Makes closing this stream a reset."""
    stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


async def test_a_client_that_breaks_off_is_noticed(has_epoll: bool) -> None:
    """A reset is seen while the handler works, before and within its answer."""
    left = []

    async def app(scope: Message, receive: Receive, send: Send) -> None:
        if scope["path"] == "/stream":
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"a", "more_body": True})
        with trio.CancelScope() as work:
            scope["extensions"]["lsd.exchange"].when_gone(work.cancel)
            await trio.sleep_forever()
        if scope["path"] == "/stream":
            await send({"type": "http.response.body", "body": b"a", "more_body": True})
        left.append(scope["path"])

    async with running(app) as server:
        for path in (b"/", b"/stream"):
            client = await server.connect()
            await client.send_all(b"GET " + path + b" HTTP/1.1\r\nHost: a\r\n\r\n")
            await wait_all_tasks_blocked()
            reset(client)
            await client.aclose()
        server.stop.set()
        await server.has_ended.wait()

    assert sorted(left) == ["/", "/stream"]


@pytest.mark.parametrize("ending", ["it fails", "it is ended"])
async def test_an_answer_without_a_frame_that_breaks_off_is_a_reset(
    has_epoll: bool, ending: str
) -> None:
    """A client of HTTP/1.0 knows the end by the connection's end, so this must look otherwise."""

    async def app(scope: Message, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"half", "more_body": True})
        if ending == "it fails":
            raise RuntimeError
        scope["extensions"]["lsd.exchange"].cancel_scope.cancel()
        await trio.sleep_forever()

    with capture_logs():
        async with running(app) as server, await server.connect() as client:
            await client.send_all(b"GET / HTTP/1.0\r\n\r\n")
            with pytest.raises(trio.BrokenResourceError):
                await rest_of(client)


async def test_a_refusal_reaches_a_client_that_is_still_sending(has_epoll: bool) -> None:
    """The connection is not reset under an answer; what comes is read for a while, and dropped."""
    app = Notes(reads=False, status=413, headers=[(b"content-length", b"2")])

    async with running(app) as server, await server.connect() as client:
        size = 8 << 20
        await client.send_all(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % size)
        await client.send_all(bytes(size))
        (only,) = answers(await rest_of(client), "POST")

    assert (only.status, only.headers["connection"]) == (413, "close")


async def test_an_answer_is_not_lost_to_what_comes_after_its_request(has_epoll: bool) -> None:
    """Whoever sends on after a request that closes the connection still gets its answer."""
    app = Notes()

    async with running(app) as server, await server.connect() as client:
        closing = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
        await client.send_all(closing + GET * 100_000)
        (only,) = answers(await rest_of(client), "GET")

    assert only.status == 200
    assert len(app.scopes) == 1


@pytest.mark.parametrize("ending", ["it says so", "it is ended"])
async def test_an_answer_is_not_lost_to_what_comes_while_it_is_made(
    has_epoll: bool, ending: str
) -> None:
    """Bytes that nobody has read when a connection closes would reset it, with what is unsent."""
    is_asked, may_answer = trio.Event(), trio.Event()

    async def app(scope: Message, receive: Receive, send: Send) -> None:
        is_asked.set()
        await may_answer.wait()
        await answer(send, b"ok", headers=[(b"content-length", b"2"), (b"connection", b"close")])
        if ending == "it is ended":
            scope["extensions"]["lsd.exchange"].cancel_scope.cancel()
            await trio.sleep_forever()

    async with running(app) as server, await server.connect() as client:
        await client.send_all(GET)
        await is_asked.wait()
        await client.send_all(GET)
        if not has_epoll:
            await wait_all_tasks_blocked()  # as another task has to read it
        may_answer.set()
        (only,) = answers(await rest_of(client), "GET")

    assert only.status == 200


async def test_small_packets_are_not_held_back(has_epoll: bool) -> None:
    """Each piece of a stream leaves at once; a client that dies without a word is found out."""
    with listening() as listener:
        async with await trio.open_tcp_stream(*listener.getsockname()) as client:
            accepted, _ = listener.accept()
            server = HttpServer(Notes(), Attendance(StandingClock()))
            options: list[int] = []

            async def look(scope: Message, receive: Receive, send: Send) -> None:
                with socket.socket(fileno=os.dup(accepted_number)) as same:
                    options.append(same.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
                    options.append(same.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE))
                await answer(send, b"ok")

            server.app = look
            accepted_number = accepted.fileno()
            async with trio.open_nursery() as nursery:
                nursery.start_soon(server.serve_socket, accepted)
                await client.send_all(GET)
                await client.receive_some()
                await client.aclose()

    assert options == [1, 1]


async def test_a_client_that_has_gone_before_it_was_served_is_forgotten(has_epoll: bool) -> None:
    """Nothing is wrong with that."""
    sock = socket.socket()  # never connected, as it looks after a reset

    await HttpServer(Notes(), Attendance(StandingClock())).serve_socket(sock)

    assert sock.fileno() == -1


async def echo(scope: Message, receive: Receive, send: Send) -> None:
    """Answers with what it was asked."""
    body = await read(receive) or b""
    said = {
        "method": scope["method"],
        "path": scope["path"],
        "query": scope["query_string"].decode(),
        "version": scope["http_version"],
        "length": len(body),
        "sum": sum(body) % 1000,
    }
    data = orjson.dumps(said)
    if scope["path"] == "/stream":
        await answer(send, *[data[place : place + 7] for place in range(0, len(data), 7)])
    else:
        await answer(send, data, headers=[(b"content-length", str(len(data)).encode())])


async def pieces() -> AsyncIterator[bytes]:
    """A body of no known length."""
    for _ in range(100):
        yield b"x" * 10_000


async def test_httpx_understands_the_server(has_epoll: bool) -> None:
    """Bodies by length and in chunks, both ways, on one connection."""
    async with running(echo) as server, httpx.AsyncClient(base_url=server.url) as client:
        plain = await client.get("/a b?q=1")
        posted = await client.post("/stream", content=b"y" * 3_000_000)
        chunked = await client.put("/", content=pieces())
        head = await client.head("/stream")
        again = await client.get("/stream")
        connections = len(client._transport._pool.connections)  # type: ignore[attr-defined]

    assert (plain.json()["path"], plain.json()["query"]) == ("/a b", "q=1")
    assert (posted.json()["length"], chunked.json()["length"]) == (3_000_000, 1_000_000)
    assert (head.status_code, head.content) == (200, b"")
    assert again.json()["path"] == "/stream"
    assert connections == 1


CURLS = {
    "get": (["{url}/a?b"], {"method": "GET", "path": "/a", "query": "b"}),
    "stream": (["{url}/stream"], {"path": "/stream"}),
    "HTTP/1.0": (["-0", "{url}/stream"], {"version": "1.0"}),
    "h2c": (["--http2", "{url}/"], {"version": "1.1"}),
    "post": (["-d", "@{file}", "{url}/"], {"length": 2_000_000}),
    "expect": (["-H", "Expect: 100-continue", "-d", "@{file}", "{url}/"], {"length": 2_000_000}),
    "chunked": (["-H", "Transfer-Encoding: chunked", "-T", "{file}", "{url}/"], {"method": "PUT"}),
    "options": (["-X", "OPTIONS", "--request-target", "*", "{url}"], {"path": "*"}),
    "proxy": (["-x", "{url}", "http://elsewhere/p"], {"path": "/p"}),
}


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
@pytest.mark.parametrize(("options", "expected"), CURLS.values(), ids=CURLS)
async def test_curl_understands_the_server(
    options: list[str], expected: dict[str, object], has_epoll: bool, tmp_path: Path
) -> None:
    """Whatever curl does, twice on one connection."""
    file = tmp_path / "body"
    file.write_bytes(b"x" * 2_000_000)

    async with running(echo) as server:
        words = [word.format(url=server.url, file=file) for word in options]
        command = ["curl", "-sS", "--noproxy", "", *words, "--next", "-sS", *words]
        done = await trio.run_process(command, capture_stdout=True)

    found = [orjson.loads(each + b"}") for each in done.stdout.split(b"}")[:-1]]
    assert len(found) == 2
    for each in found:
        assert {name: each[name] for name in expected} == expected
