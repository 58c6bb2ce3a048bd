"""TOML, taken exactly."""

from decimal import Decimal
from pathlib import Path

import pytest

from lsd.config import Problem
from lsd.config.reading.globs import ConfigFile
from lsd.config.reading.toml import read_toml


def read(tmp_path: Path, content: bytes) -> object:
    """What a file with this content gives; problems as text."""
    path = tmp_path / "x.toml"
    path.write_bytes(content)
    found = read_toml(ConfigFile("x.toml", path))
    return str(found) if isinstance(found, Problem) else found


def test_floats_keep_their_digits(tmp_path: Path) -> None:
    """Money is not rounded to binary."""
    assert read(tmp_path, b"a = 0.10\nb = 1_000.5e-3\nc = 5") == {
        "a": Decimal("0.10"),
        "b": Decimal("1.0005"),
        "c": 5,
    }


@pytest.mark.parametrize(
    ("content", "start", "word"),
    [
        (b"a = 1\na = 2", "x.toml: line 2, column ", "overwrite"),
        (b"a = \n", "x.toml: line 1, column 5: ", "value"),
        (b"[a", "x.toml: line 1, column ", "]"),
        (b'a = "x\n', "x.toml: line 1, column ", "character"),
        (b'a = """x\n\n', "x.toml: line 3, column 1: ", "string"),
        (b"a = 1\r\nb = \xc3\xa4\xff", "x.toml: line 2, column 6: ", "UTF-8"),
        (b"a = 1979-99-01", "x.toml: line 1, column ", ""),
    ],
)
def test_errors_have_line_and_column(tmp_path: Path, content: bytes, start: str, word: str) -> None:
    """With the parser's own reason."""
    told = read(tmp_path, content)  # case 4

    assert isinstance(told, str)
    assert told.startswith(start)
    assert word in told
    assert "(at " not in told


def test_a_number_beyond_all_bounds_is_a_number_still(tmp_path: Path) -> None:
    """Where it stands decides whether it can be used."""
    assert read(tmp_path, b"a = 1e99999999999999999999") == {"a": Decimal("Infinity")}


def test_deep_nesting_and_long_numbers_are_refused(tmp_path: Path) -> None:
    """No file can stop the daemon with an exception."""
    assert "nested" in str(read(tmp_path, b"a = " + b"[" * 100_000))
    assert "x.toml: line" in str(read(tmp_path, b"a = " + b"9" * 10_000))


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    """With the reason of the operating system."""
    told = read_toml(ConfigFile("gone.toml", tmp_path / "gone.toml"))

    assert str(told) == "gone.toml: cannot be read: No such file or directory"
