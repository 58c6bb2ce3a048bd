"""What command line and environment say over the files."""

from pathlib import Path

import pytest

from lsd.config import FilesystemObjects
from tests.unit.config.folder import Folder


def test_the_address_is_set_in_one_of_three_places(folder: Folder) -> None:
    """The file, the command line, the environment."""
    in_file = folder.load("gateway.bind_address = '127.0.0.1:1'")
    on_line = folder.load("", bind_address="127.0.0.1:2")
    folder.environment["LSD_BIND_ADDRESS"] = "127.0.0.1:3"
    in_environment = folder.load("")

    ports = [each.config.gateway.bind_address.port for each in (in_file, on_line, in_environment)]
    assert ports == [1, 2, 3]


def test_two_places_are_refused_naming_all_three(folder: Folder) -> None:
    """Case 37: nobody should have to guess which one counts."""
    folder.environment["LSD_BIND_ADDRESS"] = "127.0.0.1:3"

    told = folder.problem("gateway.bind_address = '127.0.0.1:1'", bind_address="127.0.0.1:2")

    assert told == (
        "gateway.bind_address: set by --bind-address and by LSD_BIND_ADDRESS and by the "
        "configuration; set it in one of gateway.bind_address, --bind-address and LSD_BIND_ADDRESS"
    )


def test_a_bad_override_names_its_source(folder: Folder) -> None:
    """Not the file, which is innocent."""
    assert folder.problem("", bind_address="x").startswith('--bind-address: found "x"; ')
    assert folder.problem("", workers="0").startswith('--workers: found "0"; ')
    folder.environment["LSD_WORKERS"] = "many"
    assert folder.problem("").startswith('LSD_WORKERS: found "many"; ')


def test_the_command_line_comes_before_the_environment(folder: Folder) -> None:
    """For the number of workers as for the folder of the data."""
    folder.environment |= {"LSD_WORKERS": "7", "LSD_DATA_DIR": "of-environment"}

    loaded = folder.load("storage.path = 'of-file'", workers=1, data_dir="of-line")

    assert loaded.config.gateway.workers == 1
    assert loaded.config.storage.path == folder.path / "of-line"
    in_environment = folder.load("storage.path = 'of-file'", workers="1")
    assert in_environment.config.storage.path == folder.path / "of-environment"


@pytest.mark.parametrize("workers", ["2", "auto", 3])
def test_workers_are_a_number_or_auto(folder: Folder, workers: str | int) -> None:
    """On the command line, numbers are texts."""
    assert folder.problems("", workers=workers) == {}


def test_the_folder_of_the_data_starts_where_it_is_named(folder: Folder) -> None:
    """In the file at the file, on the command line at the working directory."""
    folder.write("conf/x.toml", "storage.path = 'data'")

    in_file = folder.load(config=("conf/x.toml",))
    on_line = folder.load(config=("conf/x.toml",), data_dir="/var/lsd")

    assert in_file.config.storage.path == folder.path / "conf" / "data"
    assert on_line.config.storage.path == Path("/var/lsd")


def test_input_files_lie_in_the_store_unless_told_otherwise(folder: Folder) -> None:
    """A folder of their own must exist."""
    (folder.path / "files").mkdir()

    default = folder.load("", data_dir="d").config.object_storage
    own = folder.load("object_storage.path = 'files'").config.object_storage

    assert default == FilesystemObjects(path=folder.path / "d" / "objects")
    assert own == FilesystemObjects(path=folder.path / "files")
