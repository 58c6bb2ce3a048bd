"""Providers that do what a test tells them, in place of the network."""

from collections.abc import Mapping, Sequence
from math import inf
from random import Random
from typing import Any

import attrs
import trio

from lsd.config import EmbeddingProvider, Provider
from lsd.conversation import WireRequest, decode_json, encode_json
from lsd.network import BodyTooLarge, ScriptedTransport, Transport, TransportFailed, until
from lsd.providers import (
    Dialect,
    EchoDialect,
    EchoEmbeddings,
    EmbeddingDialect,
    dialect_for,
    embedding_dialect_for,
)

JSON = {"content-type": "application/json"}
EVENT_STREAM = {"content-type": "text/event-stream"}
USAGE = {"prompt_tokens": 10, "completion_tokens": 5}
"""What an answer says it has used, unless told otherwise."""


EMBEDDING_USAGE = {"prompt_tokens": 7, "total_tokens": 7}
"""The same for embeddings."""


@attrs.frozen
class Pause:
    """Silence for some seconds."""

    seconds: float


@attrs.frozen
class Until:
    """Silence until the test says so."""

    event: trio.Event


@attrs.frozen
class Break:
    """The connection breaks."""


@attrs.frozen
class Refuse:
    """Nobody listens at the address."""


@attrs.frozen
class Hang:
    """Nothing comes any more."""


Step = bytes | Pause | Until | Break | Refuse | Hang


@attrs.frozen(kw_only=True)
class Script:
    """What one request gets: steps before the head, the head, then the body in pieces."""

    before: tuple[Step, ...] = ()
    status: int = 200
    headers: Mapping[str, str] = attrs.field(factory=lambda: JSON)
    body: tuple[Step, ...] = ()


@attrs.define(eq=False)
class FakeProvider:
    """Plays its scripts one after the other, the last one again and again.

    It remembers what it was asked; `open_responses` counts those that nobody has read whole or
    closed yet.
    """

    requests: list[WireRequest] = attrs.field(factory=list, init=False)
    open_responses: int = attrs.field(default=0, init=False)
    _scripts: list[Script] = attrs.field(factory=list, init=False)

    def will(self, *scripts: Script) -> None:
        """Replaces the scripts."""
        self._scripts = list(scripts)

    @property
    def bodies(self) -> list[Any]:
        """The decoded bodies of all requests."""
        return [decode_json(request.body) for request in self.requests]

    async def send(self, request: WireRequest, deadline: float = inf) -> "FakeResponse":
        self.requests.append(request)
        assert self._scripts, f"nobody told this provider what to say to {request.url}"
        script = self._scripts.pop(0) if len(self._scripts) > 1 else self._scripts[0]
        with until(deadline):
            await trio.lowlevel.checkpoint()
            for step in script.before:
                await _play(step)
        self.open_responses += 1
        return FakeResponse(script.status, script.headers, self, list(script.body), deadline)

    async def aclose(self) -> None:
        await trio.lowlevel.checkpoint()


@attrs.define(eq=False)
class FakeResponse:
    """A response on its way."""

    status: int
    headers: Mapping[str, str]
    _provider: FakeProvider
    _body: list[Step]
    deadline: float
    may_be_read_on: bool = True
    _is_closed: bool = attrs.field(default=False, init=False)

    async def read(self, bytes_max: int) -> bytes:
        pieces: list[bytes] = []
        while piece := await self.receive_some():
            pieces.append(piece)
            if sum(map(len, pieces)) > bytes_max:
                raise BodyTooLarge(bytes_max)
        await self.aclose()
        return b"".join(pieces)

    async def receive_some(self) -> bytes:
        with until(self.deadline):
            await trio.lowlevel.checkpoint()
            while self._body:
                piece = await _play(self._body[0])
                del self._body[0]
                if piece:
                    return piece
        return b""

    async def aclose(self) -> None:
        if not self._is_closed:
            self._is_closed = True
            self._provider.open_responses -= 1


async def _play(step: Step) -> bytes:
    match step:
        case Pause():
            await trio.sleep(step.seconds)
        case Until():
            await step.event.wait()
        case Break():
            raise TransportFailed("the connection was reset", sent=True)
        case Refuse():
            raise TransportFailed("connection refused", sent=False)
        case Hang():
            await trio.sleep_forever()
        case bytes():
            return step
    return b""


@attrs.define(eq=False)
class FakeProviders:
    """All providers of a configuration by their names; `echo` ones answer by themselves."""

    _by_name: dict[str, FakeProvider] = attrs.field(factory=dict, init=False)

    def __getitem__(self, name: str) -> FakeProvider:
        return self._by_name.setdefault(name, FakeProvider())

    def make(self, provider: Provider, model_name: str, name: str) -> tuple[Dialect, Transport]:
        """What `prepare` asks for each provider: the real dialect, and what carries it."""
        dialect = dialect_for(provider, model_name=model_name, provider_name=name, random=Random(7))
        if isinstance(dialect, EchoDialect):
            return dialect, ScriptedTransport(dialect.play)
        return dialect, self[name]

    def make_embedding(
        self, provider: EmbeddingProvider, name: str
    ) -> tuple[EmbeddingDialect, Transport]:
        """The same for each provider of embeddings."""
        dialect = embedding_dialect_for(provider)
        if isinstance(dialect, EchoEmbeddings):
            return dialect, ScriptedTransport(dialect.play)
        return dialect, self[name]

    def asked(self) -> list[str]:
        """The names of those that were asked anything."""
        return [name for name, provider in self._by_name.items() if provider.requests]


def says(text: str | None, *, after_s: float = 0, **fields: Any) -> Script:
    """A whole completion that says `text`."""
    return completes({"role": "assistant", "content": text}, after_s=after_s, **fields)


def calls(name: str, arguments: str, *, call_id: str = "call_1", **fields: Any) -> Script:
    """A whole completion that calls a tool."""
    call = {"id": call_id, "type": "function", "function": {"name": name, "arguments": arguments}}
    message = {"role": "assistant", "content": None, "tool_calls": [call]}
    return completes(message, finish_reason="tool_calls", **fields)


def completes(
    message: Mapping[str, Any],
    *,
    usage: Any = USAGE,
    finish_reason: str | None = "stop",
    after_s: float = 0,
) -> Script:
    """A whole completion with this message."""
    choice = {"index": 0, "message": message, "finish_reason": finish_reason}
    body = {"id": "c-1", "object": "chat.completion", "choices": [choice], "usage": usage}
    return answers(encode_json(body), after_s=after_s)


def embeds(*embeddings: Any, usage: Any = EMBEDDING_USAGE, after_s: float = 0) -> Script:
    """A whole answer with these vectors, in order."""
    data = [{"index": index, "embedding": each} for index, each in enumerate(embeddings)]
    return answers(encode_json({"data": data, "usage": usage}), after_s=after_s)


def answers(
    body: bytes,
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    after_s: float = 0,
) -> Script:
    """Any whole answer."""
    before = (Pause(after_s),) if after_s else ()
    return Script(before=before, status=status, headers={**JSON, **(headers or {})}, body=(body,))


def fails(
    status: int,
    message: str = "no",
    *,
    code: str | None = None,
    headers: Mapping[str, str] | None = None,
    after_s: float = 0,
) -> Script:
    """An error in OpenAI's shape."""
    error = {"error": {"message": message, "type": "x_error", "code": code}}
    return answers(encode_json(error), status=status, headers=headers, after_s=after_s)


def hangs() -> Script:
    """Takes the request, and says nothing."""
    return Script(before=(Hang(),))


def drops() -> Script:
    """The connection breaks before the first byte of the answer."""
    return Script(before=(Break(),))


def streams(*steps: str | Step, usage: Any = None, finish_reason: str = "stop") -> Script:
    """A stream of these texts, with other steps between them, that ends well."""
    return stream_of(
        *(said(step) if isinstance(step, str) else step for step in steps),
        chunk({}, finish_reason=finish_reason),
        *([usage_chunk(usage)] if usage is not None else []),
        DONE,
    )


def breaks_after(*steps: str | Step) -> Script:
    """A stream of these texts that breaks then."""
    return stream_of(*(said(step) if isinstance(step, str) else step for step in steps), Break())


def stream_of(*steps: Step, before: Sequence[Step] = ()) -> Script:
    """Any stream of events."""
    return Script(headers=EVENT_STREAM, before=tuple(before), body=steps)


def said(text: str) -> bytes:
    """The event of a piece of text."""
    return chunk({"content": text})


def chunk(delta: Mapping[str, Any], *, finish_reason: str | None = None, **fields: Any) -> bytes:
    """One event of a streamed completion."""
    choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
    return event({"id": "c-1", "choices": [choice], **fields})


def usage_chunk(usage: Any) -> bytes:
    """The event that tells the usage."""
    return event({"id": "c-1", "choices": [], "usage": usage})


def tool_chunk(
    *, index: int = 0, call_id: str | None = None, name: str | None = None, arguments: str = ""
) -> bytes:
    """The event of a piece of a tool call."""
    call: dict[str, Any] = {"index": index, "function": {"arguments": arguments}}
    if call_id is not None:
        call |= {"id": call_id, "type": "function"}
    if name is not None:
        call["function"]["name"] = name
    return chunk({"tool_calls": [call]})


def event(value: Any) -> bytes:
    """One server-sent event."""
    return b"data: " + encode_json(value) + b"\n\n"


DONE = b"data: [DONE]\n\n"
