"""aiohttp at both ends: many of its requests at once to the gateway, and it as a provider."""

import asyncio
import threading
from collections.abc import Iterator
from typing import Any, Self

import aiohttp
import orjson
import pytest
from aiohttp import web

from tests.api.asking import Box, model, saying, text_of
from tests.api.conftest import StartGateway
from tests.api.gateway import Gateway

PARROT = """
[models.parrot]
routing = ["echo"]
[models.parrot.providers.echo]
type = "echo"
model_name = "parrot"
"""


class Provider:
    """An OpenAI-like server on aiohttp, in a thread of its own."""

    def __init__(self) -> None:
        self.port = 0
        self._is_ready = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._is_ready.wait(60)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(20)

    @property
    def api_base(self) -> str:
        """The URL that a configuration names."""
        return f"http://127.0.0.1:{self.port}/v1/"

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        runner = self._loop.run_until_complete(self._start())
        self._is_ready.set()
        self._loop.run_forever()
        self._loop.run_until_complete(runner.cleanup())
        self._loop.close()

    async def _start(self) -> web.AppRunner:
        app = web.Application()
        app.router.add_post("/v1/chat/completions", _complete)
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        assert site._server is not None
        self.port = site._server.sockets[0].getsockname()[1]  # type: ignore[attr-defined]
        return runner


async def _complete(request: web.Request) -> web.StreamResponse:
    asked = await request.json()
    text = asked["messages"][-1]["content"]
    if not asked.get("stream"):
        message = {"role": "assistant", "content": text[::-1]}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        answer = web.json_response({"choices": [choice]})
        answer.enable_compression()  # gzip, in chunks
        return answer
    response = web.StreamResponse(headers={"content-type": "text/event-stream"})
    await response.prepare(request)
    for letter in text[::-1]:
        delta: dict[str, Any] = {"index": 0, "delta": {"content": letter}}
        await response.write(b"data: " + orjson.dumps({"choices": [delta]}) + b"\n\n")
    await response.write(b"data: [DONE]\n\n")
    await response.write_eof()
    return response


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    """The provider, running."""
    with Provider() as running:
        yield running


@pytest.fixture(scope="module")
def gateway(start_shared: StartGateway, provider: Provider) -> Gateway:
    """One gateway with a model at that provider, and one that needs none."""
    return start_shared(PARROT + model("mirror", Box("peer", provider.api_base)))


def test_a_provider_may_compress_and_send_in_chunks(gateway: Gateway) -> None:
    """One after the other over one connection, until somebody wants to part."""
    for number in range(20):
        answer = gateway.infer(model_name="mirror", **saying(f"abc{number}"))

        assert text_of(answer) == f"abc{number}"[::-1]


def test_a_provider_may_stream_letter_by_letter(gateway: Gateway) -> None:
    """Each of its pieces is a chunk of its own on the wire."""
    events = gateway.stream(model_name="mirror", **saying("a stream, backwards"))

    assert text_of(events) == "sdrawkcab ,maerts a"


def test_many_requests_share_few_connections(gateway: Gateway) -> None:
    """Two hundred, plain and streamed, over ten connections: each gets its own answer."""

    async def ask(session: aiohttp.ClientSession, number: int) -> bool:
        body = {"model_name": "parrot", "stream": number % 2 == 0, **saying(f"number {number}.")}
        async with session.post("/inference", json=body) as response:
            assert response.status == 200
            return f"{number}." in await response.text()

    async def ask_all() -> list[bool]:
        connector = aiohttp.TCPConnector(limit=10)
        async with aiohttp.ClientSession(gateway.url, connector=connector) as session:
            return await asyncio.gather(*(ask(session, number) for number in range(200)))

    assert all(asyncio.run(ask_all()))
