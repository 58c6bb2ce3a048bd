"""Where the contents of files come from."""

from pathlib import Path

import pytest

from lsd.config.reading.texts import (
    DISK_TEXTS,
    INLINE_TEXTS,
    NO_TEXTS,
    SNAPSHOT_TEXTS,
    read_text,
)


def test_files_are_read_relative_to_their_folder(tmp_path: Path) -> None:
    """Line ends stay as they are: a prompt is sent as it was written."""
    (tmp_path / "a.txt").write_bytes("ä\r\n".encode())

    assert DISK_TEXTS.path_of("a.txt") == "a.txt"
    assert DISK_TEXTS.text_of(tmp_path, "a.txt") == "ä\r\n"
    assert DISK_TEXTS.path_of(5) is None


def test_what_is_not_text_is_refused(tmp_path: Path) -> None:
    """With the place of the first bad byte."""
    (tmp_path / "a.bin").write_bytes(b"ok\xff")

    with pytest.raises(ValueError, match="at byte 2"):
        read_text(tmp_path / "a.bin")


def test_a_snapshot_holds_its_texts(tmp_path: Path) -> None:
    """Beside the paths from which they came."""
    value = {"path": "gone.txt", "text": "still here"}

    assert SNAPSHOT_TEXTS.path_of(value) == "gone.txt"
    assert SNAPSHOT_TEXTS.text_of(tmp_path, value) == "still here"
    assert SNAPSHOT_TEXTS.path_of({"path": "gone.txt"}) is None


def test_a_request_holds_the_text_in_the_place_of_the_path(tmp_path: Path) -> None:
    """And the look at shapes needs no text at all."""
    assert INLINE_TEXTS.path_of("Hello") == "inline"
    assert INLINE_TEXTS.text_of(tmp_path, "Hello") == "Hello"
    assert INLINE_TEXTS.path_of({}) is None
    assert NO_TEXTS.text_of(tmp_path, "absent.txt") == ""
