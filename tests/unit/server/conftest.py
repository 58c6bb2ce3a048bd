"""Fixtures for tests of a process's life."""

from collections.abc import Iterator, MutableMapping
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from tests.unit.config.folder import Folder


@pytest.fixture(autouse=True)
def log() -> Iterator[list[MutableMapping[str, Any]]]:
    """What is logged during the test."""
    with capture_logs() as entries:
        yield entries


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """An empty folder, and an empty environment."""
    return Folder(tmp_path)
