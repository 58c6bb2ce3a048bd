"""Fixtures for tests of the routes."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import trio

from lsd.api import Reading
from lsd.config import Loaded, Sources, load
from lsd.store import Store, Writer, verify
from tests.unit.captured_log import Log, captured_log
from tests.unit.store.makers import Maker, open_store

CONFIG = """
[models.demo]
routing = ["echo"]
providers.echo = { type = "echo" }

[functions.write_haiku]
type = "chat"
variants.terse.model = "demo"

[metrics.resolved]
type = "boolean"
optimize = "max"
level = "episode"

[metrics.cost]
type = "float"
optimize = "min"
level = "inference"
"""


@pytest.fixture(autouse=True)
def log() -> Iterator[Log]:
    """What is logged during the test, but for what is only for debugging."""
    with captured_log() as entries:
        yield entries


@pytest.fixture
def make() -> Maker:
    """Makes records."""
    return Maker()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """An empty store; at the end of the test nothing in it may contradict anything else."""
    opened = open_store(tmp_path / "lsd-data")
    yield opened
    problems = verify(opened)
    opened.close()
    assert problems == []


@pytest.fixture
async def writer(store: Store, make: Maker, nursery: trio.Nursery) -> AsyncIterator[Writer]:
    """A writer at work."""
    running = store.writer(make.clock)
    await nursery.start(running.run)
    yield running
    await running.close()


@pytest.fixture
def loaded(tmp_path: Path) -> Loaded:
    """A function, and a metric of each type and level."""
    (tmp_path / "lsd.toml").write_text(CONFIG, encoding="utf-8")
    return load(Sources(environment={}, working_directory=tmp_path))


@pytest.fixture
def reading(store: Store, writer: Writer, loaded: Loaded) -> Reading:
    """What routes read the store with."""
    return Reading(store, loaded.config, writer)
