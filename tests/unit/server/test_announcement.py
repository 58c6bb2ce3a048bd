"""What is announced when a daemon serves."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from lsd import __version__
from lsd.server.announcement import announce
from lsd.store import Store
from tests.unit.captured_log import Log
from tests.unit.config.folder import Folder
from tests.unit.store.makers import open_store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """An empty store."""
    opened = open_store(tmp_path / "lsd-data")
    yield opened
    opened.close()


def test_what_serves_is_announced(folder: Folder, store: Store, log: Log) -> None:
    """Where, what, from which files, where the records go, and by how many."""
    loaded = folder.load("")

    announce(loaded, store, "127.0.0.1:3000", 4)

    (entry,) = log
    assert {key: entry[key] for key in ("event", "log_level", "address", "version")} == {
        "event": "serving",
        "log_level": "info",
        "address": "127.0.0.1:3000",
        "version": __version__,
    }
    assert entry["config_hash"] == loaded.hash
    assert entry["config_files"] == [str(loaded.files[0])]
    assert (entry["base_path"], entry["store"]) == ("/", str(store.path))
    assert entry["store_bytes"] > 0
    assert (entry["writes"], entry["auth"], entry["workers"]) == ("async", False, 4)
    assert entry["otlp"] is False


@pytest.mark.parametrize(
    ("text", "mode"),
    [
        ("async_writes = false", "sync"),
        ("async_writes = false\nbatch_writes.enabled = true", "batch"),
        ("enabled = false", "off"),
    ],
)
def test_the_mode_of_writing_is_announced(
    folder: Folder, store: Store, log: Log, text: str, mode: str
) -> None:
    """Before somebody wonders where his records are."""
    announce(folder.load(f"[gateway.observability]\n{text}\n"), store, "", 1)

    assert log[0]["writes"] == mode


def test_without_a_store_nothing_is_written(folder: Folder, log: Log) -> None:
    """The announcement says so."""
    announce(folder.load(""), None, "", 1)

    assert (log[0]["store"], log[0]["writes"]) == (None, "off")
