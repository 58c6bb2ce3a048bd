"""One server for a folder, others beside it, and folders that cannot be one."""

import os
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from lsd.store import Store, StoreRefused, verify
from tests.unit.store.makers import SMALL, Maker, open_store, stored

SERVER = textwrap.dedent(
    """
    import sys
    from pathlib import Path
    from tests.unit.store.makers import Maker, open_store, stored

    store = open_store(Path(sys.argv[1]))
    print("ready", flush=True)
    make = Maker()
    make.ids.start_after("0fffffff-0000-7000-8000-000000000000")
    for _ in sys.stdin:
        print(stored(store, make.inference(function_name="server")).inference_id, flush=True)
    store.close()
    """
)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that serves the folder; stores an inference for each line it is sent."""
    process = subprocess.Popen(
        [sys.executable, "-c", SERVER, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "ready\n"
    yield process
    process.kill()
    process.communicate(timeout=30)


def test_a_second_server_is_refused_by_name(server: subprocess.Popen[str], tmp_path: Path) -> None:
    """The refusal tells the operator which process to look for."""
    with pytest.raises(StoreRefused) as refused:
        open_store(tmp_path)

    assert str(refused.value) == (
        f"{tmp_path}: is in use by another server (pid {server.pid}); wanted a folder of its own"
    )


def test_the_folder_of_a_killed_server_is_free(
    server: subprocess.Popen[str], tmp_path: Path
) -> None:
    """The kernel releases the lock; nobody has to delete a file."""
    server.kill()
    server.wait(timeout=30)

    open_store(tmp_path).close()


def test_a_command_works_beside_a_server(server: subprocess.Popen[str], tmp_path: Path) -> None:
    """Both write, and each sees at once what the other has committed."""
    store = Store.open(tmp_path, SMALL, is_server=False, shard=1)
    own = stored(store, Maker().inference(function_name="command"))
    server.stdin.write("\n")
    server.stdin.flush()
    theirs = server.stdout.readline().strip()

    assert store.inferences.exists(own.inference_id)
    assert store.inferences.exists(theirs)
    assert {count.function_name for count in store.inferences.counts()} == {"command", "server"}
    assert verify(store) == []
    store.close()


def test_a_file_in_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    """The refusal names the path, and the file is left alone."""
    path = tmp_path / "lsd-data"
    path.write_text("mine")

    with pytest.raises(StoreRefused, match="found a file; wanted a folder"):
        open_store(path)

    assert path.read_text() == "mine"


def test_a_folder_that_cannot_be_created_is_refused(tmp_path: Path) -> None:
    """The refusal tells why."""
    (tmp_path / "file").touch()

    with pytest.raises(StoreRefused, match="cannot be created: Not a directory"):
        open_store(tmp_path / "file" / "lsd-data")


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may write everywhere")
def test_a_folder_without_the_right_to_write_is_refused(tmp_path: Path) -> None:
    """The start tells it, not the first record."""
    tmp_path.chmod(0o500)

    with pytest.raises(StoreRefused, match="is not writable"):
        open_store(tmp_path)


def test_files_in_place_of_the_environments_are_refused(tmp_path: Path) -> None:
    """A folder with strange contents is not taken for a store."""
    (tmp_path / "data").write_text("mine")

    with pytest.raises(StoreRefused) as refused:
        open_store(tmp_path)

    assert refused.value.path == str(tmp_path / "data")
    assert (tmp_path / "data").read_text() == "mine"
