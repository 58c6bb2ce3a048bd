"""A log and an environment of its own for each test of the command line."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

_VARIABLES = (
    "LSD_BIND_ADDRESS",
    "LSD_CONFIG",
    "LSD_DATA_DIR",
    "LSD_LOG",
    "LSD_LOG_FORMAT",
    "LSD_WORKERS",
)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to work in, and no settings of whoever runs the tests."""
    monkeypatch.chdir(tmp_path)
    for name in _VARIABLES:
        monkeypatch.delenv(name, raising=False)
    return tmp_path


@pytest.fixture(autouse=True)
def log_as_before() -> Iterator[None]:
    """The log of the test run is as before when a test is over."""
    root = logging.getLogger()
    handlers, settings, levels = root.handlers, structlog.get_config(), _levels()
    yield
    logging.captureWarnings(capture=False)
    root.handlers = handlers
    structlog.configure(**settings)
    for each in _levels():
        each.setLevel(levels.get(each, logging.NOTSET))


def _levels() -> dict[logging.Logger, int]:
    root = logging.getLogger()
    known = (each for each in root.manager.loggerDict.values() if isinstance(each, logging.Logger))
    return {each: each.level for each in (root, *known)}
