"""A daemon dies while it creates many datapoints: all of them are there afterwards, or none."""

import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from lsd.store import verify
from tests.api.asking import open_store
from tests.api.conftest import StartGateway, starting_gateways
from tests.api.datasets import CONFIG, FILES, DatasetClient, chat
from tests.unit.store.makers import open_store as open_store_of_server

NUMBER = 5_000
KILLS_MAX = 10

CHILD = textwrap.dedent(
    """
    import sys
    from pathlib import Path
    from lsd.store import Store, StoreSettings
    from tests.unit.store.makers import Maker

    settings = StoreSettings(map_size=1 << 20, max_map_size=256 << 20, max_readers=64)
    store = Store.open(Path(sys.argv[1]), settings, is_server=True)
    make = Maker()
    first = store.datapoints.add("gold", [make.datapoint()], now_us=make.now_us())
    store.data.write(first.apply)
    many = [make.datapoint(tags={"n": str(number)}) for number in range(10_000)]
    write = store.datapoints.add("gold", many, now_us=make.now_us())

    def hang_at_the_end(transaction):
        write.apply(transaction)
        print("put", flush=True)
        sys.stdin.read()

    store.data.write(hang_at_the_end)
    """
)


@pytest.fixture
def start_gateway(tmp_path: Path) -> Iterator[StartGateway]:
    """Starts gateways for one test."""
    with starting_gateways(tmp_path) as start:
        yield start


def test_ten_thousand_that_were_put_but_not_committed_never_were(tmp_path: Path) -> None:
    """A kill -9 right before the commit leaves what was there before, and nothing else."""
    process = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "put\n"
    process.kill()
    process.communicate(timeout=30)

    store = open_store_of_server(tmp_path)
    assert store.datapoints.count("gold") == 1
    assert verify(store) == []
    store.close()


def test_case_36_a_kill_leaves_all_or_none(start_gateway: StartGateway) -> None:
    """Whenever it comes: while the items are checked, put, committed, or answered."""
    gateway = start_gateway(CONFIG, files=FILES)
    body = {"datapoints": [chat(f"number {number}", tags={"a": "b"}) for number in range(NUMBER)]}
    began = time.monotonic()
    assert gateway.post("/v1/datasets/whole/datapoints", body).status_code == 200
    whole_s = time.monotonic() - began

    counts: list[int] = []
    parts = [0.1, 0.7, 1.0]
    for number, part in enumerate(parts):
        name = f"killed {number}"
        with ThreadPoolExecutor(1) as clients:
            sent = clients.submit(gateway.post, f"/v1/datasets/{name}/datapoints", body)
            time.sleep(part * whole_s)  # a moment within the call: it has no other marks
            gateway.kill()
            try:
                was_answered = sent.result().status_code == 200
            except httpx.TransportError:
                was_answered = False
        with open_store(gateway) as store:
            assert verify(store) == []
        gateway.start()
        dataset = DatasetClient(gateway, name)
        count = dataset.count()
        counts.append(count)
        if part == parts[-1] and 0 not in counts and len(parts) < KILLS_MAX:
            parts.append(0.1)  # this process was too slow to kill the other before its commit
        assert len(dataset.list(limit=NUMBER + 1)) == count
        assert count == NUMBER if was_answered else count in (0, NUMBER)

    assert DatasetClient(gateway, "whole").count() == NUMBER
    assert 0 in counts
