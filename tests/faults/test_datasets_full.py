"""A store without room: changes of datasets are refused whole, and what is there can be read."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.api.conftest import StartGateway, starting_gateways
from tests.api.datasets import CONFIG, FILES, DatasetClient, chat

SMALL = "[storage]\nmap_size = 1048576\nmax_map_size = 4194304\n"


@pytest.fixture
def start_gateway(tmp_path: Path) -> Iterator[StartGateway]:
    """Starts gateways for one test."""
    with starting_gateways(tmp_path) as start:
        yield start


def test_a_full_store_refuses_a_change_whole(start_gateway: StartGateway) -> None:
    """The refusal says that nothing was stored."""
    gold = DatasetClient(start_gateway(CONFIG + SMALL, files=FILES), "gold")
    first = gold.create(chat("first", name="n"))

    long = {"datapoints": [chat("x" * 10_000) for _ in range(1_000)]}
    told = gold.refused(503, "POST", "/datapoints", long)

    assert "nothing was stored" in told
    assert "max_map_size" in told
    assert gold.listed() == first
    assert gold.create(chat("there is room for one"))
