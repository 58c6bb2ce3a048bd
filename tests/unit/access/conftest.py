"""A store for each test, checked when the test is over."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from lsd.store import Store, verify
from tests.unit.store.makers import HandClock, open_store


@pytest.fixture
def clock() -> HandClock:
    """A clock that the test moves."""
    return HandClock()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """An empty store; at the end of the test nothing in it may contradict anything else."""
    opened = open_store(tmp_path / "lsd-data")
    yield opened
    problems = verify(opened)
    opened.close()
    assert problems == []
