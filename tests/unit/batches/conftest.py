"""Fixtures for tests of batches: a real store, which is checked when the test is over."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import trio

from lsd.store import FileObjects, Store, StoreSettings, verify
from lsd.telemetry import SystemClock
from tests.unit.batches.desk import Desk, open_desk
from tests.unit.captured_log import Log, captured_log
from tests.unit.inference.gateway import Shelf

SETTINGS = StoreSettings(map_size=1 << 20, max_map_size=1 << 28, durability="none")


@pytest.fixture(autouse=True)
def log() -> Iterator[Log]:
    """What is logged during the test."""
    with captured_log() as entries:
        yield entries


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """An empty store; at the end of the test nothing in it may contradict anything else."""
    opened = Store.open(tmp_path / "store", SETTINGS, is_server=True)
    yield opened
    problems = verify(opened)
    opened.close()
    assert problems == []


@pytest.fixture
async def shelf(store: Store, tmp_path: Path, nursery: trio.Nursery) -> AsyncIterator[Shelf]:
    """The store with a writer at work."""
    writer = store.writer(SystemClock())
    await nursery.start(writer.run)
    yield Shelf(
        store=store,
        writer=writer,
        cache=store.inference_cache(ttl_s=86_400, max_bytes=1 << 24),
        objects=FileObjects.open(tmp_path / "objects", may_create=True),
    )
    await writer.close()


@pytest.fixture
async def desk(tmp_path: Path, shelf: Shelf) -> Desk:
    """A service and a queue, which does not run yet."""
    return open_desk(tmp_path, shelf)


@pytest.fixture
async def native_desk(tmp_path: Path, shelf: Shelf) -> Desk:
    """A desk whose items go to the batch API of their provider."""
    return open_desk(tmp_path, shelf, is_native=True)
