"""Many streams at once: every client gets every chunk, and nothing is left behind."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.api.asking import SAYING_HI, Box, model, text_of
from tests.api.conftest import StartGateway
from tests.api.gateway import Gateway
from tests.fakes.openai_scripts import streams
from tests.fakes.provider_thread import FakeProviderThread

STREAMS = 200
CHUNKS = 100
ROUNDS = 3

GROWTH_BYTES_MAX = 32 * 1024 * 1024
"""Of a round after the first: one answer held back in each stream would be far below it, all
answers of a round kept would be above."""

PAYLOAD = "0123456789abcdef" * 40


def resident_bytes(pid: int) -> int:
    """What a process has in memory. Source: proc(5), statm."""
    pages = Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]
    return int(pages) * 4096


@pytest.fixture
def gateway(start_gateway: StartGateway, provider: FakeProviderThread) -> Gateway:
    """A daemon whose provider streams answers of a hundred numbered chunks."""
    pieces = [f"{number}:{PAYLOAD};" for number in range(CHUNKS)]
    api_base = provider.will("many", streams(pieces))
    return start_gateway(model("m", Box("one", api_base)))


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="memory is read from /proc")
def test_every_client_gets_every_chunk_in_order(
    gateway: Gateway, provider: FakeProviderThread
) -> None:
    """Two hundred streams of a hundred chunks; the next rounds need no more memory."""
    whole = "".join(f"{number}:{PAYLOAD};" for number in range(CHUNKS))

    def ask(_: int) -> str:
        return text_of(gateway.stream(model_name="m", **SAYING_HI))

    resident = []
    for _ in range(ROUNDS):
        provider.forget()
        with ThreadPoolExecutor(STREAMS) as clients:
            assert set(clients.map(ask, range(STREAMS))) == {whole}
        resident.append(resident_bytes(gateway.pid))

    assert resident[-1] - resident[0] < GROWTH_BYTES_MAX, resident
