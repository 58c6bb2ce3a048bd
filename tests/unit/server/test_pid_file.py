"""The file that tells which process serves."""

import os
from pathlib import Path

import pytest

from lsd.server import StartRefused
from lsd.server.pid_file import PidFile

OWN = f"{os.getpid()}\n"


def test_the_file_is_there_while_the_daemon_serves(tmp_path: Path) -> None:
    """Not before, and not after; whoever sees it sees it whole."""
    path = tmp_path / "lsd.pid"

    pid_file = PidFile.prepare(path)
    before = path.exists()
    pid_file.show()
    during = path.read_text()
    pid_file.remove()

    assert (before, during) == (False, OWN)
    assert list(tmp_path.iterdir()) == []


def test_a_file_of_a_dead_process_is_replaced(tmp_path: Path) -> None:
    """A crash leaves one behind."""
    path = tmp_path / "lsd.pid"
    path.write_text("1\n")

    pid_file = PidFile.prepare(path)
    pid_file.show()

    assert path.read_text() == OWN


def test_a_daemon_that_never_served_leaves_nothing(tmp_path: Path) -> None:
    """And does not touch the file of the one that does."""
    path = tmp_path / "lsd.pid"
    path.write_text("1\n")

    PidFile.prepare(path).remove()

    assert path.read_text() == "1\n"
    assert list(tmp_path.iterdir()) == [path]


def test_the_file_of_a_successor_stays(tmp_path: Path) -> None:
    """A new daemon may have begun to serve while the old one was still ending."""
    path = tmp_path / "lsd.pid"
    pid_file = PidFile.prepare(path)
    pid_file.show()
    path.write_text("1\n")

    pid_file.remove()

    assert path.read_text() == "1\n"


def test_a_file_that_has_gone_is_no_trouble(tmp_path: Path) -> None:
    """Somebody has tidied up."""
    pid_file = PidFile.prepare(tmp_path / "lsd.pid")
    pid_file.show()
    (tmp_path / "lsd.pid").unlink()

    pid_file.remove()

    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written_to_is_told(tmp_path: Path) -> None:
    """Before anything is served."""
    (tmp_path / "folder").mkdir()

    with pytest.raises(StartRefused) as absent:
        PidFile.prepare(tmp_path / "absent" / "lsd.pid")
    with pytest.raises(StartRefused) as folder:
        PidFile.prepare(tmp_path / "folder")

    assert str(absent.value) == f"--pid-file {tmp_path}/absent/lsd.pid: No such file or directory"
    assert str(folder.value) == f"--pid-file {tmp_path}/folder: it is a folder"
