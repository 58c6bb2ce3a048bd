"""A look at the data file before it is mapped."""

import os
from pathlib import Path

import pytest

from lsd.store._data_file import NotADataFile, missing_bytes
from lsd.store.engine import Environment


@pytest.fixture
def data_file(environment: Environment) -> Path:
    """The file of an environment that holds a megabyte."""
    environment.write(
        lambda transaction: [
            transaction.put("a", str(number).encode(), b"x" * 10_000) for number in range(100)
        ]
    )
    return environment.path / "data.mdb"


def test_nothing_is_missing_in_a_whole_file(data_file: Path) -> None:
    """The header of a good file promises no more than there is."""
    assert missing_bytes(data_file) == 0


def test_a_cut_off_end_is_noticed(data_file: Path) -> None:
    """Half a file is known for what it is without reading more than the header."""
    size = data_file.stat().st_size
    os.truncate(data_file, size // 2)

    assert missing_bytes(data_file) >= size // 2 - 4096


def test_an_empty_file_is_a_new_one(tmp_path: Path) -> None:
    """A start that was interrupted right after creating the file does no harm."""
    (tmp_path / "data.mdb").touch()

    assert missing_bytes(tmp_path / "data.mdb") == 0


@pytest.mark.parametrize("content", [b"\0", b"SQLite format 3\0" * 1000, b"\xff" * 100_000])
def test_another_file_is_refused(tmp_path: Path, content: bytes) -> None:
    """What does not begin like a data file is none."""
    (tmp_path / "data.mdb").write_bytes(content)

    with pytest.raises(NotADataFile):
        missing_bytes(tmp_path / "data.mdb")


def test_a_file_with_one_header_of_two_is_refused(data_file: Path) -> None:
    """Commits write two headers in turn; with one gone, nobody knows the last commit."""
    with data_file.open("r+b") as file:
        file.seek(4096)
        file.write(bytes(4096))

    with pytest.raises(NotADataFile):
        missing_bytes(data_file)
