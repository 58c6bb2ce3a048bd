"""Fixtures for tests of a process's life."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.captured_log import Log, captured_log
from tests.unit.config.folder import Folder


@pytest.fixture(autouse=True)
def log() -> Iterator[Log]:
    """What is logged during the test, but for what is only for debugging."""
    with captured_log() as entries:
        yield entries


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """An empty folder, and an empty environment."""
    return Folder(tmp_path)
