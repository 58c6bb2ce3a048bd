"""One raw TCP connection of the fake provider, in control of each byte and pause."""

import struct
from collections.abc import Iterator
from contextlib import suppress
from socket import SO_LINGER, SOL_SOCKET
from typing import assert_never
from urllib.parse import unquote

import attrs
import trio

from tests.fakes.recorded import RecordedRequest
from tests.fakes.script import (
    Body,
    Chunked,
    Delay,
    ExpectClose,
    Fin,
    Hang,
    Head,
    Header,
    Raw,
    Rst,
    Script,
    Split,
    SplitAt,
    Status,
    Until,
)

_READ_SIZE = 65_536


class Connection:
    """One connection, with what was read ahead of it."""

    def __init__(self, stream: trio.SocketStream, number: int) -> None:
        self._stream = stream
        self._number = number
        self._received = b""

    async def receive_request(self) -> RecordedRequest | None:
        """The next request; None when the peer has closed."""
        while b"\r\n\r\n" not in self._received:
            if not await self._receive_more():
                return None
        head, _, self._received = self._received.partition(b"\r\n\r\n")
        request_line, *lines = head.decode().split("\r\n")
        method, target, _ = request_line.split(" ")
        headers = {
            name.strip().lower(): value.strip()
            for name, _, value in (line.partition(":") for line in lines)
        }
        length = int(headers.get("content-length", "0"))
        while len(self._received) < length:
            if not await self._receive_more():
                return None
        body, self._received = self._received[:length], self._received[length:]
        path, _, query = target.partition("?")
        return RecordedRequest(
            method=method,
            target=target,
            path=unquote(path),
            query=query,
            headers=headers,
            body=body,
            scenario=[*unquote(path).split("/"), "", ""][2],
            connection=self._number,
            arrived_at=trio.current_time(),
        )

    async def play(self, script: Script, request: RecordedRequest) -> bool:
        """Plays the script; whether the connection can carry one more request."""
        may_go_on = None  # until the script is over

        async def watch_peer() -> None:
            while await self._receive_more():
                pass
            nursery.cancel_scope.cancel()

        async with trio.open_nursery() as nursery:
            nursery.start_soon(watch_peer)
            with suppress(trio.BrokenResourceError):
                may_go_on = await self._perform(script, request)
            nursery.cancel_scope.cancel()
        request.note_end(closed_early=may_go_on is None)
        return may_go_on is True

    async def _receive_more(self) -> bool:
        try:
            data = await self._stream.receive_some(_READ_SIZE)
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            return False
        self._received += data
        return bool(data)

    async def _perform(self, script: Script, request: RecordedRequest) -> bool:
        playback = Playback()
        for place, step in enumerate(script.steps, 1):
            request.has_last_word = place == len(script.steps)
            match step:
                case Status():
                    playback.status = step
                case Header():
                    playback.headers.append(step)
                case Split():
                    playback.split = step
                case SplitAt():
                    playback.split_at = step
                case Delay() | ExpectClose() | Until() | Hang():
                    await _silence(step)
                case Fin():
                    return False
                case Rst():
                    self._stream.setsockopt(SOL_SOCKET, SO_LINGER, struct.pack("ii", 1, 0))
                    return False
                case Head() | Body() | Chunked() | Raw():
                    await self._write(playback, step)
                case never:
                    assert_never(never)
        if playback.is_chunked:
            await self._stream.send_all(b"0\r\n\r\n")
        return True

    async def _write(self, playback: "Playback", step: Head | Body | Chunked | Raw) -> None:
        match step:
            case Head():
                data = playback.head(None)
            case Body():
                data = playback.head(len(step.data)) + step.data
            case Chunked():
                data = playback.head(None) + b"%x\r\n%s\r\n" % (len(step.data), step.data)
            case Raw():
                data = step.data
        for pause_ms, piece in playback.pieces(data):
            await trio.sleep(pause_ms / 1000)
            await self._stream.send_all(piece)


async def _silence(step: Delay | ExpectClose | Until | Hang) -> None:
    match step:
        case Delay() | ExpectClose():
            await trio.sleep(step.ms / 1000)
        case Until():
            await step.event.wait()
        case Hang():
            await trio.sleep_forever()
        case never:
            assert_never(never)


@attrs.define(eq=False)
class Playback:
    """How far the answer to one request has come."""

    status: Status = attrs.field(default=Status(200))
    headers: list[Header] = attrs.field(factory=list)
    is_head_sent: bool = False
    is_chunked: bool = False
    split: Split | None = None
    split_at: SplitAt | None = None

    def head(self, body_length: int | None) -> bytes:
        """The head for a body of this length; None: a chunked one. Once sent, nothing."""
        if self.is_head_sent:
            return b""
        self.is_head_sent = True
        given = {header.name.lower() for header in self.headers}
        headers = list(self.headers)
        if body_length is None:
            self.is_chunked = True
            headers.append(Header("Transfer-Encoding", "chunked"))
        elif "content-length" not in given:
            headers.append(Header("Content-Length", str(body_length)))
        lines = [f"HTTP/1.1 {self.status.code} {self.status.reason or 'Scripted'}"]
        lines += [f"{header.name}: {header.value}" for header in headers]
        return "\r\n".join([*lines, "", ""]).encode()

    def pieces(self, data: bytes) -> Iterator[tuple[float, bytes]]:
        """`data` as it is to be written: each piece after a pause in ms."""
        pause_ms: float = 0
        if self.split_at is not None:
            cut, self.split_at = self.split_at, None
            yield 0, data[: cut.offset]
            data, pause_ms = data[cut.offset :], cut.gap_ms
        size, gap_ms = (self.split.size, self.split.gap_ms) if self.split else (len(data) or 1, 0)
        for start in range(0, len(data), size):
            yield pause_ms, data[start : start + size]
            pause_ms = gap_ms
