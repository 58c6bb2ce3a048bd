"""Fixtures for tests of datasets: the real service on a real store, which is checked at the end."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import trio

from lsd.store import FileObjects, Store, StoreSettings, verify
from lsd.telemetry import SystemClock
from tests.unit.datasets.workbench import Workbench
from tests.unit.inference.gateway import Shelf

SETTINGS = StoreSettings(map_size=1 << 20, max_map_size=1 << 28, durability="none")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """An empty store; at the end of the test nothing in it may contradict anything else."""
    opened = Store.open(tmp_path / "store", SETTINGS, is_server=True)
    yield opened
    problems = verify(opened)
    opened.close()
    assert problems == []


@pytest.fixture
async def bench(store: Store, tmp_path: Path, nursery: trio.Nursery) -> AsyncIterator[Workbench]:
    """A service with the usual configuration."""
    writer = store.writer(SystemClock())
    await nursery.start(writer.run)
    shelf = Shelf(
        store=store,
        writer=writer,
        cache=store.inference_cache(ttl_s=60, max_bytes=1 << 20),
        objects=FileObjects.open(tmp_path / "objects", may_create=True),
    )
    yield Workbench.of(tmp_path, shelf)
    await writer.close()
