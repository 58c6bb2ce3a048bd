"""Many streams at once: every client gets every chunk, and nothing of them stays behind."""

import subprocess
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.api.asking import SAYING_HI, Box, model, text_of
from tests.api.conftest import StartGateway
from tests.api.gateway import Gateway, stream_events
from tests.fakes.openai_scripts import streams
from tests.fakes.provider_thread import FakeProviderThread

STREAMS = 200
CHUNKS = 100
ROUNDS = 3

PAYLOAD = "0123456789abcdef" * 40
WHOLE = "".join(f"{number}:{PAYLOAD};" for number in range(CHUNKS))


@pytest.fixture
def gateway(start_gateway: StartGateway, provider: FakeProviderThread) -> Gateway:
    """A daemon whose provider streams answers of a hundred numbered chunks."""
    pieces = [f"{number}:{PAYLOAD};" for number in range(CHUNKS)]
    api_base = provider.will("many", streams(pieces))
    return start_gateway(model("m", Box("one", api_base)))


def test_every_client_gets_every_chunk_in_order(gateway: Gateway) -> None:
    """Two hundred streams of a hundred chunks, side by side."""
    assert answers_of_many(gateway) == [WHOLE] * STREAMS


def test_memory_is_given_back(gateway: Gateway) -> None:
    """What two hundred streams need is there for the next two hundred."""
    answers_of_many(gateway, dryrun=True)
    before_kb = resident_kb(gateway)
    for _ in range(ROUNDS):
        answers_of_many(gateway, dryrun=True)

    # Each round would leave at least its text; records are pages of the store, and not asked for.
    assert resident_kb(gateway) - before_kb < ROUNDS * STREAMS * len(WHOLE) / 1024


def answers_of_many(gateway: Gateway, *, dryrun: bool = False) -> list[str]:
    """The text of each of the streams."""

    def ask(_: int) -> str:
        # A client of its own: pools shared by so many threads close each other's sockets.
        body = {"model_name": "m", "stream": True, "dryrun": dryrun, **SAYING_HI}
        answer = httpx.post(f"{gateway.url}/inference", json=body, timeout=60, verify=False)
        return text_of(stream_events(answer.text))

    with ThreadPoolExecutor(STREAMS) as clients:
        return list(clients.map(ask, range(STREAMS)))


def resident_kb(gateway: Gateway) -> int:
    """The memory that the process holds."""
    shown = subprocess.run(
        ["ps", "-o", "rss=", "-p", str(gateway.pid)], capture_output=True, text=True, check=True
    )
    return int(shown.stdout)
