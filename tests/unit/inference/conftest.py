"""Fixtures for tests of inference: gateways, and a real store that is checked at the end."""

from collections.abc import AsyncIterator, Iterator, MutableMapping
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import pytest
import trio
from structlog.testing import capture_logs

from lsd.store import FileObjects, Store, StoreSettings, verify
from lsd.telemetry import SystemClock
from tests.unit.inference.gateway import Gateway, Shelf, start_gateway

SETTINGS = StoreSettings(map_size=1 << 20, max_map_size=1 << 28, durability="none")


class StartGateway(Protocol):
    def __call__(self, config: str = ..., **options: Any) -> Gateway: ...


@pytest.fixture(autouse=True)
def log() -> Iterator[list[MutableMapping[str, Any]]]:
    """What is logged during the test."""
    with capture_logs() as entries:
        yield entries


@pytest.fixture
def start(tmp_path: Path) -> StartGateway:
    """Starts a gateway on a configuration; see `start_gateway`. Call it in the event loop."""
    return partial(start_gateway, tmp_path)


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
    """A store with a writer at work, a cache, and a folder for files."""
    writer = store.writer(SystemClock())
    await nursery.start(writer.run)
    yield Shelf(
        store=store,
        writer=writer,
        cache=store.inference_cache(ttl_s=86_400, max_bytes=1 << 24),
        objects=FileObjects.open(tmp_path / "objects", may_create=True),
    )
    await writer.close()
