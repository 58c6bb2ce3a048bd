"""Fixtures for tests of the routes."""

from collections.abc import Iterator

import pytest

from tests.unit.captured_log import Log, captured_log


@pytest.fixture(autouse=True)
def log() -> Iterator[Log]:
    """What is logged during the test, but for what is only for debugging."""
    with captured_log() as entries:
        yield entries
