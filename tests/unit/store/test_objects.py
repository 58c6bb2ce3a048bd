"""Input files in the object store."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsd.store import FileObjects, ObjectMissing, ObjectsRefused


@pytest.fixture
def objects(tmp_path: Path) -> FileObjects:
    """An empty object store."""
    return FileObjects.open(tmp_path / "objects", may_create=True)


def test_bytes_come_back_as_they_were(objects: FileObjects) -> None:
    """What was put is found under the path that putting it gave."""
    storage_path = objects.put(b"\x89PNG")

    assert objects.get(storage_path) == b"\x89PNG"


def test_one_content_is_kept_once(objects: FileObjects) -> None:
    """The same bytes take room once, however often they come."""
    first = objects.put(b"same")
    second = objects.put(b"same")

    assert first == second
    kept = [path for path in objects.path.rglob("*") if path.is_file() and path.stat().st_size]
    assert len(kept) == 1


def test_different_contents_lie_apart(objects: FileObjects) -> None:
    """Two files never share a path."""
    assert objects.put(b"one") != objects.put(b"two")


@given(
    storage_path=st.one_of(
        st.text(), st.integers(), st.none(), st.dictionaries(st.text(), st.text())
    )
)
def test_no_other_path_is_ever_opened(
    storage_path: object, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Storage paths come back from callers, so that only those of the store's form are read."""
    objects = FileObjects.open(tmp_path_factory.mktemp("objects"), may_create=True)

    with pytest.raises(ObjectMissing):
        objects.get(storage_path)


@pytest.mark.parametrize(
    "storage_path", ["../../etc/passwd", "/etc/passwd", "aa/../../secret", "aa/" + "b" * 63]
)
def test_a_path_outside_is_told_as_missing(objects: FileObjects, storage_path: str) -> None:
    """Nobody learns whether a file outside of the store exists."""
    with pytest.raises(ObjectMissing) as missing:
        objects.get(storage_path)

    assert storage_path in str(missing.value)


def test_a_file_removed_by_hand_is_missing(objects: FileObjects) -> None:
    """A path of the right form without bytes behind it is told like any other missing one."""
    storage_path = objects.put(b"gone")
    (objects.path / storage_path).unlink()

    with pytest.raises(ObjectMissing):
        objects.get(storage_path)


def test_the_folder_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    """Files of requests are private."""
    FileObjects.open(tmp_path / "objects", may_create=True)

    assert (tmp_path / "objects").stat().st_mode & 0o777 == 0o700


def test_an_explicit_folder_must_exist(tmp_path: Path) -> None:
    """A mistyped path is told at the start instead of filling a new folder."""
    with pytest.raises(ObjectsRefused) as refused:
        FileObjects.open(tmp_path / "missing", may_create=False)

    assert str(tmp_path / "missing") in str(refused.value)


def test_a_file_in_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    """The start tells what is wrong with the path."""
    (tmp_path / "file").write_bytes(b"")

    with pytest.raises(ObjectsRefused):
        FileObjects.open(tmp_path / "file", may_create=True)


def test_a_folder_that_fails_later_is_told(objects: FileObjects) -> None:
    """Bytes that cannot be written are an error that says so, not a broken file."""
    (objects.path / ".lsd-validate").unlink()
    objects.path.rmdir()
    objects.path.write_bytes(b"")

    with pytest.raises(ObjectsRefused):
        objects.put(b"bytes")
