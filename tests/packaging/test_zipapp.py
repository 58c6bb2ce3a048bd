"""The builder of `lsd.pyz`, and what the file does on machines that are not the builder's."""

import argparse
import importlib.util
import os
import shutil
import stat
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import lmdb.cpython
import pytest

ROOT = Path(__file__).resolve().parents[2]

STAND_IN = """\
def main():
    import httptools, jsonschema_rs, lmdb, markupsafe._speedups, minijinja, orjson, sys
    from rich.traceback import Traceback
    httptools.parse_url(b"/")
    jsonschema_rs.validator_for({})
    minijinja.Environment()
    print(orjson.__file__)
    print(*sys.argv[1:])
"""
"""A daemon that uses its native modules and tells from where they came."""

WAIT_S = 120
"""For one start of a file, on a machine that is busy with everything else."""


def load_builder() -> ModuleType:
    """The build script as a module; by its path, for the name is the standard library's."""
    spec = importlib.util.spec_from_file_location("lsd_zipapp", ROOT / "zipapp.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


builder = load_builder()


def plant_tree(folder: Path) -> Path:
    """A tree like the repository's with the stand-in; what has been fetched already is shared."""
    (ROOT / "build").mkdir(exist_ok=True)
    (folder / "lsd" / "cli").mkdir(parents=True)
    (folder / "lsd" / "__init__.py").write_text('"""A stand-in."""\n')
    (folder / "lsd" / "cli" / "__init__.py").write_text(STAND_IN)
    (folder / "build").symlink_to(ROOT / "build")
    shutil.copy(ROOT / "zipapp.py", folder)
    shutil.copytree(ROOT / ".lock", folder / ".lock")
    return folder


def build(folder: Path) -> Path:
    """The file built in a tree by the first command of the README."""
    subprocess.run([sys.executable, "zipapp.py"], cwd=folder, check=True, timeout=600)
    return folder / "lsd.pyz"


@pytest.fixture(scope="module")
def pyz(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A built file in a folder in which nothing can be written."""
    built = build(plant_tree(tmp_path_factory.mktemp("tree")))
    place = tmp_path_factory.mktemp("read-only")
    shutil.copy(built, place)
    place.chmod(0o555)
    return place / "lsd.pyz"


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """An empty home folder."""
    folder = tmp_path / "home"
    folder.mkdir()
    yield folder
    assert not (folder / ".shiv").exists()


def start(pyz: Path, home: Path | str, **variables: str) -> subprocess.Popen[str]:
    """One process of the file, with a home and nothing else of this machine's settings."""
    environment = {"HOME": str(home), "PATH": os.environ["PATH"], **variables}
    return subprocess.Popen(
        [sys.executable, pyz, "--some", "option"],
        cwd="/",
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def outcome(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    """How a process ended and what it said."""
    said, complained = process.communicate(timeout=WAIT_S)
    return process.returncode, said, complained


@pytest.mark.parametrize(
    ("text", "platform"),
    [
        ("linux-x86_64", "linux-x86_64"),
        ("manylinux2014_aarch64", "linux-aarch64"),
        ("manylinux_2_28_x86_64", "linux-x86_64"),
        ("macosx_11_0_arm64", "macos-arm64"),
    ],
)
def test_a_platform_goes_by_its_name_or_by_the_tag_of_its_wheels(text: str, platform: str) -> None:
    """Whoever knows pip's names need not learn ours."""
    assert builder.platform_named(text) == platform


def test_an_unknown_platform_is_refused_with_those_there_are() -> None:
    """Nobody waits for wheels that do not exist."""
    with pytest.raises(argparse.ArgumentTypeError, match="found 'win32'; wanted one of linux-x"):
        builder.platform_named("win32")


@pytest.mark.parametrize(
    ("path", "dropped"),
    [
        ("attr/__init__.pyi", True),
        ("trio/_tests/test_util.py", True),
        ("trio/testing/__init__.py", False),
        ("lsd/__pycache__/x.cpython-311.pyc", True),
        ("httptools/parser/parser.pyx", True),
        ("orjson-3.0.dist-info/RECORD", True),
        ("orjson-3.0.dist-info/METADATA", False),
        ("orjson-3.0.dist-info/licenses/LICENSE", False),
        ("somewhere/RECORD", False),
        ("pygments/lexers/python.py", False),
        ("pygments/lexers/ada.py", True),
        ("pygments/lexer.py", False),
    ],
)
def test_only_what_nothing_reads_is_left_out(path: str, dropped: bool) -> None:
    """Tests, stubs and sources of native modules stay behind; licences and metadata come along."""
    assert builder.is_dropped(Path(path)) is dropped


def test_wheels_for_two_pythons_may_differ_in_native_modules_only(tmp_path: Path) -> None:
    """One folder serves all Pythons; a file that would need two contents stops the build."""
    first, second, site = (tmp_path / name for name in ("first", "second", "site"))
    for folder, tag in ((first, "311"), (second, "312")):
        (folder / "fast.dist-info").mkdir(parents=True)
        (folder / "fast.dist-info" / "WHEEL").write_text(f"Tag: cp{tag}")
        (folder / f"fast.cpython-{tag}-x86_64-linux-gnu.so").write_text(tag)
        (folder / "slow.py").write_text("same")

    builder.lay_over(first, site)
    builder.lay_over(second, site)

    assert sorted(path.name for path in site.glob("fast.c*")) == [
        "fast.cpython-311-x86_64-linux-gnu.so",
        "fast.cpython-312-x86_64-linux-gnu.so",
    ]
    (second / "slow.py").write_text("other")
    with pytest.raises(builder.BuildError, match=r"slow\.py: found other bytes"):
        builder.lay_over(second, site)


def test_native_modules_lose_only_what_is_never_loaded() -> None:
    """A module without its debug information still loads; other files stay as they are."""
    native = Path(lmdb.cpython.__file__).read_bytes()

    smaller = builder.without_debug_information(native)

    assert native.startswith(smaller[:40])
    assert len(smaller) <= len(native)
    assert builder.without_debug_information(smaller) == smaller
    assert builder.without_debug_information(b"#!/bin/sh\n") == b"#!/bin/sh\n"


def test_dates_modes_and_order_leave_no_trace(tmp_path: Path) -> None:
    """Two archives with equal contents become equal files."""
    finished = []
    for number, names in enumerate((("a", "__main__.py"), ("__main__.py", "a"))):
        packed = tmp_path / f"packed{number}"
        packed.write_bytes(b"#!/usr/bin/env python3\n")
        with zipfile.ZipFile(packed, "a") as archive:
            for name in names:
                member = zipfile.ZipInfo(name, (2020 + number, 1, 1, 0, 0, 0))
                member.external_attr = (0o100600 + number) << 16
                archive.writestr(member, name)
        finished.append(tmp_path / f"finished{number}")
        builder.rewrite(packed, finished[number], b"start")

    first, second = (path.read_bytes() for path in finished)

    assert first == second
    assert first.startswith(b"#!/usr/bin/env python3\n")
    assert zipfile.ZipFile(finished[0]).read("__main__.py") == b"start"


def test_the_same_tree_gives_the_same_bytes(pyz: Path, tmp_path: Path) -> None:
    """Anybody can check that a file was built from the sources it claims."""
    far = plant_tree(tmp_path / "much" / "further" / "away")
    for path in (far / "lsd").rglob("*.py"):
        os.utime(path, (1_000_000_000, 1_000_000_000))
        path.chmod(0o600)

    assert pyz.read_bytes() == build(far).read_bytes()


def test_the_file_is_small_and_can_be_executed(pyz: Path) -> None:
    """It goes through a slow line; where `env` finds a Python its name alone starts it."""
    assert pyz.stat().st_size < 15_000_000
    assert pyz.stat().st_mode & stat.S_IXUSR
    assert pyz.read_bytes().startswith(b"#!/usr/bin/env python3\n")


def test_it_unpacks_into_the_cache_folder_of_the_user(pyz: Path, home: Path) -> None:
    """The place of the file is left alone, and arguments reach the daemon."""
    status, said, _ = outcome(start(pyz, home))

    assert status == 0
    place, arguments = said.splitlines()
    assert Path(place).is_relative_to(home / ".cache" / "lsd")
    assert arguments == "--some option"
    assert [path.name for path in pyz.parent.iterdir()] == ["lsd.pyz"]


def test_the_second_start_finds_compiled_modules(pyz: Path, home: Path) -> None:
    """In LSD's own folder they are kept, whatever Python was told about the folders of others."""
    status, _, _ = outcome(start(pyz, home, PYTHONDONTWRITEBYTECODE="1"))

    assert status == 0
    assert any((home / ".cache" / "lsd").rglob("lsd/**/*.pyc"))


def test_xdg_cache_home_moves_the_unpacked_files(pyz: Path, home: Path, tmp_path: Path) -> None:
    """Whoever keeps caches elsewhere is obeyed."""
    status, said, _ = outcome(start(pyz, home, XDG_CACHE_HOME=str(tmp_path / "caches")))

    assert status == 0
    assert Path(said.splitlines()[0]).is_relative_to(tmp_path / "caches" / "lsd")


def test_without_a_home_it_unpacks_into_the_temporary_folder(pyz: Path, tmp_path: Path) -> None:
    """Service users often have no home; the folder is theirs alone."""
    status, said, _ = outcome(start(pyz, "/dev/null/nowhere", TMPDIR=str(tmp_path)))

    folder = tmp_path / f"lsd-{os.getuid()}"
    assert status == 0
    assert Path(said.splitlines()[0]).is_relative_to(folder)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_folder_that_others_can_write_into_is_not_used(pyz: Path, tmp_path: Path) -> None:
    """Whoever can write there could put code into the daemon."""
    trap = tmp_path / f"lsd-{os.getuid()}"
    trap.mkdir()
    trap.chmod(0o777)

    status, _, complained = outcome(start(pyz, "/dev/null/nowhere", TMPDIR=str(tmp_path)))

    assert status == 1
    assert "found no folder to unpack into; set XDG_CACHE_HOME" in complained
    assert list(trap.iterdir()) == []


def test_two_first_starts_at_once_both_work(pyz: Path, home: Path) -> None:
    """A service and a hasty operator may start the same new file together."""
    both = [start(pyz, home), start(pyz, home)]

    first, second = (outcome(process) for process in both)

    assert first == second
    assert first[0] == 0


def test_another_python_is_told_what_the_file_is_for(home: Path) -> None:
    """An import error deep inside would tell nobody what to do."""
    elsewhere = "linux-aarch64" if os.uname().machine != "aarch64" else "linux-x86_64"

    ended = subprocess.run(
        [sys.executable, "-c", builder.start_script(elsewhere).decode()],
        env={"HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
        timeout=WAIT_S,
    )

    assert ended.returncode == 1
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    assert ended.stderr.startswith(f"lsd.pyz: found Python {version} (.cpython-")
    assert ended.stderr.endswith(f"this file is for {elsewhere} with CPython 3.11 to 3.14\n")
