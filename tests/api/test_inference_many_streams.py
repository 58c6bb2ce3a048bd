"""Many streams at once: every client gets every chunk, and nothing is left behind."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

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

GROWTH_BYTES_MAX = 32 * 1024 * 1024
"""From the first round to the last: the answers of the rounds between, had they been kept with
their records, would be more than twice as much."""

PAYLOAD = "0123456789abcdef" * 40


def own_bytes(pid: int) -> int:
    """What a process has in memory for itself: pages of the store's file are the system's cache.

    Source: proc_pid_status(5), RssAnon.
    """
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    line = next(line for line in status.splitlines() if line.startswith("RssAnon:"))
    return int(line.split()[1]) * 1024


@pytest.fixture
def gateway(start_gateway: StartGateway, provider: FakeProviderThread) -> Gateway:
    """A daemon whose provider streams answers of a hundred numbered chunks."""
    pieces = [f"{number}:{PAYLOAD};" for number in range(CHUNKS)]
    api_base = provider.will("many", streams(pieces))
    return start_gateway(model("m", Box("one", api_base)))


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read from /proc")
def test_every_client_gets_every_chunk_in_order(
    gateway: Gateway, provider: FakeProviderThread
) -> None:
    """Two hundred streams of a hundred chunks; the next rounds need no more memory."""
    whole = "".join(f"{number}:{PAYLOAD};" for number in range(CHUNKS))

    def ask(_: int) -> str:
        # A client of its own: pools shared by so many threads close each other's sockets.
        body = {"model_name": "m", "stream": True, **SAYING_HI}
        answer = httpx.post(f"{gateway.url}/inference", json=body, timeout=60, verify=False)
        return text_of(stream_events(answer.text))

    own = []
    for _ in range(ROUNDS):
        provider.forget()
        with ThreadPoolExecutor(STREAMS) as clients:
            assert set(clients.map(ask, range(STREAMS))) == {whole}
        own.append(own_bytes(gateway.pid))

    assert own[-1] - own[0] < GROWTH_BYTES_MAX, own
