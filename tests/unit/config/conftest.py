"""Fixtures for tests of the configuration."""

from pathlib import Path

import pytest

from tests.unit.config.folder import Folder


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """An empty folder, and an empty environment."""
    return Folder(tmp_path)
