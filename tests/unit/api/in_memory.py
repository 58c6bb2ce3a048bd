"""A client of an ASGI application without a socket.

It says what a server would pass on to the application, hears what the application sends, and notes
what no server would accept.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any
from urllib.parse import quote, unquote

import attrs
import orjson
import trio

Message = dict[str, Any]
AsgiApp = Callable[..., Awaitable[None]]


@attrs.define(eq=False)
class Exchange:
    """One request, and what comes back.

    The application hears `http.disconnect` when the client has left, and also when the answer is
    complete, as real servers do it. A server that `calls` offers the application what LSD's own
    does beside messages, and is sent whole answers by a call. `cut_short` clients leave before
    their body is whole; those that are not `reading` let the application wait with its answer.
    """

    app: AsgiApp = attrs.field(repr=False)
    scope: Message
    pieces: list[bytes]
    cut_short: bool = False
    reading: bool = True
    calls: bool = False
    messages: list[Message] = attrs.field(factory=list, init=False)
    faults: list[str] = attrs.field(factory=list, init=False)
    received: int = attrs.field(default=0, init=False)
    cancel_scope: trio.CancelScope = attrs.field(factory=trio.CancelScope, init=False)
    has_ended: trio.Event = attrs.field(factory=trio.Event, init=False)
    _is_left: bool = attrs.field(default=False, init=False)
    _callbacks: list[Callable[[], None]] = attrs.field(factory=list, init=False)
    _over: trio.Event = attrs.field(factory=trio.Event, init=False)
    _changed: trio.Event = attrs.field(factory=trio.Event, init=False)

    async def run(self) -> None:
        """Lets the application serve the request; returns when it has done so."""
        with trio.CancelScope() as connection:
            if self.calls:
                self.cancel_scope = connection
                self.scope["extensions"] = {"lsd.exchange": self}
            await self.app(self.scope, self._receive, self._send)
        self.has_ended.set()

    def leave(self) -> None:
        """The client closes its connection."""
        self._is_left = True
        self._over.set()
        for callback in self._callbacks:
            callback()

    @property
    def request_headers(self) -> dict[str, str] | None:
        """By name, if no two have the same."""
        pairs = self.scope["headers"]
        named = {name.decode("latin-1"): value.decode("latin-1") for name, value in pairs}
        return named if len(named) == len(pairs) else None

    @property
    def whole_body(self) -> bytes | None:
        """The body, if the server has all of it at once."""
        return self.pieces[0] if len(self.pieces) == 1 and not self.cut_short else None

    def when_gone(self, callback: Callable[[], None]) -> None:
        """Calls it when the client leaves."""
        self._callbacks.append(callback)

    async def answer(
        self, status: int, headers: Sequence[tuple[bytes, bytes]], body: bytes
    ) -> None:
        """Takes a whole answer, as the messages that it stands for."""
        length = (b"content-length", b"%d" % len(body))
        head = {"type": "http.response.start", "status": status, "headers": [*headers, length]}
        shown = b"" if self.scope["method"] == "HEAD" else body
        await self._send(head)
        await self._send({"type": "http.response.body", "body": shown})

    async def wait_for(self, text: bytes) -> None:
        """Returns when the answer so far contains `text`."""
        while text not in self.body:
            await self._changed.wait()

    @property
    def status(self) -> int:
        """The status of the answer."""
        status: int = self._start["status"]
        return status

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers of the answer; several of one name are joined by `, `."""
        headers: dict[str, str] = {}
        for name, value in self._start["headers"]:
            key = name.decode()
            headers[key] = f"{headers[key]}, {value.decode()}" if key in headers else value.decode()
        return headers

    @property
    def body(self) -> bytes:
        """The body so far."""
        return b"".join(each.get("body", b"") for each in self.messages)

    @property
    def is_answered(self) -> bool:
        """Whether anything was sent."""
        return bool(self.messages)

    @property
    def is_complete(self) -> bool:
        """Whether the answer is whole."""
        *_, last = self.messages or [{}]
        return last.get("type") == "http.response.body" and not last.get("more_body", False)

    def json(self) -> Any:
        """The body as JSON; the answer must be whole, and say that it is JSON."""
        assert self.is_complete
        assert self.headers["content-type"] == "application/json"
        return orjson.loads(self.body)

    def error(self) -> str:
        """What the answer says is wrong."""
        error: str = self.json()["error"]
        return error

    @property
    def _start(self) -> Message:
        assert self.messages, "nothing was answered"
        return self.messages[0]

    async def _receive(self) -> Message:
        await trio.lowlevel.checkpoint()
        if self.pieces:
            self.received += 1
            piece = self.pieces.pop(0)
            more = bool(self.pieces) or self.cut_short
            return {"type": "http.request", "body": piece, "more_body": more}
        if not self.cut_short:
            await self._over.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Message) -> None:
        await trio.lowlevel.checkpoint()
        if not self.reading:
            await trio.sleep_forever()
        self._examine(message)
        self.messages.append(message)
        self._changed.set()
        self._changed = trio.Event()
        if self.is_complete:
            self._over.set()

    def _examine(self, message: Message) -> None:
        """Notes what breaks the rules of ASGI."""
        begins = message["type"] == "http.response.start"
        if self._is_left:
            self.faults.append(f"{message['type']} after the client has left")
        if begins == bool(self.messages):
            self.faults.append(f"{message['type']} after {len(self.messages)} messages")
        if self.is_complete:
            self.faults.append(f"{message['type']} after the end")
        if not begins and not isinstance(message.get("body", b""), bytes):
            self.faults.append("a body that is not bytes")


def exchange(
    app: AsgiApp,
    method: str,
    target: str,
    body: bytes | Sequence[bytes] = b"",
    *,
    headers: Mapping[str, str] | None = None,
    scheme: str = "http",
    **options: Any,
) -> Exchange:
    """A request that is not yet on its way; `target` is path and query."""
    path, _, query = target.partition("?")
    given = {"host": "127.0.0.1:3000", **(headers or {})}
    scope: Message = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": scheme,
        "path": unquote(path),
        "raw_path": quote(path, safe="/%").encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [(name.encode(), value.encode("latin-1")) for name, value in given.items()],
        "client": ("127.0.0.1", 50_000),
        "server": ("127.0.0.1", 3000),
    }
    pieces = [body] if isinstance(body, bytes) else list(body)
    return Exchange(app, scope, pieces, **options)


async def ask(app: AsgiApp, method: str, target: str, *args: Any, **options: Any) -> Exchange:
    """A request that has been served, and nothing about it was wrong."""
    asked = exchange(app, method, target, *args, **options)
    await asked.run()
    assert asked.faults == []
    return asked
