"""A store for each test, checked when the test is over."""

from collections.abc import Iterator, MutableMapping
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from lsd.store import Store, verify
from lsd.store.engine import Environment
from tests.unit.store.makers import HandClock, Maker, open_store


@pytest.fixture(autouse=True)
def log() -> Iterator[list[MutableMapping[str, Any]]]:
    """What is logged during the test."""
    with capture_logs() as entries:
        yield entries


@pytest.fixture
def make() -> Maker:
    """Makes records."""
    return Maker()


@pytest.fixture
def clock(make: Maker) -> HandClock:
    """The clock that `make` and the store go by."""
    return make.clock


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """An empty store; at the end of the test nothing in it may contradict anything else."""
    opened = open_store(tmp_path / "lsd-data")
    yield opened
    problems = verify(opened)
    opened.close()
    assert problems == []


@pytest.fixture
def environment(tmp_path: Path) -> Iterator[Environment]:
    """An environment with the databases `a` and `b`, in a map of 1 MiB that may grow to 4 MiB."""
    opened = Environment.open(
        tmp_path / "environment",
        map_size=1 << 20,
        max_map_size=4 << 20,
        max_readers=4,
        durability="none",
    )
    opened.open_databases(("a", "b"))
    yield opened
    opened.close()
