"""Files that are not what they were: refused where it matters, begun anew where it does not."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from lsd.store import StoreRefused, verify
from tests.unit.store.makers import Maker, open_store, stored


def overwritten(file: Path) -> None:
    """The file holds something else."""
    file.write_bytes(b"once upon a time " * 1000)


def cut_in_half(file: Path) -> None:
    """The end of the file is gone."""
    os.truncate(file, file.stat().st_size // 2)


def cut_to_a_page(file: Path) -> None:
    """All but the beginning is gone."""
    os.truncate(file, 4096)


DAMAGES = pytest.mark.parametrize("damage", [overwritten, cut_in_half, cut_to_a_page])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of a closed store with a hundred inferences and a cached answer."""
    store, make = open_store(tmp_path), Maker()
    for _ in range(100):
        stored(store, make.inference())
    cache = store.inference_cache(ttl_s=10, max_bytes=1 << 20)
    cache.put(bytes(32), b"entry" * 10_000, now_ms=0)
    store.close()
    return tmp_path


@DAMAGES
def test_a_damaged_data_file_is_refused(folder: Path, damage: Callable[[Path], None]) -> None:
    """The server does not start, says which file it is, and changes nothing about it."""
    file = folder / "data" / "data.mdb"
    damage(file)
    before = file.read_bytes()

    with pytest.raises(StoreRefused) as refused:
        open_store(folder)

    assert refused.value.path == str(folder / "data")
    assert refused.value.reason.startswith("data.mdb: ")
    assert file.read_bytes() == before


@DAMAGES
def test_a_damaged_state_is_begun_anew(folder: Path, damage: Callable[[Path], None]) -> None:
    """Caches are empty then, records are all there, and the log has one warning."""
    damage(folder / "state" / "data.mdb")

    with capture_logs() as log:
        store = open_store(folder)

    cache = store.inference_cache(ttl_s=10, max_bytes=1 << 20)
    assert cache.get(bytes(32), max_age_s=None, now_ms=0) is None
    cache.put(bytes(32), b"entry", now_ms=0)
    assert cache.get(bytes(32), max_age_s=None, now_ms=0) == b"entry"
    assert sum(count.inferences for count in store.inferences.counts()) == 100
    assert verify(store) == []
    assert [(entry["log_level"], entry["event"]) for entry in log] == [
        ("warning", "starting with empty caches and rate limits")
    ]
    store.close()


def test_an_interrupted_creation_is_no_damage(tmp_path: Path) -> None:
    """A first start that died before its first byte was written can be repeated."""
    for name in ("data", "state"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "data.mdb").touch()

    store = open_store(tmp_path)

    assert verify(store) == []
    store.close()


def test_a_missing_lock_file_is_made_again(folder: Path) -> None:
    """A copy of the data files alone is a whole backup."""
    (folder / "lsd.lock").unlink()
    (folder / "data" / "lock.mdb").unlink()
    (folder / "state" / "lock.mdb").unlink()

    store = open_store(folder)

    assert verify(store) == []
    store.close()
