#!/usr/bin/env python3
"""Builds `lsd.pyz`: the whole daemon in one file, for one platform and every Python it serves.

    python3 zipapp.py [--platform linux-aarch64] [--output dist/lsd-aarch64.pyz]

Needs nothing but Python 3.11 or later and a package index: the builder (shiv) and the wheels are
pinned with their hashes in `.lock/` and are kept under `build/`. Wheels are fetched for the target,
never for this machine, so that any machine builds any platform's file. The same tree gives the same
bytes, whatever the folder, the hour, the umask or the machine; only another zlib may differ.

The wheels of all served Pythons lie in one folder: files that differ by Python carry its tag in
their names. Why shiv, and what is measured and left out, is told in docs/building.md.
"""

import argparse
import contextlib
import fcntl
import hashlib
import os
import shutil
import struct
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent
BUILD = ROOT / "build"

PYTHONS = ("3.11", "3.12", "3.13", "3.14")

SIZE_BYTES_MAX = 15_000_000
"""What a slow line or a small disk takes without a thought; a bigger file is not written."""

GLIBC = ("2_17", "2_28")
"""The oldest and the newest C library that wheels may ask for: RHEL 8 and Debian 10 have 2.28."""

PLATFORMS: dict[str, tuple[str, ...]] = {
    "linux-x86_64": (*(f"manylinux_{glibc}_x86_64" for glibc in GLIBC), "manylinux2014_x86_64"),
    "linux-aarch64": (*(f"manylinux_{glibc}_aarch64" for glibc in GLIBC), "manylinux2014_aarch64"),
    "macos-arm64": ("macosx_11_0_arm64", "macosx_11_0_universal2", "macosx_10_9_universal2"),
}
"""What pip may choose from for a platform, as wheels are tagged."""

EXTENSION_SUFFIXES: dict[str, str] = {
    "linux-x86_64": ".cpython-{python}-x86_64-linux-gnu.so",
    "linux-aarch64": ".cpython-{python}-aarch64-linux-gnu.so",
    "macos-arm64": ".cpython-{python}-darwin.so",
}
"""How a Python that can load the file's native modules names its own."""

DROPPED_SUFFIXES = frozenset({".c", ".h", ".pxd", ".pyc", ".pyi", ".pyx"})
DROPPED_FOLDERS = frozenset({"__pycache__", "_tests", "sboms"})
DROPPED_NAMES = frozenset({"INSTALLER", "RECORD", "REQUESTED"})
"""Nothing of these is read at run time; RECORD holds hashes of scripts that name this folder."""

KEPT_LEXERS = frozenset({"__init__.py", "_mapping.py", "python.py"})
"""Rich colours Python tracebacks only; the other lexers of pygments are a tenth of the file."""

EPOCH = (1980, 1, 1, 0, 0, 0)
"""The date of every member: the oldest that a zip file can tell."""

START = '''\
"""Starts LSD: chooses a folder, unpacks into it once, runs."""

import os
import sys
import tempfile

PLATFORM = "{platform}"
SUFFIXES = {suffixes}


def refuse_strangers():
    """Says in words what an import error deep inside would not."""
    from importlib.machinery import EXTENSION_SUFFIXES

    is_served = any(suffix in SUFFIXES for suffix in EXTENSION_SUFFIXES)
    if not is_served or not PLATFORM.endswith(os.uname().machine):
        sys.exit(
            "lsd.pyz: found Python %d.%d (%s) on %s; this file is for %s with CPython {pythons}"
            % (*sys.version_info[:2], EXTENSION_SUFFIXES[0], os.uname().machine, PLATFORM)
        )


def cache_folders():
    """Where the unpacked files may lie, the best first."""
    if os.path.isabs(os.environ.get("XDG_CACHE_HOME", "")):
        yield os.path.join(os.environ["XDG_CACHE_HOME"], "lsd")
    home = os.path.expanduser("~")
    if os.path.isabs(home):
        yield os.path.join(home, ".cache", "lsd")
    yield os.path.join(tempfile.gettempdir(), "lsd-%d" % os.getuid())


def is_ours(folder):
    """Whether the folder can be had, and nobody else can put code into it."""
    try:
        os.makedirs(folder, mode=0o700, exist_ok=True)
        found = os.lstat(folder)
    except OSError:
        return False
    is_private = found.st_uid == os.getuid() and not found.st_mode & 0o022
    return is_private and os.access(folder, os.W_OK | os.X_OK)


def run():
    refuse_strangers()
    import _bootstrap

    if "SHIV_ROOT" not in os.environ:
        folder = next((f for f in cache_folders() if is_ours(f)), None)
        if folder is None:
            sys.exit("lsd.pyz: found no folder to unpack into; set XDG_CACHE_HOME to one of yours")
        # Not by the variable: what LSD starts would inherit it.
        _bootstrap.Environment.root = folder
    # PYTHONDONTWRITEBYTECODE spares folders of others; this one is LSD's own, and without compiled
    # modules in it every start would take two seconds longer and more memory.
    sys.dont_write_bytecode = False
    _bootstrap.bootstrap()


run()
'''
"""The file's `__main__`: shiv unpacks and runs, but asks nobody whether its folder can be used."""


class BuildError(Exception):
    """The file cannot be built; the text says why, and what would help."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Builds one file and says how big it is."""
    parser = argparse.ArgumentParser(description="Builds lsd.pyz.", allow_abbrev=False)
    parser.add_argument(
        "--platform",
        type=platform_named,
        default=None,
        help=f"{', '.join(PLATFORMS)}, or a wheel's tag such as manylinux2014_aarch64 "
        "(default: this machine's)",
    )
    parser.add_argument("--output", type=Path, default=ROOT / "lsd.pyz", help="default: lsd.pyz")
    options = parser.parse_args(arguments)
    try:
        platform = options.platform or this_platform()
        with build_folder_locked():
            size = build(platform, options.output.resolve())
    except BuildError as error:
        sys.exit(f"zipapp.py: {error}")
    except subprocess.CalledProcessError as error:
        sys.exit(f"zipapp.py: {' '.join(map(str, error.cmd[:6]))} …: exit {error.returncode}")
    served = f"{PYTHONS[0]} to {PYTHONS[-1]}"
    print(f"{options.output}: {size / 1e6:.1f} MB, {platform}, Python {served}")


def platform_named(text: str) -> str:
    """The platform that a name of ours or a wheel's tag means."""
    for platform, tags in PLATFORMS.items():
        if text == platform or text in tags:
            return platform
    raise argparse.ArgumentTypeError(f"found {text!r}; wanted one of {', '.join(PLATFORMS)}")


def this_platform() -> str:
    """The platform of this machine. Raises BuildError when there are no wheels for it."""
    system, machine = os.uname().sysname, os.uname().machine
    platform = f"{'macos' if system == 'Darwin' else system.lower()}-{machine}"
    if platform not in PLATFORMS:
        raise BuildError(f"found {platform}; wanted --platform with one of {', '.join(PLATFORMS)}")
    return platform


@contextlib.contextmanager
def build_folder_locked() -> Iterator[None]:
    """Two builds at once would fetch into the same folders; the second one waits."""
    BUILD.mkdir(exist_ok=True)
    with (BUILD / ".zipapp-lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def build(platform: str, output: Path) -> int:
    """Writes the file and gives its size in bytes; an older one stays until the new one is whole.

    Raises BuildError, CalledProcessError.
    """
    builder = builder_python()
    wheels = [installed_wheels(builder, platform, python) for python in PYTHONS]
    with tempfile.TemporaryDirectory(dir=BUILD, prefix="zipapp-") as scratch:
        site, packed, finished = (Path(scratch) / name for name in ("site", "packed", "finished"))
        for folder in wheels:
            lay_over(folder, site)
        lay_over(ROOT / "lsd", site / "lsd")
        run(
            *(builder, "-m", "shiv", "--site-packages", site, "--entry-point", "lsd.cli:main"),
            *("--uncompressed", "--reproducible", "--output-file", packed),
        )
        rewrite(packed, finished, start_script(platform))
        size = finished.stat().st_size
        if size > SIZE_BYTES_MAX:
            raise BuildError(f"found a file of {size} bytes; wanted {SIZE_BYTES_MAX} at most")
        finished.chmod(0o755)
        output.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(finished, output.with_name(f".{output.name}.new"))
        output.with_name(f".{output.name}.new").replace(output)
    return size


def builder_python() -> Path:
    """The Python of a virtual environment that holds the pinned builder and a pinned pip."""
    lock = ROOT / ".lock" / "build.txt"
    folder = BUILD / f"zipapp-builder-{sys.version_info[0]}.{sys.version_info[1]}-{digest(lock)}"
    python = folder / "bin" / "python"
    if not (folder / "complete").exists():
        print("zipapp.py: installing the builder", flush=True)
        run(sys.executable, "-m", "venv", "--clear", folder)
        run(python, "-m", "pip", "install", *PIP_OPTIONS, "-r", lock)
        (folder / "complete").touch()
    return python


PIP_OPTIONS = ("-qq", "--disable-pip-version-check", "--no-deps", "--require-hashes")


def installed_wheels(builder: Path, platform: str, python: str) -> Path:
    """The folder into which the pinned wheels for one platform and Python are installed."""
    lock = ROOT / ".lock" / "runtime.txt"
    folder = BUILD / f"zipapp-wheels-{digest(lock)}" / f"{platform}-{python}"
    if not folder.exists():
        print(f"zipapp.py: fetching wheels for {platform}, Python {python}", flush=True)
        folder.parent.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(dir=BUILD, prefix="wheels-") as scratch:
            unfinished = Path(scratch) / "wheels"
            tags = (word for tag in PLATFORMS[platform] for word in ("--platform", tag))
            run(
                *(builder, "-m", "pip", "install", *PIP_OPTIONS, "--no-compile"),
                *("--only-binary", ":all:", "--python-version", python, *tags),
                *("--target", unfinished, "-r", lock),
            )
            shutil.rmtree(unfinished / "bin", ignore_errors=True)
            unfinished.rename(folder)
    return folder


def lay_over(source: Path, target: Path) -> None:
    """Copies what is needed at run time. Raises BuildError when two wheels disagree on a file.

    A wheel's own description (`WHEEL`) names its tags, so there the first one stays.
    """
    for path in sorted(source.rglob("*")):
        place = target / path.relative_to(source)
        if not path.is_file() or is_dropped(path.relative_to(source)):
            continue
        contents = without_debug_information(path.read_bytes())
        if not place.exists():
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(contents)
        elif path.name != "WHEEL" and contents != place.read_bytes():
            raise BuildError(f"{path}: found other bytes than for another Python; wanted the same")


def is_dropped(path: Path) -> bool:
    """Whether nothing reads this file at run time; `path` is relative to the folder of packages."""
    if path.parent == Path("pygments/lexers"):
        return path.name not in KEPT_LEXERS
    return (
        path.suffix in DROPPED_SUFFIXES
        or not DROPPED_FOLDERS.isdisjoint(path.parts)
        or (path.name in DROPPED_NAMES and path.parent.suffix == ".dist-info")
    )


def without_debug_information(contents: bytes) -> bytes:
    """A native module of Linux as far as it is loaded; anything else as it is.

    Loaders go by the program headers (offsets 32, 54 and 56 of the ELF header); the section table
    (40, 58 to 63) and what only it names come last, and are four fifths of some modules.
    Source: System V ABI, gABI 4.1, chapters 4 and 5, for 64 bits, little-endian.
    """
    if not contents.startswith(b"\x7fELF\x02\x01"):
        return contents
    (headers_at,) = struct.unpack_from("<Q", contents, 32)
    header_size, header_count = struct.unpack_from("<HH", contents, 54)
    end = headers_at + header_size * header_count
    for place in range(headers_at, end, header_size):
        offset, _, _, size_in_file = struct.unpack_from("<QQQQ", contents, place + 8)
        end = max(end, offset + size_in_file)
    loaded = bytearray(contents[:end])
    struct.pack_into("<Q", loaded, 40, 0)
    struct.pack_into("<HHH", loaded, 58, 0, 0, 0)
    return bytes(loaded)


def start_script(platform: str) -> bytes:
    """The `__main__.py` of the file."""
    pattern = EXTENSION_SUFFIXES[platform]
    suffixes = tuple(pattern.format(python=python.replace(".", "")) for python in PYTHONS)
    pythons = f"{PYTHONS[0]} to {PYTHONS[-1]}"
    script = START.format(platform=platform, suffixes=suffixes, pythons=pythons)
    return script.encode()


def rewrite(packed: Path, finished: Path, start: bytes) -> None:
    """Copies the archive with our start script, packed tighter, free of modes, dates and order."""
    with packed.open("rb") as archive:
        shebang = archive.readline()
    with zipfile.ZipFile(packed) as old, finished.open("wb") as file:
        file.write(shebang)
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as new:
            for name in sorted(old.namelist()):
                member = zipfile.ZipInfo(name, EPOCH)
                member.compress_type = zipfile.ZIP_DEFLATED
                member.external_attr = 0o100644 << 16
                new.writestr(member, start if name == "__main__.py" else old.read(name))


def digest(lock: Path) -> str:
    """Twelve characters that change with a lock file, for the names of what it fills."""
    return hashlib.sha256(lock.read_bytes()).hexdigest()[:12]


def run(*command: str | Path) -> None:
    """Runs a tool from a folder where this file cannot shadow the standard library's module."""
    environment = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "PYTHONHOME")}
    environment["SOURCE_DATE_EPOCH"] = "315532800"
    subprocess.run(command, check=True, cwd=BUILD, env=environment)


if __name__ == "__main__":
    main()
