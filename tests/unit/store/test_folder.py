"""The folder: one server at a time, and marks that outlive a fall of the machine."""

import stat
from pathlib import Path

import pytest

from lsd.store import _folder as folder
from lsd.store._folder import FolderLock
from lsd.store.errors import StoreRefused


def test_a_missing_folder_is_created_for_its_owner_only(tmp_path: Path) -> None:
    """The folder appears on first use, with the folders above it, closed to others."""
    path = tmp_path / "var" / "lsd-data"

    folder.create_folder(path)
    folder.create_folder(path)

    assert stat.S_IMODE(path.stat().st_mode) == 0o700


def test_a_file_in_its_place_is_refused(tmp_path: Path) -> None:
    """The message tells what stands where the folder should be."""
    path = tmp_path / "lsd-data"
    path.touch()

    with pytest.raises(StoreRefused) as refused:
        folder.create_folder(path)

    assert str(refused.value) == f"{path}: found a file; wanted a folder"


def test_the_second_holder_is_refused_until_the_first_lets_go(tmp_path: Path) -> None:
    """A lock is held by one, and free again after its release."""
    first = FolderLock.take(tmp_path)

    with pytest.raises(StoreRefused, match=r"in use by another server \(pid \d+\)"):
        FolderLock.take(tmp_path)
    first.release()

    FolderLock.take(tmp_path).release()


def test_a_stale_lock_file_is_no_lock(tmp_path: Path) -> None:
    """What a process that died has left behind does not keep anybody out."""
    (tmp_path / "lsd.lock").write_text("4194304\n")

    FolderLock.take(tmp_path).release()


def test_the_mark_tells_a_fall_of_the_machine_from_one_of_the_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Unsynced data are in doubt only when the machine itself went down."""
    fresh = folder.is_marked_open_before_boot(tmp_path)
    folder.mark_open(tmp_path)
    same_boot = folder.is_marked_open_before_boot(tmp_path)
    monkeypatch.setattr(folder, "boot_id", lambda: "another start of the machine")
    other_boot = folder.is_marked_open_before_boot(tmp_path)
    folder.mark_closed(tmp_path)
    closed = folder.is_marked_open_before_boot(tmp_path)

    assert (fresh, same_boot, other_boot, closed) == (False, False, True, False)


def test_the_start_of_the_machine_has_a_name() -> None:
    """Asked twice without a restart, the name is the same."""
    assert folder.boot_id() == folder.boot_id() != ""


def test_a_local_folder_is_on_no_network(tmp_path: Path) -> None:
    """The warning about network file systems does not come on a local disk."""
    assert folder.network_file_system(tmp_path) is None
