"""A client's stream under Hypercorn, with the limits and the strictness of LSD's own server."""

import math
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import attrs
import trio

from lsd.network import HEAD_S_MAX, IDLE_S_MAX, RequestFilter, RequestRefused, refusal_answer
from lsd.telemetry import Clock, logger

log = logger(__name__)

LINGER_S_MAX = 3.0
"""After a refusal: closing at once would reset the connection, and that can take it away."""

_BROKEN = (trio.BrokenResourceError, trio.ClosedResourceError)


@attrs.define(eq=False, kw_only=True)
class GuardedStream:
    """What Hypercorn reads from and writes to.

    Requests that LSD's own server would refuse are refused in its words; Hypercorn sees such a
    client leave. `filter` is None for what is not HTTP/1.1.
    """

    stream: Any
    filter: RequestFilter | None
    clock: Clock
    _head_ends_at: float = attrs.field(default=math.inf, init=False)
    _refused: RequestRefused | None = attrs.field(default=None, init=False)
    _answering: int = attrs.field(default=0, init=False)
    _begun: int = attrs.field(default=0, init=False)
    _has_begun_one: trio.Event = attrs.field(factory=trio.Event, init=False)
    _has_begun: bool = attrs.field(default=False, init=False)
    _answered: trio.Event = attrs.field(factory=trio.Event, init=False)

    @property
    def socket(self) -> Any:
        """The socket below."""
        return self.stream.socket

    @contextmanager
    def one_request(self) -> Iterator[None]:
        """The application serves a request inside of this."""
        self._answering += 1
        self._begun += 1
        self._has_begun_one.set()
        self._has_begun = False
        self._answered = trio.Event()
        try:
            yield
        finally:
            self._answering -= 1
            if not self._answering:
                self._answered.set()

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        """What was understood of the client's next bytes; none when it has left or is refused."""
        if self.filter is None:
            data: bytes = await self.stream.receive_some(max_bytes)
            return data
        while self._refused is None:
            try:
                self.filter.feed(b"")  # what is refused already need not be waited for
                received = await self._receive_in_time(self.filter, max_bytes)
                passed = self.filter.feed(received)
            except RequestRefused as refused:
                await self._refuse(refused, self.filter)
                break
            self._note_progress(self.filter, has_passed=bool(passed))
            if passed or not received:
                return passed
        return b""

    async def send_all(self, data: bytes) -> None:
        """Sends an answer's bytes; once the client is refused, nothing more."""
        if self._refused is None:
            self._has_begun = True
            await self.stream.send_all(data)

    async def send_eof(self) -> None:
        """Tells the client that nothing follows."""
        await self.stream.send_eof()

    async def aclose(self) -> None:
        """Closes the connection."""
        await self.stream.aclose()

    async def _receive_in_time(self, requests: RequestFilter, max_bytes: int | None) -> bytes:
        ends_at = self._head_ends_at
        if requests.is_in_body:
            ends_at = trio.current_time() + IDLE_S_MAX
        with trio.move_on_at(ends_at):
            data: bytes = await self.stream.receive_some(max_bytes)
            return data
        raise requests.too_late()

    def _note_progress(self, requests: RequestFilter, *, has_passed: bool) -> None:
        if has_passed or not requests.is_in_head:
            self._head_ends_at = math.inf  # a head that is in progress now has just begun
        if requests.is_in_head and self._head_ends_at == math.inf:
            self._head_ends_at = trio.current_time() + HEAD_S_MAX

    async def _refuse(self, refused: RequestRefused, requests: RequestFilter) -> None:
        """Answers in place of the application, after whatever it is answering still."""
        if not requests.is_in_body:
            await self._wait_answered(requests)
        self._refused = refused
        log.warning("request refused", status=refused.status, reason=str(refused))
        if requests.is_in_body and self._has_begun:
            return
        with suppress(*_BROKEN):
            await self.stream.send_all(refusal_answer(refused, self.clock.now_ms()))
            with trio.move_on_after(LINGER_S_MAX):
                await self._linger()

    async def _wait_answered(self, requests: RequestFilter) -> None:
        """Returns when the requests that have passed are answered."""
        # Between passing and the application's beginning there are some turns of the loop; what
        # Hypercorn answers by itself never begins.
        with trio.move_on_after(LINGER_S_MAX):
            while self._begun < requests.requests_passed:
                self._has_begun_one = trio.Event()
                await self._has_begun_one.wait()
        if self._answering:
            await self._answered.wait()

    async def _linger(self) -> None:
        """Lets the client read its answer before the connection breaks."""
        with suppress(AttributeError):  # TLS cannot end one direction alone
            await self.stream.send_eof()
        while await self.stream.receive_some():
            pass


@attrs.define(eq=False, kw_only=True)
class GuardedTlsStream(GuardedStream):
    """The same over TLS: what is spoken shows after the handshake."""

    async def do_handshake(self) -> None:
        """Agrees on keys and protocol."""
        await self.stream.do_handshake()
        if self.stream.selected_alpn_protocol() == "h2":
            self.filter = None

    def selected_alpn_protocol(self) -> str | None:
        """The protocol that was agreed on."""
        protocol: str | None = self.stream.selected_alpn_protocol()
        return protocol

    @property
    def transport_stream(self) -> Any:
        """The stream below TLS."""
        return self.stream.transport_stream
