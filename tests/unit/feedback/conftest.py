"""Fixtures for tests of feedback: a real store, which is checked when the test is over."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import trio

from lsd.store import Store, StoreSettings, Writer, verify
from lsd.telemetry import SystemClock
from tests.unit.feedback.desk import Desk

SETTINGS = StoreSettings(map_size=1 << 20, max_map_size=1 << 28, durability="none")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """An open store."""
    opened = Store.open(tmp_path / "store", SETTINGS, is_server=True)
    yield opened
    problems = verify(opened)
    opened.close()
    assert problems == []


@pytest.fixture
async def writer(store: Store, nursery: trio.Nursery) -> AsyncIterator[Writer]:
    """A writer at work."""
    running = store.writer(SystemClock())
    await nursery.start(running.run)
    yield running
    await running.close()


@pytest.fixture
async def desk(store: Store, writer: Writer) -> Desk:
    """A desk with the usual configuration."""
    return Desk(store, writer)
